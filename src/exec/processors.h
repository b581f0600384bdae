// How many processors this process may use.
#pragma once

#include <memory>

#include "base/core_share.h"

namespace vecframe::exec {

/// At least 1: the processors of the affinity mask, fewer if a control group caps processor time.
int usable_processors();

/// As many of them as there are workers, for these.
std::shared_ptr<CoreShare> share_processors(int workers);

}  // namespace vecframe::exec
