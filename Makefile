# Huiyin's two commands are `make demo` and `make test`; both start from nothing but Python 3.11 to 3.14.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null && echo $$p && exit; done; echo python3)
BIN := .venv/bin
WORKERS ?= 2
SQL = $(wildcard migrations/*.sql)

.PHONY: help demo test check format bench torture fuzz lock settings clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## everything in one process tree on this machine: make demo ARGS="--reset"
	@$(PYTHON) .ci/venv.py requirements.txt
	@$(BIN)/huiyin demo $(ARGS)

test: ## all tests: make test ARGS="-k survey"
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: ## style, types, floors, dependencies, SQL, images, secrets
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(if $(SQL),$(BIN)/squawk --no-error-on-unmatched-pattern $(SQL),@echo "squawk: no migrations yet")
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/python .ci/scan.py
	@if command -v docker-compose >/dev/null; then docker-compose -f docker/compose.yaml config -q && echo "compose file: good"; \
	 elif docker compose version >/dev/null 2>&1; then docker compose -f docker/compose.yaml config -q && echo "compose file: good"; \
	 else echo "compose file: not looked at, there is no docker-compose here"; fi

format: ## put the style right
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## the figures, beside what they are held against: make bench ARGS="codec"
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	@$(BIN)/python -m bench $(ARGS)

torture: ## the fault campaigns in full; takes long
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	@$(BIN)/python -m tests.torture $(ARGS)

fuzz: ## mutated octets for every parser: make fuzz ARGS="codec --seconds 600"
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	@nice $(BIN)/python -m tests.fuzz $(ARGS)

LOCK = $(BIN)/uv pip compile --quiet --no-config --universal --generate-hashes --python-version 3.11 \
	--no-header --no-annotate $(ARGS) pyproject.toml

lock: ## make the lock files anew after a change of dependencies: make lock ARGS=--upgrade
	@$(PYTHON) .ci/venv.py requirements-dev.txt
	$(LOCK) --group build --output-file requirements.txt
	$(LOCK) --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@! grep -nE '://|--(extra-)?index' requirements.txt requirements-dev.txt

settings: ## write docs/settings.md and the tables of docs/smpp.md from the code
	$(BIN)/huiyin check --explain > docs/settings.md
	$(BIN)/python -m gateway.config.explain_smpp docs/smpp.md

clean: ## remove what was made here; the demo's data stays in .huiyin/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
