#!/usr/bin/env bash
# Builds the GPU subset into build/gpu: engine, backends, contract and golden tests, the benchmark. Needs a C++ compiler,
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
generator=()
if ! command -v ninja >/dev/null; then generator=(-G "Unix Makefiles"); fi
cmake --preset gpu "${generator[@]}" >build/gpu-configure.log || { cat build/gpu-configure.log >&2; exit 1; }
grep "CUDA:" build/gpu-configure.log || true
cmake --build build/gpu --parallel "$(nproc)"
