# Two commands for a newcomer: `make demo` and `make test`. Only Linux, Python 3.11+, pip and make are taken for granted.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Third-party CSS and JavaScript for the pages (pip does this by itself; a bare checkout needs it once)
.PHONY: assets
assets:
	$(or $(wildcard $(BIN)/python),$(PYTHON)) hatch_build.py

.PHONY: check
check:
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
