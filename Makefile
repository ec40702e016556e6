# Everything runs in .venv, made on first use from Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test test-all lint format bench clean

demo: $(INSTALLED)
	$(BIN)/vcid demo

test: $(INSTALLED)
	$(BIN)/pytest -m "not slow"

# As CI runs it: the slow tests too (kill -9, full disk, sixty seconds and more).
test-all: $(INSTALLED)
	$(BIN)/pytest -n auto

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(INSTALLED)
	$(BIN)/python benchmarks/bench.py

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("vcid needs Python 3.11 or later: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[cli,bbs,evm,pkcs11,postgresql,server]' --group test --group lint --group examples
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) vcid-demo .pytest_cache .mypy_cache .ruff_cache
