"""Runs every test of the project and ends with one line: N passed, N failed, N skipped.

A gtest case or a pytest case counts one; so does a lint check, a test program run under a sanitizer and a
fuzz target. Whatever is skipped is named with its reason.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = os.cpu_count() or 1
TAIL_LINES = 60
PROGRAM_TIMEOUT_S = 1800
# Folders whose tests have threads that meet; they run under the thread sanitizer, without Arrow.
THREADED = ["base", "exec", "job", "providers_remote"]


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skips: list[tuple[str, str]] = dataclasses.field(default_factory=list)  # (test, reason)

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skips += other.skips


@dataclasses.dataclass
class Program:
    """A test as CTest knows it."""

    name: str
    command: list[str]


def say(text: str) -> None:
    print(text, flush=True)


def fail(name: str, output: str) -> Outcome:
    say(f"FAILED: {name}")
    for line in output.splitlines()[-TAIL_LINES:]:
        say(f"    {line}")
    return Outcome(failed=1)


def run(command: list[str], timeout_s: int = PROGRAM_TIMEOUT_S, **environment: str) -> tuple[int, str]:
    """Exit status and joined output; a command that runs too long counts as failed."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as expired:
        return 124, (expired.stdout or b"").decode(errors="replace") + f"\ntimed out after {timeout_s} s"
    return done.returncode, done.stdout.decode(errors="replace")


def check(name: str, command: list[str]) -> Outcome:
    status, output = run(command)
    return Outcome(passed=1) if status == 0 else fail(name, output)


def count_junit(path: pathlib.Path) -> Outcome:
    """Counts of a report in JUnit's form, as GoogleTest and pytest both write it."""
    outcome = Outcome()
    for case in ElementTree.parse(path).iter("testcase"):
        if case.get("status") == "notrun":  # a disabled gtest case
            continue
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skipped is not None:
            reason = (skipped.get("message") or "no reason given").strip().splitlines()
            outcome.skips.append((name, reason[-1]))  # gtest puts file:line above the reason
        else:
            outcome.passed += 1
    return outcome


