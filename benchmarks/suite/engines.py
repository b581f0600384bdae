"""Programs that are measured: started once and asked many times, or run once; one JSON object an answer."""

import json
import pathlib
import subprocess
import sys
from typing import Self

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN_SERVER = ROOT / "build/release/benchmarks/model_server"
TEXT_LATENCY = ROOT / "benchmarks/peers/text_latency.py"
MODEL_PEER = ROOT / "benchmarks/peers/model_peer.py"
EXPORTS = ROOT / "build/bench/exports"
PEERS = ["torch", "torch-bf16", "torch-compiled", "onnxruntime", "onnxruntime-int8", "openvino"]
TEXT_PEERS = ["torch", "torch-bf16"]


class Absent(Exception):
    """An engine that does not run here; the text says why."""


class Engine:
    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        log = ROOT / "build/bench" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.facts = self._answer()

    def ask(self, *words: object) -> dict:
        assert self._process.stdin
        self._process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            last = self._log.read_text().strip().splitlines()[-1:]
            raise Absent(f"{self.name} ended with {self._process.returncode}: {' '.join(last)[:200]}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def own(model: pathlib.Path, threads: int, precision: str) -> Engine:
    return Engine(f"vecframe {precision}", [str(OWN_SERVER), str(model), str(threads), precision])


def peer(python: pathlib.Path, engine: str, model: pathlib.Path, threads: int) -> Engine:
    return Engine(engine, [str(python), str(MODEL_PEER), engine, str(model), str(threads), str(EXPORTS)])


def own_texts(model: pathlib.Path, threads: int, precision: str) -> Engine:
    return Engine(f"vecframe {precision}", [sys.executable, str(TEXT_LATENCY), precision, str(model), str(threads)])


def text_peer(python: pathlib.Path, engine: str, model: pathlib.Path, threads: int) -> Engine:
    return Engine(engine, [str(python), str(TEXT_LATENCY), engine, str(model), str(threads)])


def warn(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def output_of(name: str, command: list[str], timeout: float) -> dict | None:
    """What the program printed, or nothing if it did not run here. Peers print other things before it."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        warn(f"skipped: {name} did not finish within {timeout} s")
        return None
    if done.returncode != 0:
        warn(f"skipped: {name} ended with {done.returncode}: {' '.join(done.stderr.strip().splitlines()[-1:])[:200]}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1] if name.startswith("peer") else done.stdout)
