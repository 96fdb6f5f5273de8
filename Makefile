# Everything a developer does with Tidings. `make` alone lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMPS := .stamps
NPM := scripts/npm
# Errors, and on a terminal how far it is; nothing about funding.
NPM_QUIET := --loglevel=error --no-fund --no-audit

SDK_SOURCES := $(shell find sdk -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
DASHBOARD_SOURCES := $(shell find dashboard -type f -not -path '*/node_modules/*' -not -path '*/locales/.wuchale/*' -not -path '*/locales/data.js' 2>/dev/null)

C_SOURCES := $(wildcard src/tidings/lib/agreement/*.[ch])

.PHONY: help
help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: install ## Install everything and start Tidings with a demo: dashboard, sample site, 1 000 simulated subscribers
	@exec $(BIN)/tidings up --demo

.PHONY: dev
dev: install ## Like run, with the dashboard rebuilt at every change
	@scripts/dev

.PHONY: test
test: install browsers ## Run every test: SDK, dashboard, server, both databases, real browsers
	@scripts/test

.PHONY: unit
unit: $(STAMPS)/python ## Run the fast tests: no network, no browser, no database server
	@$(BIN)/pytest -q tests/unit

.PHONY: check
check: install ## Check format, lint, types, import contracts, spelling, sizes and docs
	@scripts/check

.PHONY: format
format: $(STAMPS)/python ## Format the Python sources
	@$(BIN)/ruff format -q src tests bench examples && $(BIN)/ruff check -q --fix src tests bench examples

.PHONY: bench
bench: install ## Measure what a message costs, as ratios to a floor and to others (needs nginx and h2load)
	@$(BIN)/tidings bench all --subscribers 10000 --subscribers 100000 --senders 1 --senders 2 --senders 4 \
	  --out bench/results/$$(date +%F).json

.PHONY: bench-smoke
bench-smoke: $(STAMPS)/python ## See that no cost has grown by an order of magnitude (needs nginx)
	@$(BIN)/pytest -q tests/integration/bench

.PHONY: wheel
wheel: install ## Build the wheel with the SDK and the dashboard in it
	@$(UV) build --wheel --quiet --out-dir dist && ls dist/*.whl

.PHONY: sdk
sdk: $(STAMPS)/sdk ## Build the browser SDK and its service worker

.PHONY: dashboard
dashboard: $(STAMPS)/dashboard ## Build the dashboard

.PHONY: screenshots
screenshots: install ## Take pictures of every page of the dashboard, from a real server with a demo in it
	@$(BIN)/python scripts/screenshots.py

.PHONY: lock
lock: $(STAMPS)/python ## Resolve the Python dependencies anew and write the lock files
	@scripts/lock

.PHONY: install
install: $(STAMPS)/python $(STAMPS)/sdk $(STAMPS)/dashboard ## Make the environment and build the SDK and the dashboard

.PHONY: browsers
browsers: ## Install Chromium and Firefox for the tests where that is allowed (root and apt)
	@scripts/browsers

.PHONY: clean
clean: ## Remove the environment and everything built
	@rm -rf $(VENV) $(STAMPS) dist build sdk/node_modules dashboard/node_modules src/tidings/web/static
	@rm -f src/tidings/lib/agreement/_lanes.so

$(STAMPS)/python: requirements/dev.lock pyproject.toml scripts/compile.py $(C_SOURCES)
	@scripts/python "$(PYTHON)" "$(VENV)"
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/sdk: $(SDK_SOURCES) $(STAMPS)/python
	@echo "Installing the packages of the SDK"
	@cd sdk && ../$(NPM) ci $(NPM_QUIET)
	@echo "Building the SDK"
	@cd sdk && ../$(NPM) run --silent build
	@touch $@

$(STAMPS)/dashboard: $(DASHBOARD_SOURCES) $(STAMPS)/python
	@echo "Installing the packages of the dashboard"
	@cd dashboard && ../$(NPM) ci $(NPM_QUIET)
	@echo "Building the dashboard"
	@cd dashboard && ../$(NPM) run --silent build
	@touch $@
