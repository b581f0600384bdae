"""Preparing pictures without a model: the engine beside what libjpeg-turbo and the resize allow, and the peers."""

import json
import pathlib
import subprocess

from engines import ROOT, warn

OWN = ROOT / "build/release/benchmarks/image/prepare_rates"
PEER = ROOT / "benchmarks/peers/prepare_peer.py"
PEERS = ["pillow", "torchvision", "transformers", "daft"]
TIMEOUT = 150  # seconds


def output_of(name: str, command: list[str]) -> dict | None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        warn(f"skipped: {name} did not finish within {TIMEOUT} s")
        return None
    if done.returncode != 0:
        warn(f"skipped: {name} ended with {done.returncode}: {' '.join(done.stderr.strip().splitlines()[-1:])[:200]}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(folder: pathlib.Path, threads: int, python: pathlib.Path | None, peers: list[str], rounds: int) -> dict:
    own = output_of("prepare_rates", [str(OWN), str(folder), str(threads), str(rounds)])
    if own is None:
        raise SystemExit("bench: prepare_rates does not run")
    lines = [{"engine": "vecframe", "images_per_second": own["images_per_second"]}]
    absent = []
    for name in peers if python else []:
        found = output_of(f"peer {name}", [str(python), str(PEER), name, str(folder), str(threads), str(rounds)])
        if found:
            lines.append({"engine": name, **found})
        else:
            absent.append(name)
    return {"folder": folder.name, "threads": threads, "own": own, "lines": lines, "absent": absent}


def markdown(result: dict) -> str:
    own = result["own"]
    lines = [f"**{result['folder']}**, decode, resize and crop to 224, {result['threads']} threads. Milliseconds an image and core: "
             f"libjpeg-turbo alone {own['decode_ms']:.2f}, resize {own['resize_ms']:.2f}, both by the executor {own['prepare_ms']:.2f}: "
             f"{own['share']:.0%} of what the two allow.", "",
             "| engine | images/s | vecframe is |", "|---|---|---|"]
    lines += [f"| {line['engine']} | {line['images_per_second']:.0f} | {own['images_per_second'] / line['images_per_second']:.1f} times |"
              for line in result["lines"]]
    lines += [f"\n{name}: not run" for name in result["absent"]]
    return "\n".join(lines) + "\n"
