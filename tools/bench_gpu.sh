#!/usr/bin/env bash
# Model-only images/s on the GPU of this machine as a share of its measured rate of matrix products, and, where torch is
# installed, the same towers in torch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/build_gpu.sh
build/gpu/bin/gpu_benchmark "$@"
if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
  python3 benchmarks/compute/torch_towers.py
else
  echo "torch: not installed, or without this GPU: not measured"
fi
