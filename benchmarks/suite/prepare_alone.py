"""Preparing pictures without a model: the engine beside what libjpeg-turbo and the resize allow, and the peers."""

import pathlib

from engines import ROOT, output_of

OWN = ROOT / "build/release/benchmarks/image/prepare_rates"
PEER = ROOT / "benchmarks/peers/prepare_peer.py"
PEERS = ["pillow", "torchvision", "transformers", "daft"]
TIMEOUT = 150  # seconds


def measure(folder: pathlib.Path, threads: int, python: pathlib.Path | None, peers: list[str], rounds: int) -> dict:
    own = output_of("prepare_rates", [str(OWN), str(folder), str(threads), str(rounds)], TIMEOUT)
    if own is None:
        raise SystemExit("bench: prepare_rates does not run")
    lines = [{"engine": "vecframe", "images_per_second": own["images_per_second"]}]
    absent = []
    for name in peers if python else []:
        found = output_of(f"peer {name}", [str(python), str(PEER), name, str(folder), str(threads), str(rounds)], TIMEOUT)
        if found:
            lines.append({"engine": name, **found})
        else:
            absent.append(name)
    return {"folder": folder.name, "threads": threads, "own": own, "lines": lines, "absent": absent}


def markdown(result: dict) -> str:
    own = result["own"]
    lines = [f"**{result['folder']}**, decode, resize and crop to 224, {result['threads']} threads. Milliseconds an image and core: "
             f"libjpeg-turbo alone {own['decode_ms']:.2f}, resize {own['resize_ms']:.2f}, both by the executor {own['prepare_ms']:.2f}: "
             f"{own['share']:.0%} of what the two allow; with fast_decode {own['fast_ms']:.2f}.", "",
             "| engine | images/s | vecframe is |", "|---|---|---|"]
    lines += [f"| {line['engine']} | {line['images_per_second']:.0f} | {own['images_per_second'] / line['images_per_second']:.1f} times |"
              for line in result["lines"]]
    lines += [f"\n{name}: not run" for name in result["absent"]]
    return "\n".join(lines) + "\n"
