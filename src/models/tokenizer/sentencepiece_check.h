// Whether the table of character replacements inside a spiece.model stays within itself. The
// sentencepiece library follows it without looking, and model files come from strangers.
#pragma once

#include <string_view>

namespace vecframe::models {

/// `model` is a whole file. True also of a model without a table.
bool has_sound_character_map(std::string_view model);

}  // namespace vecframe::models
