// The files of a model directory, which may come from strangers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vecframe::models {

/// The path of a regular file of this plain name, or nothing if there is none. Throws RequestError
/// for a link that leads out of the directory: an unpacked model must not make its reader open what
/// it names. The links of a hub cache, from a snapshot to the blobs beside it, are within bounds.
/// `model` is the user's spelling, for the message.
std::optional<std::filesystem::path> find_model_file(const std::string& model,
                                                     const std::filesystem::path& directory,
                                                     std::string_view name);

}  // namespace vecframe::models
