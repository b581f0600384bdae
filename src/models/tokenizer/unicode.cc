#include "models/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

namespace vecframe::models {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// The canonical decompositions of all code points, one after another.
std::vector<utf8proc_int32_t> decompose(std::string_view text) {
  std::vector<utf8proc_int32_t> out;
  out.reserve(text.size());
  std::array<utf8proc_int32_t, 8> buffer{};  // the longest has four
  while (!text.empty()) {
    int last_bound_class = UTF8PROC_BOUNDCLASS_START;
    const utf8proc_ssize_t count = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(next_code_point(text)), buffer.data(),
        static_cast<utf8proc_ssize_t>(buffer.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &last_bound_class);
    out.insert(out.end(), buffer.begin(), buffer.begin() + std::max<utf8proc_ssize_t>(count, 0));
  }
  return out;
}

// Canonical order: each run of marks by combining class. The library's own sort takes the square of
// a run's length, which a hostile text may choose.
void sort_marks(std::vector<utf8proc_int32_t>& code_points) {
  const auto class_of = [](utf8proc_int32_t c) {
    return utf8proc_get_property(c)->combining_class;
  };
  const auto is_starter = [&](utf8proc_int32_t c) { return class_of(c) == 0; };
  for (auto begin = code_points.begin(); begin != code_points.end();) {
    const auto end = std::find_if(begin, code_points.end(), is_starter);
    std::stable_sort(begin, end, [&](utf8proc_int32_t a, utf8proc_int32_t b) {
      return class_of(a) < class_of(b);
    });
    begin = std::find_if_not(end, code_points.end(), is_starter);
  }
}

void append_lower(char32_t code_point, std::string& out) {
  if (code_point == 0x130) {
    out += "i\xCC\x87";  // i and a combining dot above
  } else {
    append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))),
                out);
  }
}

constexpr char32_t kCapitalSigma = 0x3A3, kFinalSigma = 0x3C2;

// Property Cased: the letters with case, and those of Other_Lowercase and Other_Uppercase in
// PropList.txt of Unicode.
bool is_cased(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  if (category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
      category == UTF8PROC_CATEGORY_LT)
    return true;
  constexpr std::array<std::array<char32_t, 2>, 23> kOthers{{
      {0xAA, 0xAA},       {0xBA, 0xBA},       {0x2B0, 0x2B8},     {0x2C0, 0x2C1},
      {0x2E0, 0x2E4},     {0x345, 0x345},     {0x37A, 0x37A},     {0x1D2C, 0x1D6A},
      {0x1D78, 0x1D78},   {0x1D9B, 0x1DBF},   {0x2071, 0x2071},   {0x207F, 0x207F},
      {0x2090, 0x209C},   {0x2160, 0x217F},   {0x24B6, 0x24E9},   {0x2C7C, 0x2C7D},
      {0xA69C, 0xA69D},   {0xA770, 0xA770},   {0xA7F8, 0xA7F9},   {0xAB5C, 0xAB5F},
      {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189},
  }};
  return std::any_of(kOthers.begin(), kOthers.end(),
                     [&](const auto& range) { return c >= range[0] && c <= range[1]; });
}

// Property Case_Ignorable: marks, formats, modifiers, and the punctuation inside words.
bool is_case_ignorable(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      break;
  }
  constexpr std::array<char32_t, 17> kInsideWords{0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                                  0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                                  0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  return std::find(kInsideWords.begin(), kInsideWords.end(), c) != kInsideWords.end();
}

bool cased_follows(std::string_view text) {
  while (!text.empty()) {
    const char32_t code_point = next_code_point(text);
    if (!is_case_ignorable(code_point)) return is_cased(code_point);
  }
  return false;
}

}  // namespace

char32_t next_code_point(std::string_view& text) {
  utf8proc_int32_t code_point = 0;
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  if (size <= 0) {
    text.remove_prefix(1);
    return kReplacement;
  }
  text.remove_prefix(static_cast<std::size_t>(size));
  return static_cast<char32_t>(code_point);
}

void append_utf8(char32_t code_point, std::string& out) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const utf8proc_ssize_t size =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

std::string to_nfc(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }))
    return std::string(text);
  std::vector<utf8proc_int32_t> code_points = decompose(text);
  sort_marks(code_points);
  // Composes within the buffer; fails only for code points that are none.
  const utf8proc_ssize_t size = utf8proc_normalize_utf32(
      code_points.data(), static_cast<utf8proc_ssize_t>(code_points.size()),
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string out;
  out.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < size; ++i)
    append_utf8(static_cast<char32_t>(code_points[static_cast<std::size_t>(i)]), out);
  return out;
}

std::string to_lower_each(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_lower(next_code_point(text), out);
  return out;
}

std::string to_lower_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool after_cased = false;  // the last code point that is not ignored is a cased one
  while (!text.empty()) {
    const char32_t code_point = next_code_point(text);
    if (code_point == kCapitalSigma && after_cased && !cased_follows(text)) {
      append_utf8(kFinalSigma, out);
    } else {
      append_lower(code_point, out);
    }
    if (!is_case_ignorable(code_point)) after_cased = is_cased(code_point);
  }
  return out;
}

bool is_letter(char32_t code_point) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t code_point) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_white_space(char32_t c) {
  // PropList.txt of Unicode: the property is stable and short.
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace vecframe::models
