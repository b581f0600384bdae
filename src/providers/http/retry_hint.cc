#include "providers/http/retry_hint.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <utility>

#include "providers/http/http_error.h"

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;
using Hint = std::optional<milliseconds>;

Hint bounded(double in_milliseconds) {
  constexpr auto longest = static_cast<double>(milliseconds(kLongestRetryAfter).count());
  if (!(in_milliseconds >= 0)) return {};
  return milliseconds(std::llround(std::min(in_milliseconds, longest)));
}

// Takes a number from the front of `text`.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0) return {};
  double number = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return {};
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

// Takes a unit from the front of `text`: how many milliseconds it is; nothing if there is none.
std::optional<double> take_unit(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, double>, 10> units{{{"milliseconds", 1},
                                                                       {"ms", 1},
                                                                       {"seconds", 1e3},
                                                                       {"second", 1e3},
                                                                       {"sec", 1e3},
                                                                       {"s", 1e3},
                                                                       {"minute", 6e4},
                                                                       {"m", 6e4},
                                                                       {"h", 3.6e6},
                                                                       {"d", 8.64e7}}};
  for (const auto& [unit, in_milliseconds] : units) {
    if (!text.starts_with(unit)) continue;
    text.remove_prefix(unit.size());
    return in_milliseconds;
  }
  return {};
}

// x-ratelimit-reset*: a duration, or the Unix time at which the limit starts anew.
Hint reset_hint(const std::string& value) {
  constexpr double kUnixTimes = 1e9;  // seconds; as a duration it would be 30 years
  const Hint duration = parse_duration(value);
  std::string_view rest = value;
  const std::optional<double> number = take_number(rest);
  if (!number || !rest.empty() || *number < kUnixTimes) return duration;
  return bounded(std::max(0.0, *number - static_cast<double>(std::time(nullptr))) * 1000);
}

// Of the limits that are used up, or of all if the server names none as such, the last to end.
Hint reset_hints(const HttpResponse& response) {
  constexpr std::string_view prefix = "x-ratelimit-reset";
  Hint used_up, any;
  const auto later = [](Hint& so_far, milliseconds hint) {
    so_far = so_far ? std::max(*so_far, hint) : hint;
  };
  for (auto it = response.headers.lower_bound(prefix);
       it != response.headers.end() && it->first.starts_with(prefix); ++it) {
    const Hint hint = reset_hint(it->second);
    if (!hint) continue;
    later(any, *hint);
    if (response.header("x-ratelimit-remaining" + it->first.substr(prefix.size())) == "0")
      later(used_up, *hint);
  }
  return used_up ? used_up : any;
}

Hint sentence_hint(std::string_view message) {
  std::string lower(message);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view words : {"retry after ", "try again in ", "retry in "}) {
    const std::size_t at = lower.find(words);
    if (at == std::string::npos) continue;
    std::string_view rest = std::string_view(lower).substr(at + words.size());
    const std::optional<double> number = take_number(rest);
    if (!number) continue;
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    return bounded(*number * take_unit(rest).value_or(1000));
  }
  return {};
}

}  // namespace

Hint parse_duration(std::string_view text) {
  double total = 0;
  if (text.empty()) return {};
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    if (!number) return {};
    if (text.empty()) return total == 0 ? bounded(*number * 1000) : Hint();
    const std::optional<double> unit = take_unit(text);
    if (!unit) return {};
    total += *number * *unit;
  }
  return bounded(total);
}

Hint retry_hint(const HttpResponse& response, std::string_view message) {
  const std::string milliseconds_text = response.header("retry-after-ms");
  std::string_view rest = milliseconds_text;
  if (const std::optional<double> number = take_number(rest); number && rest.empty())
    return bounded(*number);
  if (const Hint hint = parse_retry_after(response.header("retry-after"))) return hint;
  if (const Hint hint = reset_hints(response)) return hint;
  return sentence_hint(message);
}

}  // namespace vecframe::providers
