"""One event loop on a thread of its own, for a run of an async embedder."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from vecframe._calls import answer, failure

# How soon a run that was asked to stop cancels its requests, at the latest.
_LOOK_SECONDS = 0.05
# How long the end waits for tasks that are slow to be cancelled.
_END_SECONDS = 1.0
_CANCELLED = ("rows", "cancelled", None)


class AsyncCalls:
    """Makes the embedder inside the loop, so that it may open sessions there."""

    def __init__(self, descriptor: Any, function: str, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._tasks: dict[asyncio.Task[None], _Once] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="vecframe embedder", daemon=True)
        self._thread.start()
        try:
            self._embedder = asyncio.run_coroutine_threadsafe(self._make(descriptor), self._loop).result()
            self._embed = getattr(self._embedder, function)
        except BaseException:
            self.close()
            raise

    def submit(self, rows: list[Any], done: Callable[[Any], None]) -> None:
        """Calls `done` with an answer, once, on the loop's thread."""
        self._loop.call_soon_threadsafe(self._begin, rows, done)

    def close(self) -> None:
        """Ends the loop. No request is in flight that anybody waits for."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    async def _make(self, descriptor: Any) -> Any:
        self._watch = asyncio.ensure_future(self._cancel_when_stopped())
        return descriptor.instantiate()

    def _begin(self, rows: list[Any], done: Callable[[Any], None]) -> None:
        once = _Once(done)
        task = self._loop.create_task(self._call(rows, once))
        self._tasks[task] = once
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        # A task that was cancelled before it began has not answered.
        self._tasks.pop(task)(_CANCELLED)

    async def _call(self, rows: list[Any], done: _Once) -> None:
        try:
            result = self._embed(rows)
            if hasattr(result, "__await__"):
                result = await result
            told = answer(result)
        except Exception as error:  # handed on: which rows are at fault is found out there
            told = failure(error)
        done(told)

    async def _cancel_when_stopped(self) -> None:
        while not self._stopped():
            await asyncio.sleep(_LOOK_SECONDS)
        while True:
            for task, once in list(self._tasks.items()):
                task.cancel()
                once(_CANCELLED)  # nobody waits for one that does not let itself be cancelled
            await asyncio.sleep(_LOOK_SECONDS)

    async def _end(self) -> None:
        close = getattr(getattr(self, "_embedder", None), "aclose", None)
        if close is not None:
            await close()
        rest = [task for task in asyncio.all_tasks(self._loop) if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_END_SECONDS)


class _Once:
    """Answers a request, once."""

    def __init__(self, done: Callable[[Any], None]) -> None:
        self._done: Callable[[Any], None] | None = done

    def __call__(self, told: Any) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(told)
