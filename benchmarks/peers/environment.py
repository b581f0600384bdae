"""Makes the Python environment that the peers run in: build/peers, apart from the project's own.

VECFRAME_PEERS names another one that is ready already.

The torch wheel for x86-64 links CUDA's libraries, about 3 GB of packages that a measurement on processors never calls.
So torch comes without its dependencies, and the libraries its loader asks for are made here, empty.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "build/peers"
PYTHON = ENVIRONMENT / "bin/python"
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
WITHOUT_DEPENDENCIES = ["torch==2.15.0", "torchvision==0.29.2"]

CUDA_LIBRARY = re.compile(r"lib(cu|nv|nccl)")
CUDA_FUNCTION = re.compile(
    r"^(cu[A-Z]|cuda|cublas|cudnn|cusparse|cusolver|cufft|cufile|curand|nvrtc|nccl|__cuda|nvJit|nvshmem|nvml|cupti)")


def output_of(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def needed_libraries(libraries: list[pathlib.Path]) -> dict[str, dict[str, set[str]]]:
    """Of each missing library the functions that are asked of it, by symbol version ("" for none)."""
    owner: dict[str, str] = {}
    missing: set[str] = set()
    defined: set[str] = set()
    undefined: set[str] = set()
    for path in libraries:
        defined |= {line.split()[-1].partition("@")[0] for line in output_of("nm", "-D", "--defined-only", str(path))}
        undefined |= {line.split()[-1] for line in output_of("nm", "-D", "--undefined-only", str(path))}
        library = None
        for line in output_of("objdump", "-p", str(path)):
            words = line.split()
            if words[:1] == ["NEEDED"] and CUDA_LIBRARY.match(words[1]):
                missing.add(words[1])
            if line.strip().startswith("required from"):
                library = words[2].rstrip(":")
            elif library and len(words) == 4 and words[0].startswith("0x"):
                owner[words[3]] = library
            elif not words:
                library = None
    wanted: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in missing}
    runtime = next((name for name in missing if name.startswith("libcudart")), None)
    for symbol in undefined:
        name, _, version = symbol.partition("@")
        version = version.lstrip("@")
        if owner.get(version) in wanted:
            wanted[owner[version]][version].add(name)
        elif not version and runtime and name not in defined and CUDA_FUNCTION.match(name):
            wanted[runtime][""].add(name)
    return wanted


def make_empty_library(path: pathlib.Path, functions: dict[str, set[str]]) -> None:
    """A library whose functions all return an error code."""
    with tempfile.TemporaryDirectory() as folder:
        source, versions = pathlib.Path(folder) / "empty.c", pathlib.Path(folder) / "versions"
        names = sorted(set().union(*functions.values()))
        source.write_text("".join(f"long {name}(void) {{ return 100; }}\n" for name in names))
        named = {version: names for version, names in functions.items() if version}
        versions.write_text("".join(f"{version} {{ global: {' '.join(name + ';' for name in sorted(names))} }};\n"
                                    for version, names in sorted(named.items())))
        command = ["gcc", "-w", "-fno-builtin", "-shared", "-fPIC", f"-Wl,-soname,{path.name}", "-o", str(path), str(source)]
        subprocess.run(command + ([f"-Wl,--version-script={versions}"] if named else []), check=True)


def complete_torch() -> None:
    libraries = next(ENVIRONMENT.glob("lib/python*/site-packages/torch/lib"))
    own = [path for path in libraries.glob("*.so*") if not CUDA_LIBRARY.match(path.name)]
    for name, functions in needed_libraries(own).items():
        make_empty_library(libraries / name, functions)


def ensure() -> pathlib.Path:
    """The environment's python; installs what is missing."""
    if ready := os.environ.get("VECFRAME_PEERS"):
        python = pathlib.Path(ready) / "bin/python"
        if not python.exists():
            sys.exit(f"bench: VECFRAME_PEERS={ready} has no bin/python")
        return python
    stamp = ENVIRONMENT / "requirements.txt"
    wanted = REQUIREMENTS.read_text() + "\n".join(WITHOUT_DEPENDENCIES)
    if stamp.exists() and stamp.read_text() == wanted:
        return PYTHON
    print("bench: installing the peers into build/peers", file=sys.stderr)
    subprocess.run(["/usr/bin/python3", "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    complete_torch()
    stamp.write_text(wanted)
    return PYTHON


if __name__ == "__main__":
    print(ensure())
