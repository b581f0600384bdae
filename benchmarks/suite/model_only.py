"""The model alone, beside its peers: rounds go from engine to engine, each between two fma probes."""

import pathlib
import statistics

from engines import Absent, Engine, own, own_texts, peer, text_peer, warn


def start_all(model: pathlib.Path, threads: int, precisions: list[str], python: pathlib.Path | None, peers: list[str], *,
              texts: bool = False) -> tuple[list[Engine], dict[str, str]]:
    """The engines that run, and why the others do not."""
    running, absent = [], {}
    make_own, make_peer = (own_texts, text_peer) if texts else (own, peer)
    starts = [(f"vecframe {p}", lambda p=p: make_own(model, threads, p)) for p in precisions]
    if python:
        starts += [(name, lambda name=name: make_peer(python, name, model, threads)) for name in peers]
    for name, start in starts:
        try:
            running.append(start())
        except Absent as reason:
            absent[name] = str(reason)
            warn(f"skipped: {reason}")
    return running, absent


def measure(model: pathlib.Path, threads: int, batches: list[int], precisions: list[str], python: pathlib.Path | None,
            peers: list[str], rounds: int, seconds: float, cpu_time: bool) -> dict:
    """Images a second (of the wall or of processor time) and, to compare, per 100 GFLOP/s of the fp32 probe around them."""
    rate_key, probe_key = ("images_per_cpu_second", "gflops_of_cpu_second") if cpu_time else ("images_per_second", "gflops")
    engines, absent = start_all(model, threads, precisions, python, peers)
    lines = []
    with own(model, threads, "fp32") as limit:
        flops = limit.facts["flops_per_image"]
        for batch in batches:
            rates: dict[str, list[float]] = {engine.name: [] for engine in engines}
            ratios: dict[str, list[float]] = {engine.name: [] for engine in engines}
            for _ in range(rounds):
                before = limit.ask("probe", 50)[probe_key]
                for engine in list(engines):
                    try:
                        rate = engine.ask("rate", batch, seconds)[rate_key]
                    except Absent as reason:
                        absent[engine.name] = str(reason)
                        engines.remove(engine)
                        continue
                    after = limit.ask("probe", 50)[probe_key]
                    rates[engine.name].append(rate)
                    ratios[engine.name].append(rate / ((before + after) / 2) * 100)
                    before = after
            for name in rates:
                if not rates[name]:
                    continue
                ratio = statistics.median(ratios[name])
                lines.append({"engine": name, "batch": batch, "images_per_second": statistics.median(rates[name]),
                              "per_100_gflops": ratio, "share_of_fp32_probe": ratio * flops / 1e9 / 100})
    for engine in engines:
        engine.__exit__()
    return {"model": model.name, "threads": threads, "cpu_time": cpu_time, "flops_per_image": flops, "lines": lines,
            "absent": absent}


def latencies(model: pathlib.Path, threads: int, precisions: list[str], python: pathlib.Path | None, peers: list[str],
              rounds: int, *, texts: bool = False) -> dict:
    """Seconds of single pictures, or texts, on a warm engine, in turns of ten."""
    engines, absent = start_all(model, threads, precisions, python, peers, texts=texts)
    seconds: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(max(1, rounds // 10)):
        for engine in engines:
            seconds[engine.name] += engine.ask("latency", 10)["seconds"]
    for engine in engines:
        engine.__exit__()
    lines = [{"engine": name, "p50_ms": 1000 * statistics.median(values),
              "p99_ms": 1000 * sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]}
             for name, values in seconds.items()]
    return {"model": model.name, "of": "text" if texts else "picture", "threads": threads, "lines": lines, "absent": absent}


def markdown(result: dict) -> str:
    batches = sorted({line["batch"] for line in result["lines"]})
    names = list(dict.fromkeys(line["engine"] for line in result["lines"]))
    cells = {(line["engine"], line["batch"]): line for line in result["lines"]}
    lines = [f"**{result['model']}**, {result['threads']} threads: images a second{' of processor time' if result['cpu_time'] else ''} (share of the fp32 probe)", "",
             "| engine | " + " | ".join(f"batch {b}" for b in batches) + " |", "|---" * (len(batches) + 1) + "|"]
    for name in names:
        row = [f"{cells[name, b]['images_per_second']:.1f} ({cells[name, b]['share_of_fp32_probe']:.0%})"
               if (name, b) in cells else "-" for b in batches]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    lines += [f"\n{name}: not run, {why}" for name, why in result["absent"].items()]
    return "\n".join(lines) + "\n"


def latency_markdown(result: dict) -> str:
    lines = [f"**{result['model']}**, one {result['of']}, {result['threads']} threads", "", "| engine | p50 | p99 |", "|---|---|---|"]
    lines += [f"| {line['engine']} | {line['p50_ms']:.1f} ms | {line['p99_ms']:.1f} ms |" for line in result["lines"]]
    return "\n".join(lines) + "\n"
