# The commands of the project; `make` alone lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PARTS := libs/wire libs/chassis libs/registry services/scanner services/signer services/policy services/verifier services/admission cli

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz bench-scan lint types format generate requirements clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Create the environment in .venv (needs Python 3.11+ alone)

$(VENV)/.ready: requirements/dev.txt $(PARTS:%=%/pyproject.toml)
	PYTHON=$(PYTHON) deploy/local/setup.sh $(VENV) $(PARTS)
	@touch $@

demo: setup ## Play the whole workflow on this machine, end to end, on real images
	$(BIN)/python -m deploy.local.demo

test: setup ## Run every test, with the real components (as root on Debian it installs them)
	tests/run

fuzz: setup ## Throw hostile bytes at every parser, for minutes instead of moments
	tests/run -m hypothesis --hypothesis-profile=fuzz --timeout=1200 tests/unit

bench-scan: setup ## Measure how long a scan takes, against the least that reading can cost
	$(BIN)/python -m tests.bench.scan

lint: setup ## Style, import contracts, protos, generated stubs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/buf lint
	libs/wire/generate --check
	libs/wire/breaking

types: setup ## mypy --strict over everything
	$(BIN)/mypy

format: setup ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

generate: setup ## Generate the stubs of libs/wire from the protos
	libs/wire/generate

requirements: setup ## Write the pinned requirements of every part anew
	requirements/compile

clean: ## Remove the environment and what tests and demo left
	rm -rf $(VENV) .cache
