#include "backends/cpu/bf16_kernels.h"

namespace vecframe::backends::cpu {

const Bf16Kernels* bf16_kernels() { return nullptr; }

}  // namespace vecframe::backends::cpu
