# `make` alone lists the targets. Each sets up what it needs in .venv, with uv where it is
# there and with Python's own venv and pip where not. Nothing is installed elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(shell command -v uv 2>/dev/null)
PACKAGES := cli compiler dsl grammars runtime src/cnnc/*.py

ifdef UV
INSTALL := uv pip install --quiet --python $(PY) --compile-bytecode
else
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help demo test lint format-check types unit parity bench fuzz format docs size hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## set up, check LeNet-5 and train it on real digits: about two minutes
	$(BIN)/cnnc check examples/lenet5.cnn
	rm -rf runs/demo
	$(BIN)/cnnc train examples/lenet5.cnn --data digits --out runs/demo

test: lint format-check types unit ## set up, then linter, formatter, types and all tests

lint: $(VENV)/dev.stamp ## ruff's checks
	$(PY) -m ruff check .

format-check: $(VENV)/dev.stamp ## fail where `make format` would change a file
	$(PY) -m ruff format --check .

types: $(VENV)/dev.stamp ## mypy --strict over every file of the package
	$(PY) .ci/check_types.py

unit: $(VENV)/dev.stamp ## pytest; what compares with PyTorch skips where it is missing
	$(PY) -m pytest -q

parity: $(VENV)/parity.stamp ## install PyTorch and compare every number with it
	$(PY) -m pytest -q -m parity --no-skips

bench: $(VENV)/dev.stamp ## time the compiled training step
	$(PY) -m benchmarks

# SECONDS=600 for longer. What it finds goes to tests/fuzz/found/.
SECONDS ?= 60
fuzz: $(VENV)/fuzz.stamp ## a minute of random specs, guided by coverage: nothing may fail
	$(PY) -m tests.fuzz $(SECONDS)

format: $(VENV)/dev.stamp ## format the sources and mend what the linter can mend
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

docs: $(VENV)/dev.stamp ## write the generated pages of docs/ anew
	$(PY) -m cnnc.dsl.codes docs/diagnostics.md
	$(PY) -m cnnc.compiler.reference docs/layers.md

size: $(VENV)/dev.stamp ## lines per file, the longest last; fails over the limit
	@find $(PACKAGES) tests -name '*.py' -not -path '*/__pycache__/*' | xargs wc -l | sort -n
	$(PY) -m pytest -q tests/test_layering.py -k short

hooks: $(VENV)/dev.stamp ## let git run the quick checks before each commit
	$(BIN)/pre-commit install

clean: ## remove the environment, caches and builds, but no runs
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# -- the environment ------------------------------------------------------------------

# The stamps depend on what says which packages are wanted: a second `make` installs nothing.
SETUP := pyproject.toml constraints.txt $(VENV)/made.stamp

$(VENV)/made.stamp:
ifdef UV
	uv venv --quiet --seed --clear --python '>=3.11' $(VENV)
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: cnnc needs Python 3.11 or later, and $(PYTHON) is older or missing"; \
	  echo "help: name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: this Python came without venv and ensurepip"; \
	  echo "help: Debian and Ubuntu have them in the package python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
endif
	@touch $@

$(VENV)/demo.stamp: $(SETUP)
	$(INSTALL) --constraint constraints.txt --editable '.[digits]'
	@touch $@

$(VENV)/dev.stamp: $(SETUP)
	$(INSTALL) --constraint constraints.txt --editable '.[digits,dev]'
	@touch $@

$(VENV)/fuzz.stamp: $(VENV)/dev.stamp
	$(INSTALL) --constraint constraints.txt --editable '.[digits,dev,fuzz]'
	@touch $@

# pip and not uv: people's settings of pip say where to find the PyTorch for their machine.
$(VENV)/parity.stamp: $(VENV)/dev.stamp
	$(PY) -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[digits,dev,parity]'
	@touch $@
