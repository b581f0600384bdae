// How fast this core multiplies and adds when nothing but registers is involved: the limit that
// every matrix product is measured against.
#pragma once

#include <string>

#include "compute/clock.h"
#include "tensor/dtype.h"

namespace vecframe::benchmarks {

/// Runs about `milliseconds` on the calling thread; GFLOP/s of the widest instructions that
/// instruction set `isa` (as the CPU backend names it) has for this precision.
double fma_probe(const std::string& isa, tensor::Precision precision, double milliseconds,
                 ClockKind clock);

}  // namespace vecframe::benchmarks
