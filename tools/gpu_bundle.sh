#!/usr/bin/env bash
# Fills build/gpu-bundle with what the GPU subset needs of the installed Debian packages, so that it builds where there
# is no network: headers, libraries with all that they need themselves, the sources of GoogleTest, and of the CUDA toolkit
# what a machine with nvcc alone may lack. The folder is ignored by git.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bundle=build/gpu-bundle
multiarch="$(gcc -print-multiarch)"
libraries="/usr/lib/$multiarch"
rm -rf "$bundle"
mkdir -p "$bundle/include" "$bundle/lib"
cp -r /usr/include/fmt /usr/include/nlohmann /usr/include/hwy /usr/include/webp "$bundle/include/"
for header in xxhash xxh3 utf8proc jpeglib jmorecfg jerror png pngconf pnglibconf zlib zconf gif_lib \
  "$multiarch/jconfig" "$multiarch/tiff" "$multiarch/tiffconf" "$multiarch/tiffio" "$multiarch/tiffvers"; do
  cp -L "/usr/include/$header.h" "$bundle/include/"
done
cp -L "$libraries/libutf8proc.a" "$bundle/lib/"
for name in hwy jpeg png16 z tiff gif webp webpdemux; do
  real="$(readlink -f "$libraries/lib$name.so")"
  soname="$(objdump -p "$real" | sed -n 's/ *SONAME *//p')"
  cp "$real" "$bundle/lib/$soname"
  # What it needs, but for the C and C++ libraries, which every machine with a compiler has.
  ldd "$real" | awk '$3 ~ /^\// {print $3}' | { grep -vE '/(libc|libm|libgcc_s|libstdc\+\+)\.so' || true; } |
    while read -r needed; do cp -nL "$needed" "$bundle/lib/"; done
done
mkdir -p "$bundle/googletest/googletest" "$bundle/googletest/googlemock"
for part in googletest googlemock; do
  cp -r "/usr/src/googletest/$part/include" "/usr/src/googletest/$part/src" "$bundle/googletest/$part/"
done
cuda="$(readlink -f "${CUDA_HOME:-/usr/local/cuda}")"
if [ -f "$cuda/include/cublasLt.h" ]; then
  mkdir -p "$bundle/cuda/include" "$bundle/cuda/lib"
  # What the sources of the backend include that nvcc does not compile.
  printf '#include <cublasLt.h>\n#include <cuda_runtime_api.h>\n' | g++ -x c++ -M -I "$cuda/include" - |
    grep -oE "$cuda/include/[^ \\]+" | while read -r header; do
      install -D -m 644 "$header" "$bundle/cuda/include/${header#"$cuda/include/"}"
    done
  cp -L "$cuda/lib64/libcudart_static.a" "$bundle/cuda/lib/"
fi
kib="$(du -sk "$bundle" | cut -f1)"
echo "gpu-bundle: $bundle, $kib KiB"
if [ "$kib" -gt $((50 * 1024)) ]; then
  echo "gpu-bundle: more than 50 MiB" >&2
  exit 1
fi