def with_report(name: str, command: list[str], option: str) -> Outcome:
    """Runs a test program that writes a report; a crash counts as one failure more."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        status, output = run([*command, option.format(report)])
        outcome = Outcome()
        if report.exists():
            outcome = count_junit(report)
        if status != 0 or not report.exists():
            failure = fail(name, output)
            if outcome.failed == 0:
                outcome.add(failure)
        return outcome


def in_parallel(tasks: list[Callable[[], Outcome]], jobs: int = JOBS) -> Outcome:
    total = Outcome()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(task) for task in tasks]):
            total.add(future.result())
    return total


def tracked(*patterns: str) -> list[str]:
    _, output = run(["git", "ls-files", "-z", *patterns])
    return [name for name in output.split("\0") if name and (ROOT / name).exists()]


def build(preset: str, *options: str) -> str | None:
    """Configures and builds a preset; the output if that failed."""
    for command in (["cmake", "--preset", preset, *options], ["cmake", "--build", f"build/{preset}"]):
        status, output = run(command, timeout_s=3600)
        if status != 0:
            return output
    return None


def programs(preset: str) -> list[Program]:
    status, output = run(["ctest", "--test-dir", f"build/{preset}", "--show-only=json-v1"])
    if status != 0:
        return []
    tests = json.loads(output[output.index("{"):])["tests"]
    return [Program(test["name"], test["command"]) for test in tests if "command" in test]


def lint() -> Outcome:
    outcome = check("layers", [sys.executable, "tools/check_layers.py"])
    outcome.add(check("clang-format", ["clang-format", "--dry-run", "-Werror", *tracked("*.cc", "*.h", "*.cpp")]))
    return outcome


def types() -> Outcome:
    return check("mypy", [sys.executable, "-m", "mypy", "python/vecframe"])


def tidy() -> Outcome:
    sources = [source for source in tracked("src/*.cc", "cli/*.cc")]
    return in_parallel([lambda s=s: check(f"clang-tidy {s}", ["clang-tidy", "--quiet", "-p", "build/release", s])
                        for s in sources])


def cpp() -> Outcome:
    found = programs("release")
    if not found:
        return fail("C++ tests", "build/release knows no tests: run `make build` first")
    return in_parallel([lambda p=p: with_report(p.name, p.command, "--gtest_output=xml:{}") for p in found])


def python(slow: bool) -> Outcome:
    os.environ["VECFRAME_SLOW_TESTS"] = "1" if slow else "0"
    return with_report("pytest", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
                       "--junitxml={}")


def sanitized(preset: str, names: list[str] | None, prefix: list[str], **environment: str) -> Outcome:
    """Every test program of the preset (or the named ones) under its sanitizer."""
    if broken := build(preset):
        return fail(f"build of {preset}", broken)
    found = [program for program in programs(preset) if names is None or program.name in names]
    if not found:
        return fail(preset, "no test program found")

    def one(program: Program) -> Outcome:
        status, output = run([*prefix, *program.command, "--gtest_brief=1"], **environment)
        name = f"{preset} {program.name}"
        return Outcome(passed=1) if status == 0 else fail(name, output)

    return in_parallel([lambda p=p: one(p) for p in found])


def address_sanitizer() -> Outcome:
    return sanitized("asan-ubsan", None, [], UBSAN_OPTIONS="print_stacktrace=1",
                     ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1")


def thread_sanitizer() -> Outcome:
    # Kernels with 32 random bits in mmap addresses confuse the sanitizer of this compiler generation.
    prefix = ["setarch", "-R"]
    if not shutil.which("setarch") or run([*prefix, "true"])[0] != 0:
        prefix = []
    return sanitized("tsan", THREADED, prefix, TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1")


def fuzz(seconds: int) -> Outcome:
    if broken := build("fuzz"):
        return fail("build of fuzz", broken)
    targets = sorted(path for path in (ROOT / "build/fuzz").rglob("*_fuzz") if os.access(path, os.X_OK) and path.is_file())
    if not targets:
        return fail("fuzz", "no fuzz target found")
    each = max(2, seconds * JOBS // len(targets))
    say(f"  {len(targets)} targets, {each} s each")

    def one(target: pathlib.Path) -> Outcome:
        artifacts = ROOT / "build/fuzz/artifacts" / target.name
        found = ROOT / "build/fuzz/corpus" / target.name
        for folder in (artifacts, found):
            folder.mkdir(parents=True, exist_ok=True)
        relative = target.parent.relative_to(ROOT / "build/fuzz/fuzz") if "fuzz/fuzz" in str(target) else pathlib.Path()
        seeds = [folder for folder in (ROOT / "fuzz" / relative / f"{target.name}_corpus", ROOT / "fuzz" / relative / "corpus")
                 if folder.is_dir()]
        status, output = run([str(target), f"-max_total_time={each}", "-timeout=20", "-rss_limit_mb=3072",
                              "-print_final_stats=1", f"-artifact_prefix={artifacts}/", str(found), *map(str, seeds)],
                             timeout_s=each + 300)
        return Outcome(passed=1) if status == 0 else fail(f"{target.name} (inputs in {artifacts})", output)

    return in_parallel([lambda t=t: one(t) for t in targets])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also clang-tidy, the large photographs, ten minutes of fuzzing")
    parser.add_argument("--only", nargs="+", metavar="STEP", help="run these steps only")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    # A shell starts what runs in the background deaf to Ctrl-C, which some tests send to their programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    steps: dict[str, Callable[[], Outcome]] = {
        "lint": lint,
        "types": types,
        "cpp": cpp,
        "python": lambda: python(arguments.all),
        "asan": address_sanitizer,
        "tsan": thread_sanitizer,
        "fuzz": lambda: fuzz(600 if arguments.all else 60),
    }
    if arguments.all:
        steps["tidy"] = tidy
    if arguments.only:
        if unknown := set(arguments.only) - set(steps):
            parser.error(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(steps)}")
        steps = {name: steps[name] for name in arguments.only}

    total = Outcome()
    for name, step in steps.items():
        say(f"== {name}")
        begun = time.monotonic()
        outcome = step()
        total.add(outcome)
        say(f"   {outcome.passed} passed, {outcome.failed} failed, {len(outcome.skips)} skipped in "
            f"{time.monotonic() - begun:.0f} s")

    if total.skips:
        say("== SKIPPED, with the reason")
        by_reason: dict[str, list[str]] = {}
        for test, reason in total.skips:
            by_reason.setdefault(reason, []).append(test)
        for reason, tests in by_reason.items():
            say(f"   {len(tests)} x {reason}: {', '.join(tests[:4])}{', ...' if len(tests) > 4 else ''}")
    say(f"{total.passed} passed, {total.failed} failed, {len(total.skips)} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
