// The GPUs that this process may use.
#pragma once

namespace vecframe::session {

/// Device files of NVIDIA's driver, as far as $CUDA_VISIBLE_DEVICES lets them be seen.
int count_gpus();

}  // namespace vecframe::session
