"""Measures the engine beside the machine's limit and its peers; writes results.{json,md} and charts into build/bench.

Parts (--only): kernels, model (images a second by batch), latency (single pictures and texts), prepare (decode and resize
alone), jobs (JPEG files to Parquet), start (process start to one vector, import). A part keeps what other parts measured
before. Peers run in build/peers, which is made when --peers asks for it; one that does not run here is named and skipped.
--quick takes a short look at the chosen parts; --smoke takes seconds in all and leaves the peers out.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

import charts
import model_only
import prepare_alone
import random_checkpoint
import whole_jobs
from engines import PEERS, ROOT, TEXT_PEERS, warn

sys.path.insert(0, str(ROOT / "benchmarks/peers"))
import environment  # noqa: E402  (lies beside the peers)

SCRATCH = ROOT / "build/bench"
CHECKPOINTS = SCRATCH / "checkpoints"
PARTS = ["kernels", "model", "latency", "prepare", "jobs", "start"]
JOB_IMAGES = {"photos": 1000, "one-percent-corrupt": 1000, "large": 200}
QUICK_IMAGES = {"photos": 40, "one-percent-corrupt": 100, "large": 8}


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def kernels(arguments: argparse.Namespace) -> tuple[dict, str]:
    path = SCRATCH / "products.json"
    pairs = ["1", "--rows", "50"] if arguments.smoke else ["1" if arguments.quick else "5"]
    command = [str(ROOT / "build/release/benchmarks/compute/product_benchmark"), "--threads", "1", "--thread-time", "--pairs",
               *pairs, "--json", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads(path.read_text())
    lines = [*result["notes"], "", "| kernel | share of the probe | GFLOP/s |", "|---|---|---|"]
    lines += [f"| {line['name']} | {'-' if 'GB/s' in line['name'] else format(line['share'], '.0%')} | {line['gflops']:.0f} |"
              for line in result["lines"]]
    return result, "\n".join(lines) + "\n"


def resizes(arguments: argparse.Namespace) -> tuple[dict, str]:
    command = [str(ROOT / "build/release/benchmarks/image/resize_benchmark"), "--benchmark_format=json",
               f"--benchmark_min_time={0.01 if arguments.smoke or arguments.quick else 0.2}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [{"name": one["name"], "microseconds": one["cpu_time"]} for one in json.loads(done.stdout)["benchmarks"]]
    table = ["| resize (width, height, to width, to height, resampler) | microseconds |", "|---|---|"]
    table += [f"| {line['name']} | {line['microseconds']:.0f} |" for line in lines]
    return {"lines": lines}, "\n".join(table) + "\n"


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
    if not folder.exists():
        subprocess.run(command + (["--large"] if kind == "large" else []), check=True, stdout=subprocess.DEVNULL)
    if kind == "photos":  # which the peers, too, can read to the end
        manifest = json.loads(folder.with_name(f"{folder.name}.json").read_text())
        for name, facts in manifest["files"].items():
            if "broken" in facts:
                (folder / name).unlink(missing_ok=True)
    return folder


class Results:
    """What was measured, by part; what earlier runs measured of other parts is kept."""

    def __init__(self, threads: int, folder: pathlib.Path) -> None:
        self._folder = folder
        self._facts = {"processor": processor(), "threads": threads}
        self._fresh: set[str] = set()
        path = folder / "results.json"
        self._parts: dict[str, dict] = json.loads(path.read_text())["parts"] if path.exists() else {}

    def add(self, part: str, result: dict, table: str) -> None:
        if part not in self._fresh:
            self._fresh.add(part)
            time = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
            self._parts[part] = {**self._facts, "time": time, "results": [], "tables": []}
        self._parts[part]["results"].append(result)
        self._parts[part]["tables"].append(table)
        (self._folder / "results.json").write_text(json.dumps({"parts": self._parts}, indent=1) + "\n")
        text = []
        for name in PARTS:
            if one := self._parts.get(name):
                text.append(f"## {name}\n\n{one['processor']}, {one['threads']} threads, {one['time']}\n")
                text += one["tables"]
                charts.draw(charts.charts_of(name, one["results"]), self._folder / f"{name}.svg")
                text.append(f"![{name}]({name}.svg)\n")
        (self._folder / "results.md").write_text("\n".join(text))
        print(table, flush=True)


def measure(arguments: argparse.Namespace, python: pathlib.Path | None) -> None:
    results = Results(arguments.threads, arguments.out)
    rounds, short = arguments.rounds, arguments.quick or arguments.smoke
    common = (arguments.precisions, python)
    if "kernels" in arguments.only:
        results.add("kernels", *kernels(arguments))
        results.add("kernels", *resizes(arguments))
    directories = models(arguments) if set(arguments.only) & {"model", "latency", "jobs", "start"} else []
    for model in directories if "model" in arguments.only else []:
        warn(f"model alone: {model.name}")
        result = model_only.measure(model, arguments.threads, arguments.batches, *common, peers_of(arguments, model, PEERS),
                                    rounds, arguments.seconds, arguments.cpu_time)
        results.add("model", result, model_only.markdown(result))
    for model in directories[:2] if "latency" in arguments.only else []:
        warn(f"one at a time: {model.name}")
        result = model_only.latencies(model, arguments.threads, *common, peers_of(arguments, model, PEERS), 20 if short else 200)
        results.add("latency", result, model_only.latency_markdown(result))
    if "latency" in arguments.only:
        towers = random_checkpoint.checkpoint(CHECKPOINTS, "clip-text-b")
        warn(f"one at a time: {towers.name}")
        result = model_only.latencies(towers, arguments.threads, *common, peers_of(arguments, towers, TEXT_PEERS),
                                      20 if short else 200, texts=True)
        results.add("latency", result, model_only.latency_markdown(result))
    images = QUICK_IMAGES if arguments.quick else JOB_IMAGES
    count = {kind: 20 if arguments.smoke else images[kind] for kind in arguments.folders}
    for kind in arguments.folders if "prepare" in arguments.only else []:
        if kind == "one-percent-corrupt" or (arguments.smoke and kind == "large"):
            continue
        folder = photo_folder(kind, min(count[kind], 40) if kind == "large" else count[kind])
        warn(f"prepare alone: {folder.name}")
        peers = [name for name in prepare_alone.PEERS if name in arguments.peer_names]
        result = prepare_alone.measure(folder, arguments.threads, python, peers, 1 if short else 5)
        results.add("prepare", result, prepare_alone.markdown(result))
    for kind in arguments.folders if "jobs" in arguments.only else []:
        if arguments.smoke and kind != "photos":
            continue  # large pictures take longer to make than all the rest
        folder = photo_folder(kind, count[kind])
        warn(f"files to Parquet: {folder.name}")
        # What the peers do with a broken file is to stop, or to lose its whole batch.
        peers = [] if kind == "one-percent-corrupt" else peers_of(arguments, directories[0], whole_jobs.PEERS)
        result = whole_jobs.measure(folder, directories[0], arguments.threads, *common, peers, rounds)
        results.add("jobs", result, whole_jobs.markdown(result))
    if "start" in arguments.only:
        picture = min(photo_folder("photos", 20).rglob("*.jpg"))
        result = whole_jobs.cold_start(picture, directories[:2], python, peers_of(arguments, directories[0], whole_jobs.PEERS),
                                       1 if short else 7)
        results.add("start", result, whole_jobs.cold_start_markdown(result))


def main() -> int:
    known_peers = list(dict.fromkeys([*PEERS, *whole_jobs.PEERS, *prepare_alone.PEERS]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    parser.add_argument("--models", nargs="+", choices=[*random_checkpoint.NAMES, "efficientnet-lite0"],
                        default=["clip-b32", "clip-b16", "clip-l14", "siglip-b16", "efficientnet-lite0"],
                        help="jobs run with the first, latency and start with the first two")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4, 16, 64])
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "bf16", "int8"], default=["fp32", "bf16", "int8"])
    parser.add_argument("--folders", nargs="+", choices=list(JOB_IMAGES), default=list(JOB_IMAGES), help="of jobs and prepare")
    parser.add_argument("--peers", action="store_true", help="measure the peers too")
    parser.add_argument("--peer-names", nargs="+", choices=known_peers, default=known_peers, help="which of them")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of work a round")
    parser.add_argument("--out", type=pathlib.Path, default=SCRATCH, help="where the results go; build/bench")
    parser.add_argument("--cpu-time", action="store_true",
                        help="models by processor time in place of the wall's: for a machine that others use too; with --threads 1")
    parser.add_argument("--quick", action="store_true", help="one round of little work: to see that a part runs")
    parser.add_argument("--smoke", action="store_true", help="seconds in all, the built-in model alone, without peers")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 0.2
    if arguments.smoke:
        arguments.models, arguments.batches, arguments.rounds, arguments.seconds = ["efficientnet-lite0"], [1, 2], 1, 0.1
        arguments.precisions, arguments.peers = ["fp32", "int8"], False
    SCRATCH.mkdir(parents=True, exist_ok=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    measure(arguments, environment.ensure() if arguments.peers else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
