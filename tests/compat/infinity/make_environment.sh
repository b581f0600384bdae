#!/usr/bin/env bash
# Makes an environment with the embeddings server infinity and a CPU torch, for the test of this folder.
# Usage: tests/compat/infinity/make_environment.sh [FOLDER]     (default: build/infinity; about 1.3 GB of downloads)
#
# A torch wheel that links CUDA libraries imports only where they are. TORCH_CPU_STUB may name a script that makes the
# environment's torch importable without them; without it, install the CUDA packages that torch asks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
folder="${1:-build/infinity}"
[ -x "$folder/bin/python" ] || /usr/bin/python3 -m venv "$folder"
"$folder/bin/python" -m pip install -q --no-deps -r tests/compat/infinity/requirements.txt
[ -z "${TORCH_CPU_STUB:-}" ] || "$folder/bin/python" "$TORCH_CPU_STUB"
"$folder/bin/python" -c 'import infinity_emb, torch; print("infinity", infinity_emb.__version__, "torch", torch.__version__)'
