# make run [MUSIC=DIR] [PORT=8765]   play a folder of music (the demo clips without MUSIC)
# make test                          the whole check
# make test-web                      the page's part of it: format, lint, types, unit tests
# make test-wheel                    build the package, install it where nothing is, and play from it (3 minutes)
# make conformance MUSIC=DIR         every number beside independent programs, written to docs/conformance.md
# make quality MUSIC=DIR             what must be true of the sound, measured, written to docs/quality.md
# make quality MUSIC=DIR ONLY=Q6,Q18 the rows of these criteria, printed
# make quality-baseline MUSIC=DIR    record what models of hearing say now, for make quality to hold later ones to
# make sensitivity                   whether a wrong constant in any dimension turns a test red
# make bench                         what it costs, beside others, written to docs/bench.md
# make bench-streaming MUSIC=DIR     how soon it plays, and how many listeners this machine carries, printed
# make bench-scan [FILES=N]          how many files a second are scanned, beside readers of tags, printed
# make bench-library [TRACKS=N]      how soon a library of half a million tracks answers, printed
# make bench-postgres [TRACKS=N]     the same of one in a Postgres of its own (WRITE=--write: into docs/bench.md)
# make bench-growth                  how the cost grows with length, rate, channels, library, listeners; drawn
# make bench-page [TRACKS=N]         what the web player costs: its size, first paint, frames while it scrolls, printed
# make bench-click MUSIC=DIR         how long it takes from the click to the sound in the page, printed
# make soak [MINUTES=30]             a day in its life: does memory grow, does anything go wrong (WRITE=--write: into docs/bench.md)
# make screenshots MUSIC=DIR OUT=DIR every view of the web player, desktop and phone, dark and light
# make pairs MUSIC=DIR OUT=DIR       ten tracks before and after at equal loudness, with a table of what changed

PYTHON ?= python3
MUSIC  ?= demo
PORT   ?= 8765
OUT    ?= pairs
TRACKS ?= 500000
FILES  ?= 20000
DATABASE_URL ?=
WRITE  ?=
ONLY   ?=
MINUTES ?= 30
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := bench/.venv
WEB    := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/test/*')

.PHONY: run test test-web test-wheel format pairs corridor factors dynamics sensitivity conformance quality quality-baseline bench bench-streaming bench-scan bench-library bench-postgres bench-growth bench-page bench-click soak screenshots clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tonearm needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }

# The package with its player; built anew where the player's sources are newer.
$(VENV)/.installed: pyproject.toml hatch_build.py $(WEB) $(BIN)/python
	@echo "Installing Tonearm and its player into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/.installed
	@echo "Installing the test tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(VENV)/.compiled: $(VENV)/.installed $(wildcard src/tonearm/*/*.py)
	@echo "Compiling the inner loops of the sound, once; this takes up to a minute ..."
	@$(BIN)/python -m tonearm.rendering.warm
	@touch $@

run: $(VENV)/.compiled
	@exec $(BIN)/tonearm serve "$(MUSIC)" --port $(PORT) --data-dir .data

test: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory test-web; fi
	$(BIN)/python -m pytest -n 2 --dist loadgroup --max-worker-restart 0
	@$(BIN)/python tests/left_out.py

test-web: web/node_modules/.installed
	cd web && npm run --silent format:check
	cd web && npm run --silent lint
	cd web && npm run --silent check
	cd web && npm run --silent test

test-wheel: $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python tools/wheel.py

format: $(VENV)/.tested web/node_modules/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd web && npm run --silent format

corridor: $(VENV)/.tested
	$(BIN)/python tools/corridor.py "$(MUSIC)"

factors: $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python tools/factors.py "$(MUSIC)"

dynamics: $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python tools/dynamics.py "$(MUSIC)"

$(BENCH)/.installed: bench/requirements.txt pyproject.toml
	@echo "Installing Tonearm and its peers into $(BENCH) ..."
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@sed '/^#/d' bench/requirements.txt | while read -r peer; do \
		$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" || echo "not to be had here: $$peer"; \
	done
	@touch $@

pairs: $(VENV)/.compiled
	$(BIN)/python tools/pairs.py "$(MUSIC)" "$(OUT)"

sensitivity: $(VENV)/.tested
	$(BIN)/python tools/sensitivity.py

conformance: $(BENCH)/.installed
	PYTHONPATH=tests/support $(BENCH)/bin/python -W ignore tools/conformance.py "$(MUSIC)"

QUALITY := PYTHONPATH=tests/support:tools OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BENCH)/bin/python -W ignore -m quality

quality: $(BENCH)/.installed
	$(QUALITY) "$(MUSIC)" --only "$(ONLY)"

quality-baseline: $(BENCH)/.installed
	$(QUALITY) "$(MUSIC)" --record

bench: $(BENCH)/.installed
	$(BENCH)/bin/python -m bench

bench-streaming: $(BENCH)/.installed
	TONEARM_TEST_MUSIC="$(MUSIC)" $(BENCH)/bin/python -m bench streaming

bench-scan: $(BENCH)/.installed
	$(BENCH)/bin/python -m bench scan --runs 3 --files "$(FILES)" $(WRITE)

bench-library: $(BENCH)/.installed
	$(BENCH)/bin/python -m bench library --tracks "$(TRACKS)" --database-url "$(DATABASE_URL)" $(WRITE)

bench-postgres: $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python -m bench library --tracks "$(TRACKS)" --postgres $(WRITE)

bench-growth: $(BENCH)/.installed
	$(BENCH)/bin/python -m bench growth $(WRITE)

bench-page: $(VENV)/.compiled $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python -m bench page --tracks "$(TRACKS)" $(WRITE)

bench-click: $(VENV)/.compiled $(VENV)/.tested
	TONEARM_TEST_MUSIC="$(MUSIC)" PYTHONPATH=tests/support $(BIN)/python -m bench click $(WRITE)

soak: $(VENV)/.compiled $(VENV)/.tested
	TONEARM_TEST_MUSIC="$(MUSIC)" $(BIN)/python -m bench.soak --minutes "$(MINUTES)" $(WRITE)

screenshots: $(VENV)/.compiled $(VENV)/.tested
	PYTHONPATH=tests/support $(BIN)/python tools/screenshots.py "$(MUSIC)" "$(OUT)"

clean:
	rm -rf $(VENV) $(BENCH) .data build dist web/node_modules src/tonearm/static
