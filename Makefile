# Two commands matter: `make demo` and `make test`. Both work on a fresh Debian 12 with git and make.

# Debian's own python3 and cmake, whatever else the machine has on its path.
export PATH := /usr/bin:$(PATH)
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-all test-ray bench gpu-bundle test-gpu bench-gpu lint format clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## install the Debian packages and the Python environment (.venv)
	@tools/setup.sh build demo test

build: ## build/bin/vecframe, the Python package in .venv, the built-in weights
	@tools/setup.sh build
	@tools/build.sh

demo: ## embed real photographs and show what came out
	@tools/setup.sh build demo
	@tools/build.sh
	@tools/demo.sh

test: setup ## set up, build and run every test (C++, Python, sanitizers, a minute of fuzzing)
	@tools/build.sh
	@$(PYTHON) tools/run_tests.py

test-all: setup ## the same and the slow ones: 200 large photographs, clang-tidy, longer fuzzing
	@tools/build.sh
	@$(PYTHON) tools/run_tests.py --all

test-ray: setup ## clusters of three nodes on this machine, whose workers, nodes and drivers are killed in mid-run
	@tools/build.sh
	@VECFRAME_RAY_TESTS=1 $(PYTHON) -m pytest -q -p no:cacheprovider tests/python/runners

bench: ## measure kernels, models, jobs and starts, as ratios to the machine's own limit; ARGUMENTS="--peers": and the peers
	@tools/setup.sh build demo
	@tools/build.sh
	@$(PYTHON) benchmarks/end_to_end/run.py
	@$(PYTHON) benchmarks/suite/run.py $(ARGUMENTS)

gpu-bundle: ## collect what test-gpu and bench-gpu need, for a machine without packages and network
	@tools/gpu_bundle.sh

test-gpu: ## contract and golden suites on this machine's NVIDIA GPU
	@tools/test_gpu.sh

bench-gpu: ## image towers on this machine's NVIDIA GPU, beside torch where it is installed
	@tools/bench_gpu.sh

lint: ## formatting, layers and forbidden marks
	@tools/setup.sh test
	@$(PYTHON) tools/run_tests.py --only lint

format: ## format all C++ files in place
	@git ls-files -z '*.cc' '*.h' '*.cpp' | xargs -0 clang-format -i

clean: ## remove everything that was built
	@rm -rf build
