#!/usr/bin/env bash
# Builds the release preset, puts the command line at build/bin/vecframe, makes the Python package
# importable from .venv, and fetches and converts the built-in weights.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

if [ ! -f build/release/build.ninja ]; then
  echo "build: configuring build/release"
  cmake --preset release >/dev/null
fi
echo "build: compiling build/release"
NINJA_STATUS="[%f/%t] " cmake --build build/release -- --quiet

mkdir -p build/bin
ln -sfn ../release/bin/vecframe build/bin/vecframe

# A line in a .pth file makes the package that CMake assembles importable, without copying it.
site="$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')"
echo "$PWD/build/release/python" >"$site/vecframe_build.pth"

tools/fetch_weights.sh
