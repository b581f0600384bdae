// The few Unicode operations that tokenizers need, on utf8proc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vecframe::models {

/// Takes the first code point off `text`; an invalid byte is U+FFFD. `text` is not empty.
char32_t next_code_point(std::string_view& text);
void append_utf8(char32_t code_point, std::string& out);

/// Normalisation form C. Invalid bytes become U+FFFD first.
std::string to_nfc(std::string_view text);
/// Lower case of each code point by itself, as Rust's char::to_lowercase: no final sigma, and
/// U+0130 becomes two.
std::string to_lower_each(std::string_view text);

/// Lower case of a text as Python's str.lower(): a capital sigma that ends a word becomes final.
std::string to_lower_text(std::string_view text);

bool is_letter(char32_t code_point);       ///< general category L
bool is_number(char32_t code_point);       ///< general category N
bool is_white_space(char32_t code_point);  ///< property White_Space

}  // namespace vecframe::models
