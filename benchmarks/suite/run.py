"""Measures the engine beside the machine's limit and its peers; writes build/bench/results.{json,md}.

Sections: kernels, model (images a second by batch), latency (single pictures), job (JPEG files to Parquet), cold (process
start to one vector, import). Peers run in build/peers, which is made when --peers asks for it; one that does not run here
is named and skipped. --smoke takes seconds and leaves the peers out.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import model_only
import random_checkpoint
import whole_jobs
from engines import PEERS, ROOT, warn

sys.path.insert(0, str(ROOT / "benchmarks/peers"))
import environment  # noqa: E402  (lies beside the peers)

OUT = ROOT / "build/bench"
CHECKPOINTS = OUT / "checkpoints"
SECTIONS = ["kernels", "model", "latency", "job", "cold"]
JOB_IMAGES = {"photos": 500, "one-percent-corrupt": 500, "large": 40}


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def kernels(arguments: argparse.Namespace) -> tuple[dict, str]:
    path = OUT / "products.json"
    pairs = ["1", "--rows", "50"] if arguments.smoke else ["7"]
    command = [str(ROOT / "build/release/benchmarks/compute/product_benchmark"), "--threads", "1", "--thread-time", "--pairs",
               *pairs, "--json", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads(path.read_text())
    lines = [*result["notes"], "", "| product | share of the probe | GFLOP/s |", "|---|---|---|"]
    lines += [f"| {line['name']} | {line['share']:.0%} | {line['gflops']:.0f} |" for line in result["lines"]]
    return result, "\n".join(lines) + "\n"


def models(arguments: argparse.Namespace) -> list[pathlib.Path]:
    """The chosen models' directories: the built-in one's own, random weights for the others."""
    directories = []
    for name in arguments.models:
        if name == "efficientnet-lite0":
            cache = pathlib.Path(os.environ.get("VECFRAME_CACHE") or pathlib.Path.home() / ".cache/vecframe")
            directories.append(cache / "builtin" / name)
        else:
            directories.append(random_checkpoint.checkpoint(CHECKPOINTS, name))
    return directories


def peers_of(arguments: argparse.Namespace, model: pathlib.Path, known: list[str]) -> list[str]:
    # The export and the peers' own classes are those of transformers.
    return [] if model.name == "efficientnet-lite0" else [name for name in known if name in arguments.peer_names]


def photo_folder(kind: str, images: int) -> pathlib.Path:
    folder = ROOT / "build/test-data" / f"bench-{kind}-{images}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "tools/make_photo_folder.py"), str(folder), "--count", str(images)]
    subprocess.run(command + (["--large"] if kind == "large" else []), check=True, stdout=subprocess.DEVNULL)
    if kind == "photos":  # which the peers, too, can read to the end
        manifest = json.loads(folder.with_name(f"{folder.name}.json").read_text())
        for name, facts in manifest["files"].items():
            if "broken" in facts:
                (folder / name).unlink(missing_ok=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--models", nargs="+", choices=[*random_checkpoint.NAMES, "efficientnet-lite0"],
                        default=["clip-b32", "clip-b16", "clip-l14", "siglip-b16", "efficientnet-lite0"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4, 16, 64])
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "bf16", "int8"], default=["fp32", "bf16", "int8"])
    parser.add_argument("--peers", action="store_true", help="measure the peers too")
    parser.add_argument("--peer-names", nargs="+", default=[*PEERS, *whole_jobs.PEERS], help="which of them")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of work a round")
    parser.add_argument("--cpu-time", action="store_true",
                        help="models by processor time in place of the wall's: for a machine that others use too; with --threads 1")
    parser.add_argument("--smoke", action="store_true", help="seconds in all, to see that everything runs")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.models, arguments.batches, arguments.rounds, arguments.seconds = ["efficientnet-lite0"], [1, 2], 1, 0.1
        arguments.precisions, arguments.peers = ["fp32", "int8"], False

    OUT.mkdir(parents=True, exist_ok=True)
    python = environment.ensure() if arguments.peers else None
    results: dict = {"processor": processor(), "threads": arguments.threads}
    text = [f"{results['processor']}, {arguments.threads} threads\n"]

    def add(section: str, result: dict, table: str) -> None:
        results.setdefault(section, []).append(result)
        text.append(table)
        (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        (OUT / "results.md").write_text("\n".join(text))
        print(table, flush=True)

    common = (arguments.precisions, python)
    if "kernels" in arguments.sections:
        add("kernels", *kernels(arguments))
    directories = models(arguments)
    for model in directories if "model" in arguments.sections else []:
        warn(f"model alone: {model.name}")
        result = model_only.measure(model, arguments.threads, arguments.batches, *common, peers_of(arguments, model, PEERS),
                                    arguments.rounds, arguments.seconds, arguments.cpu_time)
        add("model", result, model_only.markdown(result))
    for model in directories[:2] if "latency" in arguments.sections else []:
        result = model_only.latencies(model, arguments.threads, *common, peers_of(arguments, model, PEERS),
                                      10 if arguments.smoke else 100)
        add("latency", result, model_only.latency_markdown(result))
    for kind, images in JOB_IMAGES.items() if "job" in arguments.sections else []:
        folder = photo_folder(kind, 20 if arguments.smoke else images)
        warn(f"files to Parquet: {folder.name}")
        # What the peers do with a broken file is to stop, or to lose its whole batch.
        peers = [] if kind == "one-percent-corrupt" else peers_of(arguments, directories[0], whole_jobs.PEERS)
        result = whole_jobs.measure(folder, directories[0], *common, peers, 1 if arguments.smoke else arguments.rounds)
        add("job", result, whole_jobs.markdown(result))
        if arguments.smoke:
            break  # large pictures take longer to make than all the rest
    if "cold" in arguments.sections:
        picture = min(photo_folder("photos", 20).rglob("*.jpg"))
        result = whole_jobs.cold_start(picture, directories[:2], 1 if arguments.smoke else 7)
        add("cold", result, whole_jobs.cold_start_markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
