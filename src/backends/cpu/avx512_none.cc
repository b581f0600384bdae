#include "backends/cpu/bf16_kernels.h"
#include "backends/cpu/int8_kernels.h"

namespace vecframe::backends::cpu {

const Bf16Kernels* bf16_kernels() { return nullptr; }
const Int8Kernels* int8_kernels() { return nullptr; }

}  // namespace vecframe::backends::cpu
