// Headers from strangers: a file is read whole, refused with RequestError, or every tensor lies in
// it and can be widened.

#include <vecframe/error.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "models/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe;
  const std::span<const std::byte> file{reinterpret_cast<const std::byte*>(data), size};
  try {
    std::size_t total = 0;
    for (const models::TensorInfo& tensor : models::parse_safetensors(file, "fuzz")) {
      total += tensor.data.size();
      if (tensor.dtype != "F32" && tensor.dtype != "F16" && tensor.dtype != "BF16") continue;
      std::vector<float> values(static_cast<std::size_t>(tensor.count()));
      models::widen(tensor, values);
    }
    if (total > size) std::abort();
  } catch (const RequestError&) {
  }
  return 0;
}
