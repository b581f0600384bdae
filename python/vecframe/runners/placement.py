"""How many workers a run gets on a cluster, and what each of them has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vecframe._native import EmbedderUse, RequestError


@dataclass(frozen=True)
class Node:
    """What a node has in all, whoever uses it now."""

    cpus: float
    gpus: float


@dataclass(frozen=True)
class Worker:
    num_cpus: int  #: as many threads
    num_gpus: float


def place_workers(nodes: Sequence[Node], uses: Sequence[EmbedderUse], threads: int) -> list[Worker]:
    """The workers of a run, the largest first.

    `concurrency` of the embeddings says how many there are, `threads` (0: nobody says) how many CPUs each has. Without
    either a node with CPUs gets one that has all of them, and a node with GPUs one for each, or for each part.

    Raises:
        RequestError: More than the nodes have; it says what they have.
    """
    gpus = _gpus_of_worker(nodes, uses)
    count = _count(uses)
    if count is None and threads == 0 and gpus == 0:
        whole = sorted((int(node.cpus) for node in nodes if node.cpus >= 1), reverse=True)
        if not whole:
            raise RequestError(f"runner: no node of the cluster has a CPU for a worker; it has {_told(nodes)}")
        return [Worker(cpus, 0) for cpus in whole]
    least = threads or 1
    wanted = count if count is not None else max(1, _slots(nodes, least, gpus))
    if _slots(nodes, least, gpus) < wanted:
        raise RequestError(_refusal(nodes, wanted, threads, gpus))
    cpus = threads or max(
        cpus for cpus in range(1, _most_cpus(nodes) + 1) if _slots(nodes, cpus, gpus) >= wanted
    )
    return [Worker(cpus, gpus)] * wanted


def _count(uses: Sequence[EmbedderUse]) -> int | None:
    """Requests in flight, which is what `concurrency` says of an async provider, are no workers."""
    given = [use.concurrency for use in uses if use.concurrency is not None and not use.is_async]
    return max(given, default=None)


def _gpus_of_worker(nodes: Sequence[Node], uses: Sequence[EmbedderUse]) -> float:
    for use in uses:
        if use.is_local and ":" in use.device:
            raise RequestError(
                f"device: '{use.device}' names GPUs of one machine; on a cluster give \"auto\" and num_gpus, "
                "and each worker sees the GPUs that it was given"
            )
    given = [use.num_gpus for use in uses if use.num_gpus is not None]
    if given:
        total = sum(given)
        return total if total <= 1 else math.ceil(total)
    takes = any(use.is_local and use.device in ("auto", "cuda") for use in uses)
    return 1.0 if takes and any(node.gpus >= 1 for node in nodes) else 0.0


def _slots(nodes: Sequence[Node], cpus: int, gpus: float) -> int:
    """Workers of that size that the nodes have room for."""
    return sum(_slots_of(node, cpus, gpus) for node in nodes)


def _slots_of(node: Node, cpus: int, gpus: float) -> int:
    by_cpus = int(node.cpus // cpus)
    if gpus == 0:
        return by_cpus
    # A part of a GPU is of one GPU.
    by_gpus = int(node.gpus) * int(1 / gpus + 1e-9) if gpus < 1 else int(node.gpus // gpus)
    return min(by_cpus, by_gpus)


def _most_cpus(nodes: Sequence[Node]) -> int:
    return max(int(node.cpus) for node in nodes)


def _refusal(nodes: Sequence[Node], wanted: int, threads: int, gpus: float) -> str:
    least = threads or 1
    each = f"{least} CPU{'' if least == 1 else 's'}" + (f" and {gpus:g} GPU{'' if gpus == 1 else 's'}" if gpus else "")
    word = "num_gpus" if _slots(nodes, least, 0) >= wanted else "concurrency" if threads == 0 else "threads"
    workers = "a worker" if wanted == 1 else f"{wanted} workers"
    return f"{word}: {workers} of {each} {'is' if wanted == 1 else 'are'} more than the cluster has: {_told(nodes)}"


def _told(nodes: Sequence[Node]) -> str:
    """"3 nodes with 4 CPUs and no GPU in all"."""
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    count = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    return f"{count} with {cpus:g} CPU{'' if cpus == 1 else 's'} and {f'{gpus:g}' if gpus else 'no'} GPU{'s' if gpus > 1 else ''}"
