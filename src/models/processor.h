// From a model's processor file to the recipe of its pictures.
#pragma once

#include <string_view>

#include "image/prepare.h"
#include "models/checkpoint.h"
#include "models/image_model.h"

namespace vecframe::models {

/// Reads preprocessor_config.json, or the image part of processor_config.json. `fallback_type` is
/// the class that a file without a type means. Throws RequestError for a class whose rules are not
/// known, and for a recipe without a bound of the picture's size.
image::PrepareSpec read_processor(const Checkpoint& checkpoint, std::string_view fallback_type,
                                  const ImageModelOptions& options);

/// timm's evaluation transform, from `pretrained_cfg` or the flat keys of a config.json. It is
/// always Pillow's, so kTorchvision is refused.
image::PrepareSpec read_timm_processor(const JsonObject& config, const ImageModelOptions& options);

/// open_clip's evaluation transform to pictures of `size`, or of the user's, from `preprocess_cfg`.
/// It is always Pillow's, so kTorchvision is refused.
image::PrepareSpec read_open_clip_processor(const JsonObject& config, image::Size size,
                                            const ImageModelOptions& options);

}  // namespace vecframe::models
