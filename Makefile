# Two commands for a newcomer: `make demo` and `make test`. Only Linux, Python 3.11+, pip and make are taken for granted.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: check
check:
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
