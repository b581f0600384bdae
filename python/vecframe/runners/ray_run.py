"""One run on a cluster: hands the shards of a plan to workers, and gives those of workers that died to others."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vecframe._native import NativePlannedRun, Progress, RequestError, RunError
from vecframe.runners.placement import Worker
from vecframe.runners.ray_worker import COUNTERS, Job, Outcome, Place, ShardWorker

_logger = logging.getLogger("vecframe")
_MOST_LOSSES = 3  # of one shard, or of one worker in a row: then the fault is theirs
_TICK_S = 0.1
_WATCH_S = 0.5  # between two looks at what a worker is at
_PATIENCE_S = 30.0  # without any worker, before a word is said
_FIRST_CHECKED = 100  # rows before max_error_rate says anything; as on one machine

Told = Callable[[Progress], object]
OnFailure = Callable[[str, str], object]


@dataclass
class Shard:
    text: str
    number: int
    rows: int
    first_input: str
    losses: int = 0


@dataclass
class Counts:
    """Rows through the stages, of shards that are done or of one that is not."""

    values: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))

    def add(self, other: dict[str, int]) -> None:
        for name, value in other.items():
            self.values[name] += value


@dataclass
class Member:
    """A worker and what it has in hand: the first shard is the one it computes."""

    worker: Worker
    actor: Any = None
    place: Place | None = None  #: None while it is being started
    shards: dict[Any, Shard] = field(default_factory=dict)  #: by the reference to its outcome
    live: tuple[int, dict[str, int]] | None = None
    watch: Any = None
    losses: int = 0  #: since it finished a shard


class RayRun:
    """Leads one run. Shards are planned as workers ask for more, so memory does not grow with the rows."""

    def __init__(
        self,
        ray: Any,
        run: NativePlannedRun,
        first: Shard,
        *,
        backlog: int,
        max_error_rate: float | None,
        on_progress: Told | None,
        on_failure: OnFailure,
    ) -> None:
        self._ray, self._run = ray, run
        # Others start in the place of those that die, so that a shard's and a worker's losses can be counted.
        self._kind = ray.remote(concurrency_groups={"watch": 1}, max_restarts=0, max_task_retries=0)(ShardWorker)
        self._job: Any = None  # in Ray's store
        self._backlog, self._max_error_rate = backlog, max_error_rate
        self._on_progress, self._on_failure = on_progress, on_failure
        self._again: deque[Shard] = deque([first])
        self._planned_all = False
        self._listed = first.rows
        self._done = Counts()
        self._members: list[Member] = []
        self._waits: dict[Any, tuple[Member, str]] = {}  # references: "open", "run" or "watch"
        self._nodes: set[str] = set()
        self._concurrency: dict[str, int] = {}  # of the stages of a worker
        self._lost_workers = self._repeated_shards = 0
        self._begun = self._watched = self._heard = time.monotonic()

    def lead(self, job: Job, workers: Sequence[Worker]) -> dict[str, Any]:
        """Runs every shard; what is known of the run as a whole, for its report."""
        self._job = self._ray.put(job)
        try:
            for worker in workers:
                member = Member(worker)
                self._members.append(member)
                self._start(member)
            while self._feed() or self._busy():
                self._settle()
                self._watch()
                self._tell()
        finally:
            for member in self._members:
                if member.actor is not None:
                    self._ray.kill(member.actor)
        self._check_error_rate(least_rows=0)
        self._tell(listing_done=True)
        return {
            "seconds": time.monotonic() - self._begun,
            "threads": sum(worker.num_cpus for worker in workers),
            "concurrency": self._concurrency,
            "cluster": {
                "workers": len(workers),
                "nodes": len(self._nodes),
                "lost_workers": self._lost_workers,
                "repeated_shards": self._repeated_shards,
            },
        }

    def _busy(self) -> bool:
        return bool(self._again) or any(member.shards for member in self._members)

    def _start(self, member: Member) -> None:
        """Has Ray start its process, once there is room for it, and tell it its job."""
        member.actor = self._kind.options(
            num_cpus=member.worker.num_cpus, num_gpus=member.worker.num_gpus, scheduling_strategy="SPREAD"
        ).remote()
        self._waits[member.actor.open.remote(self._job, member.worker)] = (member, "open")

    def _next_shard(self) -> Shard | None:
        if self._again:
            return self._again.popleft()
        if self._planned_all:
            return None
        shard = next_shard(self._run)
        self._planned_all = shard is None
        self._listed += 0 if shard is None else shard.rows
        return shard

    def _feed(self) -> bool:
        """Gives shards to whoever has room, evenly. Whether there may be more of them."""
        while True:
            free = [one for one in self._members if one.place is not None and len(one.shards) < self._backlog]
            if not free:
                return not self._planned_all
            shard = self._next_shard()
            if shard is None:
                return False
            member = min(free, key=lambda one: len(one.shards))
            reference = member.actor.run.remote(shard.text, shard.number, shard.first_input)
            member.shards[reference] = shard
            self._waits[reference] = (member, "run")

    def _settle(self) -> None:
        """Takes what has come back, for a moment at most."""
        ready, _ = self._ray.wait(list(self._waits), num_returns=1, timeout=_TICK_S)
        for reference in ready:
            # What was in the hands of a worker that died is not waited for any more.
            member, kind = self._waits.pop(reference)
            if kind == "watch":
                self._see(member, reference)
                continue
            try:
                value = self._get(reference, member)
            except _Lost as lost:
                self._lose(member, str(lost))
                continue
            if kind == "open":
                member.place = value
                self._nodes.add(value.node)
                self._heard = time.monotonic()
            else:
                self._take(member, member.shards.pop(reference), value)

    def _get(self, reference: Any, member: Member) -> Any:
        """The result; _Lost if its worker did not live to give it. What the worker raised is raised here."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, (RequestError, RunError)):
                raise cause from None
            shard = member.shards.get(reference)
            where = f" on node {member.place.host}" if member.place is not None else ""
            raise RunError(
                ("a worker cannot be started" if shard is None else f"shard {shard.number}")
                + f"{where}: {type(cause).__name__}: {cause}"
            ) from error
        except (errors.RuntimeEnvSetupError, errors.ActorUnschedulableError) as error:
            raise RunError(f"a worker cannot be started: {error}") from error
        except errors.RayError as error:
            raise _Lost(_first_line(error)) from error

    def _take(self, member: Member, shard: Shard, outcome: Outcome) -> None:
        member.losses = 0
        self._run.add(outcome.report, outcome.failed_inputs)
        report = json.loads(outcome.report)
        self._concurrency = report["concurrency"]
        counts = report["counts"]
        self._done.add(
            {name: report[name] for name in COUNTERS if name in report}
            | {"read": counts["read"], "prepared": counts["prepare"], "embedded": counts["embed"]}
        )
        for path, error in outcome.failures:
            self._on_failure(path, error)
        self._check_error_rate()

    def _lose(self, member: Member, cause: str) -> None:
        """Takes the shards out of the hands of a worker that died, and has another one started."""
        shards = list(member.shards.values())
        self._waits = {key: value for key, value in self._waits.items() if value[0] is not member}
        where = f" on node {member.place.host}" if member.place is not None else ""
        member.shards.clear()
        member.place = member.live = member.watch = None
        self._ray.kill(member.actor)  # if it was only out of reach
        self._lost_workers += 1
        member.losses += 1
        _logger.warning("a worker%s was lost with %d shards in hand: %s", where, len(shards), cause)
        if shards:
            shards[0].losses += 1
            if shards[0].losses > _MOST_LOSSES:
                raise RunError(
                    f"shard {shards[0].number}, which begins with '{shards[0].first_input}', was given up: "
                    f"{shards[0].losses} workers died over it, the last one{where}: {cause}"
                )
        self._repeated_shards += len(shards)
        self._again.extendleft(reversed(shards))
        if member.losses <= _MOST_LOSSES:
            return self._start(member)
        self._members.remove(member)
        if not self._members:
            raise RunError(f"every worker died {_MOST_LOSSES + 1} times in a row, the last one{where}: {cause}")

    def _watch(self) -> None:
        """Asks workers how far they are, and speaks up if there are none."""
        now = time.monotonic()
        if now - self._watched < _WATCH_S:
            return
        self._watched = now
        for member in self._members:
            if member.place is not None and member.shards and member.watch is None:
                member.watch = member.actor.progress.options(concurrency_group="watch").remote()
                self._waits[member.watch] = (member, "watch")
        if any(member.place is not None for member in self._members):
            self._heard = now
        elif now - self._heard > _PATIENCE_S:
            self._heard = now
            wanted = self._members[0].worker
            free = self._ray.available_resources()
            _logger.warning(
                "waiting for the cluster: a worker needs %d CPUs and %g GPUs; free are %g and %g",
                wanted.num_cpus, wanted.num_gpus, free.get("CPU", 0), free.get("GPU", 0),
            )  # fmt: skip

    def _see(self, member: Member, reference: Any) -> None:
        member.watch = None
        try:
            member.live = self._get(reference, member)
        except _Lost:
            return  # its shard tells the same
        self._check_error_rate()

    def _counts(self) -> Counts:
        counts = Counts(dict(self._done.values))
        for member in self._members:
            if member.live is not None and any(shard.number == member.live[0] for shard in member.shards.values()):
                counts.add(member.live[1])
        return counts

    def _check_error_rate(self, least_rows: int = _FIRST_CHECKED) -> None:
        if self._max_error_rate is None:
            return
        counts = self._counts().values
        rows, failed = counts["rows"], counts["failed"]
        if failed > self._max_error_rate * max(rows, least_rows):
            raise RunError(
                f"{failed} of {rows} rows failed, more than max_error_rate={self._max_error_rate:f} allows"
            )

    def _tell(self, *, listing_done: bool | None = None) -> None:
        if self._on_progress is None:
            return
        self._on_progress(
            Progress(
                **self._counts().values,
                listed=self._listed,
                listing_done=self._planned_all if listing_done is None else listing_done,
                seconds=time.monotonic() - self._begun,
            )
        )


class _Lost(Exception):
    """A worker did not live to give a result."""


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def next_shard(run: NativePlannedRun) -> Shard | None:
    """The next one that a run has planned."""
    text = run.next_shard()
    if text is None:
        return None
    spec = json.loads(text)
    first = next((path for path, _ in spec.get("files", ())), "")
    # Paths that are no UTF-8, and names of row groups: the part that tells where they are.
    if not isinstance(first, str):
        first = bytes.fromhex(first["hex"]).decode(errors="replace")
    return Shard(text, spec["id"], spec["rows"], first.split("\0")[0])


def token_of(shard: Shard) -> str:
    """What stands in the output while the run goes on."""
    token: str = json.loads(shard.text)["epoch"]
    return token
