# The project's commands: set-up, demo, tests, checks. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup assets demo test check fuzz chaos lint types imports fix lock docs bench clean system-test-packages

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
# Tests start hundreds of processes: none of them compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

setup: $(VENV)/.installed assets ## environment (locked) and the console's assets; leaves .venv/bin/foodsentry

$(VENV)/bin/uv:
	@sh deploy/make_venv.sh $(VENV) $(UV_VERSION)

$(VENV)/.installed: requirements/all.txt pyproject.toml | $(VENV)/bin/uv
	@echo "· installing locked packages"
	@$(UV) pip sync --quiet --python $(PY) --require-hashes requirements/all.txt requirements/uv.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

assets: server/static/vendor/.built ## the console's scripts and styles, from npm's lock file

server/static/vendor/.built: server/assets/package-lock.json server/assets/build.mjs server/assets/icons.py server/static/seal.svg $(wildcard server/assets/src/*) | $(VENV)/.installed
	@echo "· building the console's assets"
	@$(PY) -m server.assets
	@touch $@

demo: setup ## the demo town; console on http://127.0.0.1:8000
	@$(VENV)/bin/foodsentry demo

system-test-packages:
	@sh deploy/test_packages.sh

test: setup system-test-packages ## every test, on real parts (installs what they need)
	@$(PY) -m pytest -m "not real and not browser" -n 2
	@$(PY) -m pytest -m "real or browser" -n 2 --dist loadfile

check: setup ## the quick loop: lint, types, import rules, fast tests
	@$(MAKE) --no-print-directory lint types imports
	@$(PY) -m pytest -m "not slow and not browser and not real" -q -n 2 --hypothesis-profile=quick

fuzz: setup ## a night's fuzz of every framer: a million damaged inputs
	@FOODSENTRY_FUZZ=1000000 $(PY) -m pytest -q --timeout 0 tests/edge/protocols/test_fuzz.py

chaos: setup system-test-packages ## a city killed part by part; renews docs/chaos.md; CHAOS="-k broker": some
	@FOODSENTRY_CHAOS=1 $(PY) -m pytest tests/chaos -v $(CHAOS)

lint: ; @$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
types: ; @$(VENV)/bin/mypy
imports: ; @$(VENV)/bin/lint-imports
fix: ; @$(VENV)/bin/ruff check --fix . ; $(VENV)/bin/ruff format .

docs: ## generated reference pages, from the types
	@$(PY) -m foodsentry.reference

bench: setup ## the committed benchmarks
	@$(VENV)/bin/foodsentry bench all

LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
lock: | $(VENV)/bin/uv ## renew the locked requirements
	@$(LOCK) --extra dev -o requirements/all.txt pyproject.toml
	@$(LOCK) --extra edge -c requirements/all.txt -o requirements/edge.txt pyproject.toml
	@$(LOCK) --extra city -c requirements/all.txt -o requirements/city.txt pyproject.toml
	@echo "uv==$(UV_VERSION)" | $(LOCK) -o requirements/uv.txt -

clean: ; rm -rf $(VENV) server/static/vendor server/assets/node_modules .demo
