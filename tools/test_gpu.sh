#!/usr/bin/env bash
# The contract and golden suites on the GPU of this machine, and the same on the host's emulation. With --host the
# emulation alone, for a machine without a GPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/build_gpu.sh
filter='*cuda_host*'
if [ "${1:-}" != "--host" ]; then
  build/gpu/bin/gpu_benchmark --list  # fails, and says what was found, where there is no device
  filter='*cuda*'
fi
status=0
for suite in contract golden backends compute; do
  echo "== $suite"
  [ "$suite" = contract ] || [ "$suite" = golden ] && only="--gtest_filter=$filter" || only=""
  "build/gpu/tests/$suite/${suite}_tests" --gtest_brief=1 $only || status=1
done
exit $status
