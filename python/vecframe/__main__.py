"""`python -m vecframe` and the script `vecframe`: the command line that the package holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).parent / "bin" / "vecframe"
    if any("builtin" in word for word in sys.argv) or any(
        "builtin" in os.environ.get(name, "") for name in ("VECFRAME_MODEL", "VECFRAME_PROVIDER")
    ):
        from vecframe import _builtin_weights

        try:
            _builtin_weights.ensure()
        except (_builtin_weights.WeightsError, OSError):
            pass  # the program says what is missing if it turns out to need them
    try:
        os.execv(program, [str(program), *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"error: {program} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
