// What SigLIP calls its tensors; SigLIP 2 kept the names.
#pragma once

#include "models/vit_tensors.h"

namespace vecframe::models {

VitNames siglip_names();

}  // namespace vecframe::models
