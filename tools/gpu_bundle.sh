#!/usr/bin/env bash
# Fills build/gpu-bundle with what the GPU subset needs of the installed Debian packages, so that it builds where there
# is no network: headers, two small libraries, and the sources of GoogleTest. The folder is ignored by git.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bundle=build/gpu-bundle
libraries="$(gcc -print-file-name=libutf8proc.a)"
libraries="$(dirname "$libraries")"
rm -rf "$bundle"
mkdir -p "$bundle/include" "$bundle/lib"
cp -r /usr/include/fmt /usr/include/nlohmann /usr/include/hwy "$bundle/include/"
cp /usr/include/xxhash.h /usr/include/xxh3.h /usr/include/utf8proc.h "$bundle/include/"
cp -L "$libraries/libhwy.so.1" "$libraries/libutf8proc.a" "$bundle/lib/"
mkdir -p "$bundle/googletest/googletest" "$bundle/googletest/googlemock"
for part in googletest googlemock; do
  cp -r "/usr/src/googletest/$part/include" "/usr/src/googletest/$part/src" "$bundle/googletest/$part/"
done
kib="$(du -sk "$bundle" | cut -f1)"
echo "gpu-bundle: $bundle, $kib KiB"
if [ "$kib" -gt $((50 * 1024)) ]; then
  echo "gpu-bundle: more than 50 MiB" >&2
  exit 1
fi
