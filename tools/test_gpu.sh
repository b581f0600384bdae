#!/usr/bin/env bash
# The contract and golden suites on the GPU of this machine, and the same on the host's emulation. With --host the
# emulation alone, for a machine without a GPU; with --sanitize the contract suite under compute-sanitizer as well. Every
# suite has a time limit.
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
  timeout 180 "build/gpu/tests/$suite/${suite}_tests" --gtest_brief=1 $only || status=1
done
if [ "${1:-}" = "--sanitize" ]; then
  for tool in memcheck racecheck synccheck; do
    echo "== contract under compute-sanitizer: $tool"
    timeout 120 compute-sanitizer --tool "$tool" --error-exitcode 9 build/gpu/tests/contract/contract_tests \
      --gtest_brief=1 --gtest_filter='*Contract*/cuda:-*ThreadsChangeNoBit*' || status=1
  done
fi
exit $status
