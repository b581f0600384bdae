#!/usr/bin/env bash
# On the GPU of this machine: images/s of models alone as a share of the measured rate of matrix products, and from JPEG
# files with the share of time that the GPU is busy; where torch is installed, the same towers in torch. Every step has a
# time limit, all together about five minutes. With --host a dry run of the steps on the host's emulation, whose
# figures mean nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/build_gpu.sh
results=build/gpu-results
mkdir -p "$results"
device=cuda
pictures=8192
options=(--limit 80 --json "$results/models.json")
if [ "${1:-}" = "--host" ]; then
  device=cpu
  pictures=32
  options+=(--small build/gpu/tests/modules/libvecframe_cuda_emulated.so)
fi
timeout 110 build/gpu/bin/gpu_benchmark "${options[@]}" | tee "$results/models.md"

# The first python3 on the path that has a package.
python_with() {
  local python
  while read -r python; do
    if "$python" -c "import $1" 2>/dev/null; then echo "$python"; return; fi
  done < <(type -ap python3)
}

python="$(python_with numpy)"
if [ -n "$python" ]; then
  echo
  echo "from JPEG files to vectors, $(nproc) cores (one JSON object a line):"
  for model in clip-b32 clip-l14; do
    "$python" -c "
import pathlib, sys
sys.path.insert(0, 'benchmarks/suite')
import random_checkpoint
print(random_checkpoint.checkpoint(pathlib.Path('build/gpu-models'), '$model'))" >/dev/null
    timeout 45 build/gpu/bin/gpu_pipeline "build/gpu-models/$model" bf16 "$device" "$pictures" "build/gpu-pictures-$pictures" |
      tee -a "$results/pipeline.jsonl" || echo "$model: not done within its limit, or failed"
  done
else
  echo "numpy: in no python3 here, so there are no weights for the way from JPEG files: not measured"
fi

[ "$device" = cuda ] || exit 0
python="$(python_with torch)"
if [ -n "$python" ] && "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
  timeout 90 "$python" benchmarks/compute/torch_towers.py | tee "$results/torch.md" || echo "torch: stopped at its limit"
else
  echo "torch: not installed, or without this GPU: not measured"
fi
