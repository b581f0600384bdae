#!/usr/bin/env bash
# Builds the GPU subset into build/gpu: engine, backends, contract and golden tests, the benchmarks. Needs a C++ compiler,
# CMake, nvcc and build/gpu-bundle (make gpu-bundle); no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ! -d build/gpu-bundle ]; then
  if [ -d /usr/src/googletest ] && [ -f /usr/include/hwy/highway.h ]; then
    tools/gpu_bundle.sh
  else
    echo "gpu: build/gpu-bundle is not here; run 'make gpu-bundle' on a machine with the project's Debian packages and copy it" >&2
    exit 1
  fi
fi
options=()
if ! command -v ninja >/dev/null; then options+=(-G "Unix Makefiles"); fi
# For the device at hand alone, where there is one: nvcc takes as long as all architectures together.
capability="$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d '. ' || true)"
if [[ "$capability" =~ ^[0-9]+$ ]] && [ "$capability" -ge 80 ]; then
  options+=("-DVECFRAME_CUDA_ARCHITECTURES=-gencode;arch=compute_$capability,code=sm_$capability")
fi
cmake --preset gpu "${options[@]}" >build/gpu-configure.log || { cat build/gpu-configure.log >&2; exit 1; }
grep "CUDA:" build/gpu-configure.log || true
cmake --build build/gpu --parallel "$(nproc)"
