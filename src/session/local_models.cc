#include "session/local_models.h"

#include <cstdint>
#include <variant>

namespace vecframe::session {
namespace {

// The call's value, or the default's, or null.
const Value* find(const OptionValues& defaults, const OptionValues& own, const char* name) {
  if (const auto found = own.find(name); found != own.end()) return &found->second;
  const auto found = defaults.find(name);
  return found == defaults.end() ? nullptr : &found->second;
}

// A field that the caller set stays.
void take_text(const OptionValues& defaults, EmbedOptions& options, const char* name,
               const char* unset, std::string& field) {
  const Value* value = find(defaults, options.options, name);
  if (value != nullptr && (field == unset || options.options.contains(name)))
    field = std::get<std::string>(*value);
  options.options.erase(name);
}

}  // namespace

std::vector<OptionSpec> LocalModels::options() const { return local_options(); }

std::vector<OptionSpec> local_options() {
  using Type = OptionSpec::Type;
  std::vector<OptionSpec> specs(4);
  specs[0].name = "precision";
  specs[1].name = "device";
  specs[2].name = "pooling";
  specs[2].choices = {"default", "cls", "mean"};
  specs[3].name = "image_size";
  specs[3].type = Type::kInteger;
  specs[3].minimum = 1;
  specs[2].of_texts = specs[3].of_texts = false;
  return specs;
}

std::shared_ptr<const Provider> make_local(const std::string& name, const OptionValues& options) {
  return std::make_shared<LocalModels>(name, options);
}

const LocalModels* as_local(const Provider& provider) {
  return dynamic_cast<const LocalModels*>(&provider);
}

void take_local_options(const OptionValues& defaults, EmbedOptions& options) {
  take_text(defaults, options, "precision", "fp32", options.precision);
  take_text(defaults, options, "device", "auto", options.device);
}

void take_local_options(const OptionValues& defaults, EmbedImageOptions& options) {
  take_local_options(defaults, static_cast<EmbedOptions&>(options));
  take_text(defaults, options, "pooling", "default", options.pooling);
  const Value* size = find(defaults, options.options, "image_size");
  if (size != nullptr && (!options.image_size || options.options.contains("image_size")))
    options.image_size = std::get<std::int64_t>(*size);
  options.options.erase("image_size");
}

}  // namespace vecframe::session
