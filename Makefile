# Everything from nothing: python3 (3.11 or newer) and make are enough. `make` alone lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   ?= demo
# Tests that take more than a few seconds each are left to test-slow.
PYTEST ?= $(BIN)/pytest -n 2 -q -m "not slow"

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint types tests docs bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-plots  ## make a small lake, answer thirty questions with pictures (DEMO=directory)
	$(BIN)/brainlake demo $(DEMO) --replace

test: lint types tests  ## everything that CI checks

test-slow: $(VENV)/.installed-test  ## the tests that take long: kill -9, corruption, size
	$(BIN)/pytest -q -m slow

lint: $(VENV)/.installed-test  ## style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# The checkout itself is the package `brainlake`; type checkers want it inside a directory of that name.
types: $(VENV)/.installed-test  ## type checks
	@mkdir -p build/types && ln -sfn ../.. build/types/brainlake
	MYPYPATH=build/types $(BIN)/mypy -p brainlake.lake -p brainlake.ingest -p brainlake.views -p brainlake.udfs \
	    -p brainlake.tests.fixtures

tests: $(VENV)/.installed-test  ## the tests that are quick
	$(PYTEST)

docs: $(VENV)/.installed-test  ## write the derived pages of docs/ anew
	$(BIN)/python docs/generate.py

bench: $(VENV)/.installed-bench  ## side by side with peers, ratios printed
	$(BIN)/python -m benchmarks

clean:  ## remove what the targets above made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis $(DEMO)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "brainlake needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras; a change of the requirements installs again.
$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
