"""What a lower precision, or fast_decode, costs on photographs: cosine to fp32, and how well neighbours share a class.

    precision_quality.py FOLDER MODEL...     FOLDER has one subfolder of photographs for each class
    precision_quality.py FOLDER MODEL... --fast-decode 3000

The second form enlarges the photographs to so many pixels across, with grain, and compares pictures that are decoded
reduced with those that are decoded whole, both in fp32.

Prints a Markdown table. For each photograph the nearest others by cosine are looked up among all of them: "first" is how
often the nearest is of the same class, "precision at 5" what share of the five nearest is.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import numpy
import pyarrow.parquet
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
from make_photo_folder import encode_jpeg, with_grain  # noqa: E402

PROGRAM = ROOT / "build/bin/vecframe"
PRECISIONS = {name: ["--precision", name] for name in ("fp32", "bf16", "int8")}
DECODING = {"fp32": [], "fp32, fast_decode": ["--fast-decode"]}
NEIGHBOURS = 5


def enlarge(folder: pathlib.Path, width: int, out: pathlib.Path) -> pathlib.Path:
    """The photographs as a camera of so many pixels across would have taken them, soft and with grain."""
    for index, path in enumerate(sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})):
        with Image.open(path) as picture:
            size = (width, round(picture.height * width / picture.width))
            large = with_grain(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS), index, strength=4.0)
        place = out / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_jpeg(large, quality=88, subsampling=2))
    return out


def vectors_of(folder: pathlib.Path, model: str, options: list[str]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Unit vectors and the class of each, in the order of the files."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "vectors.parquet"
        subprocess.run([str(PROGRAM), "embed", str(folder), "-o", str(path), "--model", model, *options,
                        "--on-error", "raise"], check=True, capture_output=True)
        table = pyarrow.parquet.read_table(path, columns=["path", "embedding"])
    vectors = numpy.array(table["embedding"].to_pylist(), numpy.float64)
    classes = numpy.array([pathlib.Path(name).parent.name for name in table["path"].to_pylist()])
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True), classes


def neighbours(vectors: numpy.ndarray) -> numpy.ndarray:
    scores = vectors @ vectors.T
    numpy.fill_diagonal(scores, -numpy.inf)
    return numpy.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]


def compare(folder: pathlib.Path, models: list[str], ways: dict[str, list[str]]) -> None:
    print("| model | | cosine to fp32, mean | least | first | precision at 5 | same first as fp32 |")
    print("|---|---|---|---|---|---|---|")
    for model in models:
        exact = first = None
        for name, options in ways.items():
            vectors, classes = vectors_of(folder, model, options)
            nearest = neighbours(vectors)
            if exact is None:
                exact, first = vectors, nearest[:, 0]
            cosines = (exact * vectors).sum(axis=1)
            same = classes[nearest] == classes[:, None]
            print(f"| {pathlib.Path(model).name} | {name} | {cosines.mean():.6f} | {cosines.min():.6f} | "
                  f"{same[:, 0].mean():.1%} | {same.mean():.1%} | {(nearest[:, 0] == first).mean():.1%} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--fast-decode", type=int, metavar="WIDTH", help="compare decodings, of photographs enlarged so far")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.folder
        if arguments.fast_decode:
            scratch = stack.enter_context(tempfile.TemporaryDirectory())
            folder = enlarge(folder, arguments.fast_decode, pathlib.Path(scratch))
        compare(folder, arguments.models, DECODING if arguments.fast_decode else PRECISIONS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
