#!/usr/bin/env bash
# Installs what the named package sets (tools/packages/*.txt) list, and the project's own .venv.
# Usage: tools/setup.sh SET...      Does nothing, quickly, when everything is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DEBIAN_FRONTEND=noninteractive PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
logs=build/logs
mkdir -p "$logs"

# Runs a command with its output in a log, which is shown only if the command fails.
quietly() {
  local log="$logs/$1.log"
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "setup: failed: $* (all of it: $log)" >&2
    exit 1
  fi
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for set in "$@"; do
  while read -r package; do
    is_installed "$package" || missing+=("$package")
  done < <(sed 's/#.*//; /^[[:space:]]*$/d' "tools/packages/$set.txt")
done

if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "setup: not root and no sudo: run as root: apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo --preserve-env=DEBIAN_FRONTEND)
  fi
  if ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; install the equivalents of: ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
  quietly apt-update "${as_root[@]}" apt-get -q -o Acquire::Retries=3 update
  quietly apt-install "${as_root[@]}" apt-get -q -y -o Acquire::Retries=3 install \
    --no-install-recommends "${missing[@]}"
fi

wanted="$(sha256sum tools/requirements.txt | cut -d' ' -f1)"
stamp=.venv/requirements.sha256
if [ ! -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "setup: installing the Python packages of tools/requirements.txt into .venv"
  [ -x .venv/bin/python ] || quietly venv /usr/bin/python3 -m venv .venv
  quietly pip .venv/bin/python -m pip install -q -r tools/requirements.txt
  echo "$wanted" >"$stamp"
fi
