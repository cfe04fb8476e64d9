# The front door. Every target is enough on its own: it installs what is missing, builds what has changed, and runs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

JOBS ?= $(shell nproc)
PREFIX ?= $(HOME)/.local

.PHONY: help setup build demo test test-faults bench docs install asan format format-check clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages, DuckDB, ECharts, test data
	@tools/setup

build: ## Build the release preset: build/release/bin/eddy
	@tools/setup build
	@tools/build release $(JOBS) programs

demo: build ## Run the whole loop on the example shop, and show where the data went
	@tools/setup demo
	@tools/demo

test: ## Build, then run every test
	@tools/setup build test
	@tools/build release $(JOBS)
	@ctest --preset release

test-faults: ## The whole fault harness: a death at every call, hostile services, damaged state (takes an hour)
	@tools/setup build test
	@tools/build release $(JOBS)
	@EDDY_FAULTS=full build/release/bin/eddy_faults_test

asan: ## Unit and scenario tests under AddressSanitizer and UBSan
	@tools/setup build test
	@tools/build asan $(JOBS)
	@ctest --preset asan -L 'unit|scenario'

bench: ## Measure speed against bare DuckDB and psql; prints a table
	@tools/setup build test
	@tools/build release $(JOBS)
	@build/release/bin/eddy-bench

docs: build ## Write the reference pages of the connectors anew: docs/reference/connectors
	@build/release/bin/eddy connectors --markdown docs/reference/connectors

install: build ## Install under PREFIX (default ~/.local); the tree can be moved afterwards
	@cmake --install build/release --prefix '$(PREFIX)'

format: ## Format the C++ sources
	@tools/format

format-check: ## Fail when a C++ source is not formatted
	@tools/format --check

clean: ## Remove what was built; third_party/npm stays
	@rm -rf build
