// The CPU backend: packed matrix products and fused epilogues, for the best instruction set of the
// machine it runs on. One stream is one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compute/backend.h"

namespace vecframe::backends::cpu {

struct CpuOptions {
  /// A name of available_isas(), or empty for the best. Tests force each in turn.
  std::string isa;
};

/// What this machine can run, best first: of "avx512-bf16" (which has the integer instructions too
/// where the machine does), "avx512-vnni", "avx512", "avx2", "sse4", "baseline".
std::vector<std::string> available_isas();

/// Throws RequestError if the machine does not have options.isa.
std::shared_ptr<compute::Backend> make_cpu_backend(const CpuOptions& options = {});

}  // namespace vecframe::backends::cpu
