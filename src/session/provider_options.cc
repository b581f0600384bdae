#include "session/provider_options.h"

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>

#include "session/known_providers.h"

namespace vecframe::session {
namespace {

// The words that every call has, whoever embeds.
const std::vector<std::string> kCommonWords{"provider", "model",      "dimensions",  "normalize",
                                            "dtype",    "batch_size", "concurrency", "max_retries",
                                            "num_gpus", "on_error",   "error_column"};

const OptionSpec* find(const std::vector<OptionSpec>& specs, const std::string& name) {
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&](const OptionSpec& spec) { return spec.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string text_of(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool flag) const { return flag ? "True" : "False"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& text) const { return quoted(text); }
    std::string operator()(const std::vector<double>& values) const {
      return fmt::format("<{} values>", values.size());
    }
  };
  return std::visit(Visitor(), value);
}

// Those that the function has.
std::vector<OptionSpec> of_function(const std::string& function, std::vector<OptionSpec> specs) {
  std::erase_if(specs, [&](const OptionSpec& spec) {
    return (function == "embed_text" && !spec.of_texts) ||
           (function == "embed_image" && !spec.of_pictures);
  });
  return specs;
}

[[noreturn]] void refuse_unknown(const std::string& function, const std::string& provider,
                                 const std::vector<OptionSpec>& specs, const std::string& name) {
  const std::string begin = function + ": unknown option '" + name + "'";
  for (const KnownProvider& known : known_providers()) {
    if (find(of_function(function, known.options()), name) == nullptr) continue;
    throw RequestError(begin + "; provider '" + known.name + "' has it, '" + provider +
                       "' has not");
  }
  std::vector<std::string> words = kCommonWords;
  for (const OptionSpec& spec : specs) words.push_back(spec.name);
  const std::string nearest = nearest_name(name, words);
  throw RequestError(begin + (nearest.empty()
                                  ? fmt::format("; there are {}", fmt::join(words, ", "))
                                  : "; did you mean " + quoted(nearest) + "?"));
}

std::optional<double> number_of(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

const char* name_of(OptionSpec::Type type) {
  switch (type) {
    case OptionSpec::Type::kText:
      return "a text";
    case OptionSpec::Type::kInteger:
      return "a whole number";
    case OptionSpec::Type::kNumber:
      return "a number";
    case OptionSpec::Type::kFlag:
      return "True or False";
  }
  return "another value";
}

bool has_type(const Value& value, OptionSpec::Type type) {
  switch (type) {
    case OptionSpec::Type::kText:
      return std::holds_alternative<std::string>(value);
    case OptionSpec::Type::kInteger:
      return std::holds_alternative<std::int64_t>(value);
    case OptionSpec::Type::kNumber:
      return number_of(value).has_value();
    case OptionSpec::Type::kFlag:
      return std::holds_alternative<bool>(value);
  }
  return false;
}

void check(const OptionSpec& spec, const Value& value) {
  const std::string shown = spec.secret ? "the value" : text_of(value);
  if (!has_type(value, spec.type))
    throw RequestError(spec.name + ": " + shown + " is of a wrong type; give " +
                       name_of(spec.type));
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (spec.choices.empty() ||
        std::find(spec.choices.begin(), spec.choices.end(), *text) != spec.choices.end())
      return;
    const std::string nearest = nearest_name(*text, spec.choices);
    throw RequestError(
        fmt::format("{}: {} is not known; give one of \"{}\"{}", spec.name, shown,
                    fmt::join(spec.choices, "\", \""),
                    nearest.empty() ? "" : "; did you mean " + quoted(nearest) + "?"));
  }
  const std::optional<double> number = number_of(value);
  if (!number) return;
  if (spec.minimum && *number < *spec.minimum)
    throw RequestError(
        fmt::format("{}: {} is out of range; give {} or more", spec.name, shown, *spec.minimum));
  if (spec.maximum && *number > *spec.maximum)
    throw RequestError(
        fmt::format("{}: {} is out of range; give {} or less", spec.name, shown, *spec.maximum));
}

}  // namespace

void check_options(const std::string& function, const std::string& provider,
                   const std::vector<OptionSpec>& specs, const OptionValues& options) {
  for (const auto& [name, value] : options) {
    const OptionSpec* spec = find(specs, name);
    if (spec == nullptr) refuse_unknown(function, provider, specs, name);
    check(*spec, value);
  }
}

void check_options(const std::string& function, const Provider& provider,
                   const OptionValues& options) {
  const std::vector<OptionSpec> specs = of_function(function, provider.options());
  OptionValues checked = options;
  if (provider.takes_other_options())
    std::erase_if(checked,
                  [&](const auto& option) { return find(specs, option.first) == nullptr; });
  check_options(function, provider.name(), specs, checked);
}

OptionValues shown_options(const Provider& provider, const OptionValues& options) {
  const std::vector<OptionSpec> specs = provider.options();
  OptionValues shown;
  for (const auto& [name, value] : options) {
    const OptionSpec* spec = find(specs, name);
    if (spec != nullptr && !spec->secret) shown.emplace(name, value);
  }
  return shown;
}

}  // namespace vecframe::session
