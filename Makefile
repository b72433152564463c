# Everything happens in .venv, from requirements.lock; nothing outside the checkout is touched.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.keyhouse-ready
CLIENT := tests/support/client/node_modules/.keyhouse-ready

# What Python compiled is kept, also where it was told otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup up check test bench soak lock clean docs-pages door-report

setup: $(SETUP)

# uv when it can be had, because it is ten times faster; pip installs the same lock otherwise. Both compile what they
# install: a house is many processes, and the first start of each would compile all of Synapse or nio again.
$(SETUP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; then \
		$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

up: setup
	@exec $(BIN)/keyhouse --data .demo up --demo

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m keyhouse.storage.check
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal tests/unit

# The independent client: matrix-js-sdk under the Node that came with the lock.
$(CLIENT): $(SETUP) tests/support/client/package-lock.json
	@cd tests/support/client && ../../../$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

# The rules first; then what has a Synapse, file by file on two cores, each with a Synapse of its own.
test: setup $(CLIENT)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal tests/unit
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/unit

# The kill and race tests at length: first one bot that is killed KILLS times at random, then ROUNDS times the kills at
# every named place, two watchers that die in turn, and the races; each round with names of its own.
KILLS ?= 200
ROUNDS ?= 20
AT_RANDOM := tests/bots/test_killed.py::test_a_bot_killed_again_and_again_at_random_decides_about_every_message_once
SOAK := tests/bots/test_killed.py tests/bots/test_killed_at_keys.py tests/bots/test_nothing_is_lost.py \
	tests/delivery/test_two_watchers.py tests/storage/test_races.py tests/storage/test_inbox_races.py \
	tests/storage/test_booking_races.py tests/synapse/test_registration.py
soak: setup $(CLIENT)
	@echo "$(KILLS) kills at random"; KEYHOUSE_KILLS=$(KILLS) $(BIN)/python -m pytest -q $(AT_RANDOM)
	@echo "10,000 racers for 200 codes"; KEYHOUSE_CODES=200 KEYHOUSE_RACERS=50 $(BIN)/python -m pytest -q tests/synapse/test_registration.py -k however_many
	@echo "500 people at once"; KEYHOUSE_PEOPLE=500 $(BIN)/python -m pytest -q tests/moves/test_many_at_once.py
	@echo "keys changed 50 times"; KEYHOUSE_ROUNDS=50 $(BIN)/python -m pytest -q tests/moves/test_changes_of_key.py
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; $(BIN)/python -m pytest -q $(SOAK) || exit 1; done

bench: setup $(CLIENT)
	@$(BIN)/python -m benchmarks

# Pages that a run of the program writes; a test fails when they are out of date.
docs-pages: setup
	@$(BIN)/python -m tests.support.one_sentence

# The table of ways in, tried on a Synapse of its own, printed, and written into docs/door.md.
door-report: setup
	@$(BIN)/python -m tests.synapse.door_report

lock: setup
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .demo tests/support/client/node_modules
