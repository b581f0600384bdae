"""Providers in programs of their own, and in the documentation's."""

import pathlib
import re
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, sys, time
import vecframe as vf
from vecframe.functions import embed_text

class Embedder:
    def embed_text(self, texts):
        print("running", flush=True)
        if sys.argv[1] == "sync":
            time.sleep(0.2)
            return [[1.0]] * len(texts)
        return self.wait(texts)
    async def wait(self, texts):
        await asyncio.sleep(3600)

class Descriptor:
    def get_provider(self): return "mine"
    def get_model(self): return "m"
    def get_options(self): return {"batch_size": 1}
    def get_dimensions(self): return 1
    def is_async(self): return sys.argv[1] == "async"
    def instantiate(self): return Embedder()

class Mine(vf.Provider):
    name = "mine"
    def get_text_embedder(self, model=None, **options): return Descriptor()

df = vf.from_pydict({"t": [str(i) for i in range(100000)]})
try:
    df.with_column("e", embed_text(vf.col("t"), provider=Mine())).to_arrow()
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(0)
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_ctrl_c_ends_a_run_of_a_provider_in_main(kind):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and output.splitlines()[-1] == "stopped"


def test_a_script_with_a_provider_ends_without_a_word():
    definitions = PROGRAM.partition("df = ")[0]
    script = definitions + 'df = vf.from_pydict({"t": ["a"]}).with_column("e", embed_text(vf.col("t"), provider=Mine()))\ndf.to_arrow()\n'
    done = subprocess.run([sys.executable, "-c", script, "sync"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("running\n", "")


def test_the_page_of_providers_runs():
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
    assert len(blocks) == 3
    names = {}
    for block in blocks:
        exec(compile(block, "docs/providers.md", "exec"), names)
    names.clear()  # as the end of a program does: dataframes hold providers, whose functions hold these names
