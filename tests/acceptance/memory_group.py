"""A limit of memory that the kernel enforces, for a command and all its threads."""

import contextlib
import os
import pathlib
import subprocess

import pytest

_ROOT = pathlib.Path("/sys/fs/cgroup")


def _own_groups():
    """Folder and name of the limit's file: version 2 of the kernel's interface, and version 1."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield _ROOT / path.lstrip("/"), "memory.max"
        elif "memory" in controllers.split(","):
            yield _ROOT / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
    yield _ROOT / "memory", "memory.limit_in_bytes"


@contextlib.contextmanager
def memory_group(limit):
    """Yields a function that runs a command within `limit` bytes; skips where no limit can be set."""
    reasons = []
    for parent, name in _own_groups():
        group = parent / f"vecframe-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError as error:
            reasons.append(str(error))
            continue
        try:
            (group / name).write_text(str(limit))
        except OSError as error:
            reasons.append(str(error))
            group.rmdir()
            continue
        break
    else:
        pytest.skip("no limit of memory can be set here: " + "; ".join(reasons))

    def run(*command):
        # The shell goes in before it becomes the command.
        return subprocess.run(["sh", "-c", 'echo $$ >"$0" && exec "$@"', group / "cgroup.procs", *map(str, command)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    try:
        yield run
    finally:
        group.rmdir()
