# Each target sets up what it needs in .venv, from requirements locked by hash. Needs make and Python 3.11 or newer.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: run test check bench quality mutation lock clean

run: .venv/.run
	@$(BIN)/gptgate quickstart

test: .venv/.dev
	$(PYTEST)

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST) tests/architecture tests/docs --ignore=tests/docs/test_readme.py  # pages that are done as shown: make test

bench: .venv/.dev
	$(BIN)/python -m bench --policy
	$(BIN)/python -m bench --audit
	$(BIN)/python -m bench

quality: .venv/.dev
	$(BIN)/python -m bench.quality

mutation: .venv/.mutation
	nice $(BIN)/mutmut run --max-children 1
	$(BIN)/python -m bench.mutation

lock: .venv/.dev
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	cd requirements && for f in run build valkey parquet tokenizers dev mutation; do ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header $$f.in -o $$f.txt; done

clean:
	rm -rf .venv mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/.run: requirements/run.txt requirements/build.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "gptgate needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up .venv with $(PYTHON) (once)"
	@$(PYTHON) -m venv .venv || { echo "hint: Debian and Ubuntu need the package python3-venv"; exit 1; }
	@$(PIP) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.mutation: .venv/.dev requirements/mutation.txt
	@$(PIP) --require-hashes -r requirements/mutation.txt
	@touch $@
