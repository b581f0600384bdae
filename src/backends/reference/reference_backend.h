// The reference backend: plain loops that read like the papers, sums in double. It defines what
// every call of compute/backend.h means, and is the oracle of the tests of all other backends.
#pragma once

#include <memory>

#include "compute/backend.h"

namespace vecframe::backends::reference {

std::shared_ptr<compute::Backend> make_reference_backend();

}  // namespace vecframe::backends::reference
