#!/usr/bin/env bash
# Embeds real photographs with the built-in model and shows what came out. See `make demo`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stamps="${VECFRAME_STAMPS:-/usr/share/tuxpaint/stamps}"
if [ ! -d "$stamps" ]; then
  echo "demo: no photographs in $stamps: run tools/setup.sh demo" >&2
  exit 1
fi
# Folders of the package that hold photographs; drawings are in others.
photographs=()
for folder in animals/birds animals/fish animals/mammals animals/mammals/bovines animals/mammals/equines \
  animals/mammals/rodents food/fruit food/vegetables plants/flowers hobbies/music/string military/vehicles; do
  photographs+=("$stamps/$folder/*.png")
done
# One file that is no picture, to show that it fails alone.
mkdir -p build/demo
printf 'This is a letter, not a picture.\n' >build/demo/letter.png

echo "demo: embedding photographs of $stamps with builtin:efficientnet-lite0"
build/bin/vecframe embed "${photographs[@]}" build/demo/letter.png -o build/demo/photos.parquet \
  --model builtin:efficientnet-lite0 --on-error log --overwrite
echo
build/bin/vecframe inspect build/demo/photos.parquet --queries 6 --neighbours 3
echo
echo "demo: the vectors are in build/demo/photos.parquet; from Python:"
echo "  .venv/bin/python -c 'import pyarrow.parquet as pq; print(pq.read_table(\"build/demo/photos.parquet\"))'"
