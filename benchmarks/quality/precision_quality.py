"""What a lower precision costs on real photographs: cosine to fp32, and how well neighbours share a class.

    precision_quality.py FOLDER MODEL...     FOLDER has one subfolder of photographs for each class

Prints a Markdown table. For each photograph the nearest others by cosine are looked up among all of them: "first" is how
often the nearest is of the same class, "precision at 5" what share of the five nearest is.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/bin/vecframe"
PRECISIONS = ["fp32", "bf16", "int8"]
NEIGHBOURS = 5


def vectors_of(folder: pathlib.Path, model: str, precision: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Unit vectors and the class of each, in the order of the files."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "vectors.parquet"
        subprocess.run([str(PROGRAM), "embed", str(folder), "-o", str(path), "--model", model, "--precision", precision,
                        "--on-error", "raise"], check=True, capture_output=True)
        table = pyarrow.parquet.read_table(path, columns=["path", "embedding"])
    vectors = numpy.array(table["embedding"].to_pylist(), numpy.float64)
    classes = numpy.array([pathlib.Path(name).parent.name for name in table["path"].to_pylist()])
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True), classes


def neighbours(vectors: numpy.ndarray) -> numpy.ndarray:
    scores = vectors @ vectors.T
    numpy.fill_diagonal(scores, -numpy.inf)
    return numpy.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    print("| model | precision | cosine to fp32, mean | least | first | precision at 5 | same first as fp32 |")
    print("|---|---|---|---|---|---|---|")
    for model in arguments.models:
        exact = first = None
        for precision in PRECISIONS:
            vectors, classes = vectors_of(arguments.folder, model, precision)
            nearest = neighbours(vectors)
            if exact is None:
                exact, first = vectors, nearest[:, 0]
            cosines = (exact * vectors).sum(axis=1)
            same = classes[nearest] == classes[:, None]
            print(f"| {pathlib.Path(model).name} | {precision} | {cosines.mean():.6f} | {cosines.min():.6f} | "
                  f"{same[:, 0].mean():.1%} | {same.mean():.1%} | {(nearest[:, 0] == first).mean():.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
