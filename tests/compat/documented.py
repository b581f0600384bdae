"""Runs documented_chain.py for either library, with nothing but its import lines changed."""

import json
import pathlib
import subprocess

SCRIPT = pathlib.Path(__file__).resolve().parent / "documented_chain.py"


def run_chain(python, library, folder, model, output):
    source = SCRIPT.read_text()
    if library != "daft":
        changed = source.replace("\nimport daft\n", f"\nimport {library} as daft\n")
        changed = changed.replace("\nfrom daft.functions import", f"\nfrom {library}.functions import")
        assert sum(a != b for a, b in zip(source.splitlines(), changed.splitlines(), strict=True)) == 2
        source = changed
    done = subprocess.run(
        [str(python), "-", str(folder), str(model), str(output)],
        input=source, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(pathlib.Path(output).read_text())
