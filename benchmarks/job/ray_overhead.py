"""What a Ray cluster costs: wall time of N workers of one thread over that of one process with N threads, on one node.

Both write the same pictures into a directory of parts, in turns. The cluster is there before the clock runs; the start
of the workers is part of their time, so the ratio is given for all pictures, and for the second half of them alone,
where only what each shard costs is left.

    python benchmarks/job/ray_overhead.py --pictures DIR [--model builtin:efficientnet-lite0] [--workers 2]
"""

import argparse
import json
import pathlib
import shutil
import statistics
import tempfile
import time

import vecframe as vf
from vecframe.functions import embed_image


def seconds_of(paths: list[str], model: str, out: pathlib.Path, workers: int, rows_per_part: int) -> float:
    on_ray = vf.get_or_infer_runner_type() == "ray"
    words = {"concurrency": workers, "num_gpus": 0} if on_ray else {}
    call = embed_image(vf.col("image"), model=model, on_error="ignore", **words)
    df = vf.read_images(paths).with_column("embedding", call).exclude("image")
    shutil.rmtree(out, ignore_errors=True)
    begun = time.perf_counter()
    report = df.write_parquet(out, rows_per_part=rows_per_part, threads=1 if on_ray else workers, progress=False)
    spent = time.perf_counter() - begun
    if report.rows != len(paths):
        raise SystemExit(f"{report.rows} rows of {len(paths)}")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", required=True, help="a directory")
    parser.add_argument("--count", type=int, default=1000, help="of pictures at most")
    parser.add_argument("--model", default="builtin:efficientnet-lite0")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows-per-part", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    import ray

    ray.init(num_cpus=arguments.workers, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
    paths = vf.read_images(arguments.pictures).select("path").limit(arguments.count).to_pydict()["path"]
    half = paths[: len(paths) // 2]
    spent: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for choose in (vf.set_runner_native, vf.set_runner_ray):
                choose()
                for some in (half, paths):
                    seconds = seconds_of(
                        some, arguments.model, pathlib.Path(folder) / "out", arguments.workers, arguments.rows_per_part
                    )
                    spent.setdefault((vf.get_or_infer_runner_type(), len(some)), []).append(seconds)
    ray.shutdown()

    def later_half(runner: str) -> float:
        pairs = zip(spent[runner, len(half)], spent[runner, len(paths)], strict=True)
        return statistics.median(whole - first for first, whole in pairs)

    native, cluster = (statistics.median(spent[runner, len(paths)]) for runner in ("native", "ray"))
    print(
        json.dumps(
            {
                "pictures": len(paths),
                "workers": arguments.workers,
                "native_seconds": round(native, 2),
                "ray_seconds": round(cluster, 2),
                "ratio": round(cluster / native, 3),
                "ratio_of_second_half": round(later_half("ray") / later_half("native"), 3),
                "seconds": {f"{runner} {count}": [round(s, 2) for s in all_of] for (runner, count), all_of in spent.items()},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
