# Everything that one types here. `make` alone prints the list; each target says what it does
# on its own line, and tests/architecture holds the list against the file.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
READY := .venv/.ready
PACKAGES := $(sort $(dir $(wildcard libs/*/pyproject.toml services/*/pyproject.toml \
	portal/pyproject.toml cli/pyproject.toml infra/local/pyproject.toml)))

# A tree that was moved or copied holds a .venv full of paths of its old place: make it anew.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

.PHONY: help
help: ## print this list
	@echo 'Chronicle. The first use of any target sets up .venv (a minute or two, no root needed).'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'PYTHON=/path/to/python3.12 chooses the interpreter (3.11 to 3.13) for the set-up.'

.PHONY: demo
demo: $(READY) ## record a sample live stream, watch it, make its torrent; ONCE=1 ends it by itself
	@$(BIN)/python -m chronicle_local demo $(if $(filter-out 0,$(ONCE)),--once)

.PHONY: up
up: $(READY) ## start the whole system on this machine; Ctrl-C stops it
	@$(BIN)/python -m chronicle_local up

.PHONY: status
status: $(READY) ## show the processes of a system that `make up` or `make demo` started
	@$(BIN)/python -m chronicle_local status

.PHONY: down
down: $(READY) ## stop it from another terminal; running recordings are delivered first
	@$(BIN)/python -m chronicle_local down

.PHONY: shell
shell: $(READY) ## a shell in which manage.py and all that docs/operations.md says speak to it
	@$(BIN)/python -m chronicle_local shell || true

.PHONY: setup
setup: $(READY) ## only set up .venv; done once, and again when requirements.lock changes

.PHONY: test
test: tools lint ## run every check and every test, as CI does
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: $(READY) ## ruff, mypy, import-linter, missing migrations, terraform fmt
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@DJANGO_DEBUG=true CHRONICLE_HOME=.venv/no-home \
		$(BIN)/python portal/manage.py makemigrations --check --dry-run
	@bash infra/local/setup/terraform-fmt.sh

.PHONY: format
format: $(READY) ## format the Python and Terraform files, repair what ruff can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@if command -v terraform >/dev/null; then terraform fmt -recursive infra/terraform; fi

.PHONY: tools
tools: ## install what the tests use of the system (aria2, chromium, ...); needs root, else names it
	@bash infra/local/setup/system-packages.sh

.PHONY: bench
bench: $(READY) ## list the benchmarks; NAME=... runs one
	@$(BIN)/python -m bench $(NAME)

.PHONY: asyncapi
asyncapi: $(READY) ## docs/asyncapi.json from the events and the topology
	@$(BIN)/python -m chronicle_contracts.asyncapi

.PHONY: settings-docs
settings-docs: $(READY) ## write docs/settings.md from the settings of every process
	@$(BIN)/python -m chronicle_local.settings_docs

.PHONY: lock
lock: $(READY) ## pin requirements.in anew in requirements.lock, with hashes
	@$(BIN)/uv pip compile requirements.in --output-file requirements.lock --upgrade --quiet \
		--universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

.PHONY: clean
clean: ## remove .venv and the caches; recordings and state (.chronicle) stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock infra/local/setup/environment.sh $(addsuffix pyproject.toml,$(PACKAGES))
	@bash infra/local/setup/environment.sh $(PACKAGES)
