"""Measures the main job: decode + prepare alone, the model alone, and both end to end, beside the machine's limit.

Rounds interleave the three and an fma probe on the same cores; what is printed are medians of the rounds' ratios,
because the clock of a shared machine wanders more than the code does. Writes build/bench/end_to_end.{json,md}.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/bin/vecframe"
STAGES = ROOT / "build/release/benchmarks/stage_rates"
OUT = ROOT / "build/bench"
BUILTIN = "builtin:efficientnet-lite0"


def model_directory(model: str) -> pathlib.Path:
    if model.startswith("builtin:"):
        cache = pathlib.Path(os.environ.get("VECFRAME_CACHE") or pathlib.Path.home() / ".cache/vecframe")
        return cache / "builtin" / model.removeprefix("builtin:")
    return pathlib.Path(model)


def output_of(command: list[str]) -> dict:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def measure(folder: pathlib.Path, model: str, threads: int, precision: str) -> dict:
    """One round."""
    stages = output_of([str(STAGES), str(folder), str(model_directory(model)), str(threads), precision])
    whole = output_of([str(PROGRAM), "embed", str(folder), "-o", str(OUT / "out.parquet"), "--model", model, "--threads",
                       str(threads), "--precision", precision, "--on-error", "ignore", "--overwrite", "--json"])
    probe = statistics.median(stages["probe_gflops"])
    prepare, model_rate = stages["prepare_images_per_second"], stages["model_images_per_second"]
    end_to_end = whole["ok"] / whole["seconds"]
    # The same cores do both in turn, so the times of an image add up.
    both = 1 / (1 / prepare + 1 / model_rate)
    return {
        "probe_gflops": probe,
        "prepare_images_per_second": prepare,
        "model_images_per_second": model_rate,
        "end_to_end_images_per_second": end_to_end,
        "model_share_of_probe": model_rate * stages["flops_per_image"] / 1e9 / probe,
        "end_to_end_share_of_stages": end_to_end / both,
        "device": stages["device"],
        "process_peak_mib": whole["memory"]["process_peak"] / 2**20,
    }


def markdown(result: dict) -> str:
    median = result["median"]
    rows = [
        ("fma probe", f"{median['probe_gflops']:.0f} GFLOP/s", ""),
        ("decode + prepare alone", f"{median['prepare_images_per_second']:.1f} images/s", ""),
        ("model alone, batch 16", f"{median['model_images_per_second']:.1f} images/s",
         f"{median['model_share_of_probe']:.1%} of the probe"),
        ("end to end", f"{median['end_to_end_images_per_second']:.1f} images/s",
         f"{median['end_to_end_share_of_stages']:.1%} of what the two stages allow on these cores"),
        ("peak memory", f"{median['process_peak_mib']:.0f} MiB", ""),
    ]
    lines = [f"{result['model']}, {result['precision']}, {result['threads']} threads, {result['processor']}, "
             f"{result['device']}, median of {len(result['rounds'])} rounds", "", "| | | |", "|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=BUILTIN, help="builtin:NAME or a directory")
    parser.add_argument("--folder", type=pathlib.Path, help="images; by default 1000 JPEGs made for the purpose")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    OUT.mkdir(parents=True, exist_ok=True)
    folder = arguments.folder
    if folder is None:
        folder = ROOT / "build/test-data/bench-1000"
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(ROOT / "tools/make_photo_folder.py"), str(folder)], check=True)
    rounds = []
    for index in range(arguments.rounds):
        print(f"bench: round {index + 1} of {arguments.rounds}", file=sys.stderr)
        rounds.append(measure(folder, arguments.model, arguments.threads, arguments.precision))
    numbers = [key for key, value in rounds[0].items() if isinstance(value, float)]
    result = {
        "model": arguments.model,
        "precision": arguments.precision,
        "threads": arguments.threads,
        "processor": processor(),
        "device": rounds[0]["device"],
        "median": {key: statistics.median(one[key] for one in rounds) for key in numbers},
        "rounds": rounds,
    }
    table = markdown(result)
    (OUT / "end_to_end.json").write_text(json.dumps(result, indent=1) + "\n")
    (OUT / "end_to_end.md").write_text(table)
    print(table, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
