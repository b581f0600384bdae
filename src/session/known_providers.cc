#include "session/known_providers.h"

#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <array>

#include "providers/remote/openai_provider.h"
#include "session/local_models.h"

namespace vecframe::session {
namespace {

std::shared_ptr<const Provider> make_openai(const OptionValues& options) {
  return std::make_shared<providers::OpenAiProvider>(options);
}

constexpr std::array kKnownProviders{
    KnownProvider{"transformers", local_options,
                  [](const OptionValues& options) { return make_local("transformers", options); }},
    KnownProvider{"builtin", local_options,
                  [](const OptionValues& options) { return make_local("builtin", options); }},
    KnownProvider{"openai", providers::openai_options, make_openai},
};

}  // namespace

std::span<const KnownProvider> known_providers() { return kKnownProviders; }

const KnownProvider* find_known(const std::string& name) {
  for (const KnownProvider& known : kKnownProviders)
    if (name == known.name) return &known;
  return nullptr;
}

void refuse_provider(const std::string& name) {
  std::vector<std::string> names;
  std::string listed;
  for (const KnownProvider& known : kKnownProviders) {
    names.emplace_back(known.name);
    listed += (listed.empty() ? "" : ", ") + names.back();
  }
  const std::string nearest = nearest_name(name, names);
  throw RequestError(
      "Provider '" + name + "' is not yet supported." +
      (nearest.empty() ? " There are: " + listed : " Did you mean '" + nearest + "'?"));
}

}  // namespace vecframe::session
