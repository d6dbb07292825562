# make run    set up and serve examples/openser.cfg on an embedded SQLite database (PORT=5060)
# make test   set up and run all tests
# make lint   formatting, types, the arrows between packages
# make bench  our own load generator against our own server
# make docs   write the pages that are generated from the declarations
# make clean  remove what the targets above made

PYTHON ?= python3
PORT ?= 5060
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench docs clean

run: $(VENV)/installed
	@mkdir -p var
	@$(BIN)/openpy -f examples/openser.cfg --guide -l udp:127.0.0.1:$(PORT) -l tcp:127.0.0.1:$(PORT)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadscope

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python -m bench

docs: $(VENV)/installed
	$(BIN)/python -m openpy.cli.docs docs

clean:
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis .coverage*

# A set-up is made anew only when pyproject.toml changed; then `make run` needs no network.
$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "openpy needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/python
	@echo "Setting up $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e . && touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/python
	@echo "Setting up $(VENV) for development ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' && touch $@ $(VENV)/installed

# Foreign SIP clients for the interop tests; where there is no wheel these tests say so.
$(VENV)/installed-interop: pyproject.toml $(VENV)/installed-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[interop]' && touch $@
