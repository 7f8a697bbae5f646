# Two commands for a newcomer: `make demo` and `make test`. Only Linux, Python 3.11+, pip and make are taken for granted.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lock clean setup assets pictures

demo: $(READY) ## Show the main job on a throwaway store. ARGS=--exit ends afterwards; FOOTAGE=path uses a film of yours.
	@$(BIN)/vig-vault demo $(if $(FOOTAGE),--footage "$(FOOTAGE)") $(ARGS)

test: check ## Run every check and every test that this machine can; what it can't is listed with what to install.
	@$(BIN)/python -m compileall -q core media # as an installed package is: media's children may write no bytecode
	$(if $(wildcard /dev/shm),PYTEST_DEBUG_TEMPROOT=/dev/shm )$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder $(ARGS)

check: $(READY) ## Lint, types, and the ladder of rooms.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

setup: $(READY) ## Only make the virtual environment.

$(READY): requirements.lock pyproject.toml hatch_build.py hatch_model.py web/package-lock.json \
		media/model/requirements.txt media/model/ranges.json
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

assets: ## Make the pages' third-party assets and the face detector's model again.
	$(BIN)/python hatch_build.py

pictures: $(READY) ## Take a picture of every page in every form, to be looked at: FOLDER=somewhere outside the repository.
	$(BIN)/python -m tests.walk "$(FOLDER)"

lock: $(READY) ## Pin every dependency by hash again.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--all-extras pyproject.toml -o requirements.lock

clean: ## Remove what was made.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
