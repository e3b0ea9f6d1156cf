# The two commands of the README are `make demo` and `make test`. Both set up what is missing first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup demo clean-demo example test test-roles check lint format bench lock docs

LEPTONCTL := .venv/bin/leptonctl
DEMO := templates/demo.yaml
# Test processes at once; each may have a site of local hosts up, and half of the time it waits for its hosts.
export JOBS ?= 3

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing: Debian packages and .venv
	@scripts/setup.sh

demo: setup ## bring up the demo site on this machine: core, region and edge
	$(LEPTONCTL) up $(DEMO) --yes
	$(LEPTONCTL) status $(DEMO)
	@cat scripts/demo_next.txt

clean-demo: setup ## remove the demo site
	$(LEPTONCTL) down $(DEMO) --yes

example: setup ## data in HDFS, training, serving at the edge, faults: examples/vision on this machine, with figures
	@scripts/example.sh

test: setup ## run everything: linters, quick tests, tests on real local hosts
	@scripts/test.sh

test-roles: setup ## every role by all that may happen to it and every change made by hand, on real local hosts
	@scripts/have_maven.sh
	@scripts/raise_watches.sh
	@.venv/bin/pytest -q -m matrix

check: setup ## run the quick part: linters and the tests that need no hosts
	@scripts/check.sh

lint: setup ## run the linters alone
	@scripts/check.sh lint

format: setup ## format the code, mend what ruff can mend
	@.venv/bin/ruff check --quiet --fix . || true
	@.venv/bin/ruff format .

bench: setup ## run all benchmarks into benchmarks/RESULTS.md, or one: make bench NAME=help_start
ifdef NAME
	@.venv/bin/python benchmarks/$(NAME).py
else
	@.venv/bin/python scripts/bench.py
endif

lock: setup ## pin the dependencies of pyproject.toml anew, with hashes
	@scripts/lock.sh

docs: setup ## write the generated pages of docs/reference/ and build the site in build/docs
	@.venv/bin/python scripts/reference.py
	@.venv/bin/mkdocs build --quiet --strict --site-dir build/docs
