"""Whole jobs in processes of their own: JPEG files to Parquet, the way from process start to a first vector, imports."""

import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from engines import EXPORTS, MODEL_PEER, ROOT, output_of

PROGRAM = ROOT / "build/bin/vecframe"
JOB_PEER = ROOT / "benchmarks/peers/job_peer.py"
STAGES = ROOT / "build/release/benchmarks/stage_rates"
OUT = ROOT / "build/bench/out"
PEERS = ["torch", "daft", "fastembed", "ray"]
TIMEOUT = 600  # seconds


def clear_output() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)


def own_stages(folder: pathlib.Path, model: pathlib.Path, threads: int, precision: str) -> float:
    """Images a second that decoding and the model allow on these cores, each measured alone: their times add up."""
    rates = output_of(f"stages {precision}", [str(STAGES), str(folder), str(model), str(threads), precision], TIMEOUT)
    if rates is None:
        raise SystemExit("bench: stage_rates does not run")
    return 1 / (1 / rates["prepare_images_per_second"] + 1 / rates["model_images_per_second"])


def own_job(folder: pathlib.Path, model: pathlib.Path | str, threads: int, precision: str) -> dict | None:
    clear_output()
    begun = time.monotonic()
    report = output_of(f"vecframe {precision}", [
        str(PROGRAM), "embed", str(folder), "-o", str(OUT / "own.parquet"), "--model", str(model), "--precision", precision,
        "--threads", str(threads), "--on-error", "ignore", "--overwrite", "--json"], TIMEOUT)
    if report is None:
        return None
    return {"images": report["rows"], "failed": report["failed"], "seconds": report["seconds"],
            "total_seconds": time.monotonic() - begun, "peak_mib": report["memory"]["process_peak"] / 2**20}


def peer_job(python: pathlib.Path, engine: str, folder: pathlib.Path, model: pathlib.Path) -> dict | None:
    clear_output()
    return output_of(f"peer {engine}", [str(python), str(JOB_PEER), engine, str(model), str(folder),
                                        str(OUT / "peer.parquet"), str(EXPORTS)], TIMEOUT)


def measure(folder: pathlib.Path, model: pathlib.Path, threads: int, precisions: list[str], python: pathlib.Path | None,
            peers: list[str], rounds: int) -> dict:
    """Medians of rounds in turns. A peer that has failed once is not asked again."""
    results: dict[str, list[dict]] = {}
    gone: set[str] = set()
    if python and "fastembed" in peers:  # which runs the graph that the peers of the model alone make
        subprocess.run([str(python), str(MODEL_PEER), "export", str(model), str(threads), str(EXPORTS)], check=False,
                       capture_output=True)
    for _ in range(rounds):
        for precision in precisions:
            allowed = own_stages(folder, model, threads, precision)
            if result := own_job(folder, model, threads, precision):
                # Of the rows that came through, as the stages count them.
                share = (result["images"] - result["failed"]) / result["seconds"] / allowed
                results.setdefault(f"vecframe {precision}", []).append({**result, "share_of_stages": share})
        for name in peers if python else []:
            if name in gone:
                continue
            if result := peer_job(python, name, folder, model):
                results.setdefault(name, []).append(result)
            else:
                gone.add(name)
    lines = []
    for name, all_rounds in results.items():
        middle = {key: statistics.median(one[key] for one in all_rounds)
                  for key in ("images", "seconds", "total_seconds", "peak_mib")}
        line = {"engine": name, **middle, "images_per_second": middle["images"] / middle["seconds"]}
        if shares := [one["share_of_stages"] for one in all_rounds if "share_of_stages" in one]:
            line["share_of_stages"] = statistics.median(shares)
        lines.append(line)
    return {"folder": folder.name, "model": model.name, "lines": lines, "absent": sorted(gone)}


def markdown(result: dict) -> str:
    lines = [f"**{result['folder']}**, {result['model']}, files to Parquet", "",
             "| engine | images | images/s | of what decode and model allow | process start to end | peak memory |",
             "|---|---|---|---|---|---|"]
    for line in result["lines"]:
        share = f"{line['share_of_stages']:.0%}" if "share_of_stages" in line else "-"
        lines.append(f"| {line['engine']} | {line['images']:.0f} | {line['images_per_second']:.1f} | {share} | "
                     f"{line['total_seconds']:.1f} s | {line['peak_mib']:.0f} MiB |")
    lines += [f"\n{name}: not run" for name in result["absent"]]
    return "\n".join(lines) + "\n"


def seconds_of(command: list[str], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = time.monotonic()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        seconds.append(time.monotonic() - begun)
    return statistics.median(seconds)


def cold_start(picture: pathlib.Path, models: list[pathlib.Path], python: pathlib.Path | None, peers: list[str],
               rounds: int) -> dict:
    """Process start to one vector in a file, weights in the page cache; and what an import takes."""
    lines = []
    for model in models:
        clear_output()
        command = [str(PROGRAM), "embed", str(picture), "-o", str(OUT / "one.parquet"), "--model", str(model), "--overwrite"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)  # the page cache
        lines.append({"what": f"one vector, {model.name}", "seconds": seconds_of(command, rounds)})
    folder = OUT.parent / "one-picture"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(picture, folder / "one.jpg")
    for name in peers if python else []:
        found = [result for _ in range(min(rounds, 3)) if (result := peer_job(python, name, folder, models[0]))]
        if found:
            seconds = statistics.median(one["total_seconds"] for one in found)
            lines.append({"what": f"{name}, {models[0].name}", "seconds": seconds})
    bare, importing = ([sys.executable, "-c", code] for code in ("pass", "import vecframe"))
    lines.append({"what": "import vecframe", "seconds": seconds_of(importing, rounds) - seconds_of(bare, rounds)})
    return {"lines": lines}


def cold_start_markdown(result: dict) -> str:
    lines = ["| from process start | seconds |", "|---|---|"]
    return "\n".join(lines + [f"| {line['what']} | {line['seconds']:.3f} |" for line in result["lines"]]) + "\n"
