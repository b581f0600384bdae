#include "session/known_models.h"

#include <array>

namespace vecframe::session {
namespace {

// Facts from their public model cards.
constexpr std::array kKnownModels{
    KnownModel{"openai/clip-vit-base-patch32", "clip", 512, "MIT", 87'849'216, 8.8},
    KnownModel{"openai/clip-vit-base-patch16", "clip", 512, "MIT", 86'192'640, 35.1},
    KnownModel{"openai/clip-vit-large-patch14", "clip", 768, "MIT", 303'966'208, 162.0},
    KnownModel{"facebook/dinov2-small", "dinov2", 384, "Apache-2.0", 22'056'576, 12.3},
    KnownModel{"facebook/dinov2-base", "dinov2", 768, "Apache-2.0", 86'580'480, 46.3},
    KnownModel{"facebook/dinov2-large", "dinov2", 1024, "Apache-2.0", 304'368'640, 162.0},
    KnownModel{"facebook/dinov2-giant", "dinov2", 1536, "Apache-2.0", 1'136'480'768, 598.8},
    KnownModel{"facebook/dinov2-with-registers-base", "dinov2-with-registers", 768, "Apache-2.0",
               86'583'552, 47.1},
    KnownModel{"facebook/dinov3-vits16-pretrain-lvd1689m", "dinov3", 384, "dinov3-license",
               21'596'544, 9.4},
    KnownModel{"facebook/dinov3-vitb16-pretrain-lvd1689m", "dinov3", 768, "dinov3-license",
               85'660'416, 35.9},
    KnownModel{"google/siglip-base-patch16-224", "siglip", 768, "Apache-2.0", 92'884'224, 35.4},
    KnownModel{"google/siglip-so400m-patch14-384", "siglip", 1152, "Apache-2.0", 428'225'600,
               670.4},
    KnownModel{"google/siglip2-base-patch16-224", "siglip", 768, "Apache-2.0", 92'884'224, 35.4},
    KnownModel{"google/siglip2-so400m-patch16-384", "siglip", 1152, "Apache-2.0", 428'256'704,
               518.9},
    KnownModel{"google/siglip2-base-patch16-naflex", "siglip2", 768, "Apache-2.0", 92'930'304,
               46.8},
    KnownModel{"google/siglip2-so400m-patch16-naflex", "siglip2", 1152, "Apache-2.0", 427'888'064,
               220.5},
    KnownModel{"apple/aimv2-large-patch14-224", "aimv2", 1024, "apple-amlr", 309'197'824, 164.6},
    KnownModel{"apple/aimv2-large-patch14-224-lit", "aimv2", 768, "apple-amlr", 313'132'032, 165.7},
    KnownModel{"google/vit-base-patch16-224-in21k", "vit", 768, "Apache-2.0", 86'389'248, 35.1},
    KnownModel{"microsoft/resnet-50", "resnet", 2048, "Apache-2.0", 23'561'152, 8.2},
    KnownModel{"facebook/convnext-tiny-224", "convnext", 768, "Apache-2.0", 27'820'128, 8.9},
};

}  // namespace

std::span<const KnownModel> known_models() { return kKnownModels; }

}  // namespace vecframe::session
