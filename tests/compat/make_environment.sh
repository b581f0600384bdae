#!/usr/bin/env bash
# Makes an environment with the reference dataframe (daft), transformers and a CPU torch, for the comparisons of this folder.
# Usage: tests/compat/make_environment.sh [FOLDER]     (default: build/compat; about 3 GB of downloads)
#
# A torch wheel that links CUDA libraries imports only where they are. TORCH_CPU_STUB may name a script that makes the
# environment's torch importable without them; without it, install the CUDA packages that torch asks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder="${1:-build/compat}"
[ -x "$folder/bin/python" ] || /usr/bin/python3 -m venv "$folder"
"$folder/bin/python" -m pip install -q -r tests/compat/requirements.txt
"$folder/bin/python" -m pip install -q --no-deps torch==2.15.0 torchvision==0.29.2
[ -z "${TORCH_CPU_STUB:-}" ] || "$folder/bin/python" "$TORCH_CPU_STUB"
"$folder/bin/python" -c 'import daft, torch, torchvision, transformers; print("daft", daft.__version__, "torch", torch.__version__)'
