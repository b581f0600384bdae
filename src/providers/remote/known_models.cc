#include "providers/remote/known_models.h"

#include <algorithm>
#include <array>

namespace vecframe::providers {
namespace {

struct KnownModel {
  std::string_view name;
  std::int64_t dimension;
};

// From the models' own cards and configurations.
constexpr std::array kModels{
    KnownModel{"text-embedding-3-small", 1536},
    KnownModel{"text-embedding-3-large", 3072},
    KnownModel{"text-embedding-ada-002", 1536},
    KnownModel{"openai/clip-vit-base-patch32", 512},
    KnownModel{"openai/clip-vit-base-patch16", 512},
    KnownModel{"openai/clip-vit-large-patch14", 768},
    KnownModel{"openai/clip-vit-large-patch14-336", 768},
    KnownModel{"google/siglip-base-patch16-224", 768},
    KnownModel{"google/siglip-so400m-patch14-384", 1152},
    KnownModel{"google/siglip2-base-patch16-224", 768},
    KnownModel{"google/siglip2-so400m-patch16-384", 1152},
    KnownModel{"jinaai/jina-clip-v1", 768},
    KnownModel{"jinaai/jina-clip-v2", 1024},
    KnownModel{"nvidia/nvclip", 1024},
};

}  // namespace

std::optional<std::int64_t> known_dimension(std::string_view model) {
  const auto* it = std::find_if(kModels.begin(), kModels.end(),
                                [&](const KnownModel& known) { return known.name == model; });
  if (it == kModels.end()) return {};
  return it->dimension;
}

}  // namespace vecframe::providers
