# make run    set up and serve examples/openser.cfg on an embedded SQLite database (PORT=5060)
# make test   set up and run all tests
# make lint   formatting, types, the arrows between packages
# make bench  our own load generator against our own server
# make simulate  the whole server in virtual time, with faults by chance (SEEDS=500); SEED=7 tells one run in full
# make kill      kill a loaded server again and again (ROUNDS=1000 DATABASE=sqlite|mysql|postgres)
# make soak      the long forms of all of these: hours (ROUNDS=1000 SEEDS=100000)
# make fuzz    inputs made up by atheris (SECONDS=60 over all targets, TARGET=stream only one, SEED=1 the same inputs each
#              time); needs a wheel of atheris
# make mutants   break each promise in a copy of the source, and see which test finds it
# make compiled       a copy of the project in build/compiled, its hot modules compiled by mypyc
# make test-compiled  run on that copy the tests of all that is compiled, but for the long ones
# make docs   write the pages that are generated from the declarations, and the grammar for editors
# make site   all pages as HTML, in build/site
# make clean  remove what the targets above made

PYTHON ?= python3
PORT ?= 5060
VENV := .venv
BIN := $(VENV)/bin
PARALLEL := -n auto --dist loadscope --no-loadscope-reorder  # a file or class a worker, in the order of conftest.py

.PHONY: run test lint bench simulate kill soak fuzz mutants compiled test-compiled docs site clean

run: $(VENV)/installed
	@mkdir -p var
	@$(BIN)/openpy -f examples/openser.cfg --guide -l udp:127.0.0.1:$(PORT) -l tcp:127.0.0.1:$(PORT)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PARALLEL)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python -m bench

simulate: $(VENV)/installed-dev
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),500))

kill: $(VENV)/installed-dev
	$(BIN)/python -m tests.scenarios.kills --rounds $(or $(ROUNDS),1000) --database $(or $(DATABASE),sqlite)

soak: $(VENV)/installed-dev
	OPENPY_SOAK=1 $(BIN)/python -m pytest -n 0 -s tests/scenarios/test_overload.py tests/scenarios/test_slope.py \
	  tests/scenarios/test_many_expire.py tests/work/test_scale.py tests/interop/test_lossy_calls.py
	$(foreach database,sqlite mysql postgres,$(MAKE) kill DATABASE=$(database) &&) true
	$(MAKE) simulate SEEDS=$(or $(SEEDS),100000)
	$(MAKE) mutants

fuzz: $(VENV)/installed-fuzz
	$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),0) $(TARGET)

mutants: $(VENV)/installed-dev
	$(BIN)/python -m tests.mutation

# A copy of the whole project: what runs there finds that openpy first. Objects of an earlier build are kept.
COMPILED := build/compiled
COMPILED_TESTS := tests/test_compiled.py $(addprefix tests/,conformance db documents engine examples faults net rfc4475 \
  scenarios seed simulation sip transaction useragent work) \
  $(addprefix tests/modules/,acc auth presence presence_mwi presence_xml registrar rr sl textops tm usrloc)
COPIED := openpy tests bench fuzz examples docs editors setup.py pyproject.toml Makefile README.md CONTRIBUTING.md CHANGELOG.md LICENSE .ci

compiled: $(COMPILED)/built

# Made anew only when something that is copied has changed.
$(COMPILED)/built: $(VENV)/installed-dev $(shell find $(COPIED) -name node_modules -prune -o -type f ! -name '*.pyc' -print)
	@mkdir -p $(COMPILED)
	@cd $(COMPILED) && rm -rf $(COPIED)
	@cp -Rp $(COPIED) $(COMPILED)
	@cd $(COMPILED) && OPENPY_COMPILE=1 $(CURDIR)/$(BIN)/python setup.py -q build_ext --inplace
	@touch $@

test-compiled: compiled
	@cd $(COMPILED) && OPENPY_COMPILED=1 PYTHONPATH=$(CURDIR)/$(COMPILED) \
	  OPENPY_SHARED=$${OPENPY_SHARED:-$(abspath ../shared)} \
	  $(CURDIR)/$(BIN)/python -m pytest $(PARALLEL) -m "not pure and not long" $(COMPILED_TESTS)

docs: $(VENV)/installed
	$(BIN)/python -m openpy.cli.docs docs
	$(BIN)/python -m openpy.editor.textmate editors/openser.tmLanguage.json

site: $(VENV)/installed-dev
	$(BIN)/python -m openpy.cli.site docs build/site

clean:
	rm -rf $(VENV) $(SIPJS)/node_modules var build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis .coverage*

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

# Foreign SIP clients for the interop tests; where there is no wheel, or no npm, these tests say so.
SIPJS := tests/interop/sipjs
$(VENV)/installed-interop: pyproject.toml $(SIPJS)/package-lock.json $(VENV)/installed-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[interop]'
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(SIPJS); fi
	@touch $@

# The engine of `make fuzz`.
$(VENV)/installed-fuzz: pyproject.toml $(VENV)/installed-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]' && touch $@
