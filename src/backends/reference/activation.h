#pragma once

#include "compute/types.h"

namespace vecframe::backends::reference {

double activate(compute::Activation activation, double x);

}  // namespace vecframe::backends::reference
