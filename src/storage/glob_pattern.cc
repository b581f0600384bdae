#include "storage/glob_pattern.h"

#include <algorithm>
#include <cstddef>

#include "columnar/utf8.h"

namespace vecframe::storage {
namespace {

// The character that `text`, which is not empty, begins with. Its bytes compare as its code point
// does.
std::string_view first_character(std::string_view text) {
  return text.substr(0, std::max<std::size_t>(1, columnar::utf8_sequence_length(text)));
}

// The set that `pattern` begins with, brackets included; empty if its bracket is never closed, in
// which case the bracket means itself. A `]` that comes first is a member.
std::string_view bracket_set(std::string_view pattern) {
  std::size_t begin = 1;
  if (begin < pattern.size() && (pattern[begin] == '!' || pattern[begin] == '^')) ++begin;
  const std::size_t close = pattern.find(']', begin + 1);
  return close == std::string_view::npos ? std::string_view() : pattern.substr(0, close + 1);
}

bool in_set(std::string_view set, std::string_view character) {
  std::string_view members = set.substr(1, set.size() - 2);
  const bool negated = members.starts_with('!') || members.starts_with('^');
  if (negated) members.remove_prefix(1);
  bool found = false;
  while (!members.empty()) {
    const std::string_view low = first_character(members);
    members.remove_prefix(low.size());
    std::string_view high = low;
    if (members.size() > 1 && members[0] == '-') {
      high = first_character(members.substr(1));
      members.remove_prefix(1 + high.size());
    }
    found = found || (low <= character && character <= high);
  }
  return found != negated;
}

// Whether the element of the pattern before `rest` takes `character`.
bool step(std::string_view pattern, std::string_view character, std::string_view& rest) {
  if (pattern[0] == '?') {
    rest = pattern.substr(1);
    return true;
  }
  if (pattern[0] == '[') {
    const std::string_view set = bracket_set(pattern);
    if (!set.empty()) {
      rest = pattern.substr(set.size());
      return in_set(set, character);
    }
  }
  const std::string_view literal = first_character(pattern);
  rest = pattern.substr(literal.size());
  return literal == character;
}

}  // namespace

bool is_pattern(std::string_view component) {
  return component.find_first_of("*?[") != std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  // Only the last star has to be tried again: what an earlier one took can stay as short as it was.
  // So the time is at most pattern times name, whatever the pattern.
  bool has_star = false;
  std::string_view after_star, retry;
  while (true) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      has_star = true;
      after_star = pattern;
      retry = name;
      continue;
    }
    if (name.empty() && pattern.empty()) return true;
    if (!name.empty() && !pattern.empty()) {
      const std::string_view character = first_character(name);
      std::string_view rest;
      if (step(pattern, character, rest)) {
        pattern = rest;
        name.remove_prefix(character.size());
        continue;
      }
    }
    if (!has_star || retry.empty()) return false;
    retry.remove_prefix(first_character(retry).size());
    pattern = after_star;
    name = retry;
  }
}

}  // namespace vecframe::storage
