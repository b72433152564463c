# Everything happens in .venv, from requirements.lock; nothing outside the checkout is touched.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.keyhouse-ready
CLIENT := tests/support/client/node_modules/.keyhouse-ready

# What Python compiled is kept, also where it was told otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup up check test bench soak lock clean

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
	@$(BIN)/python -m pytest -q tests/unit

# The independent client: matrix-js-sdk under the Node that came with the lock.
$(CLIENT): $(SETUP) tests/support/client/package-lock.json
	@cd tests/support/client && ../../../$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

test: setup $(CLIENT)
	@$(BIN)/python -m pytest -q

# The kill and race tests again and again, each round with names of its own.
SOAK := tests/storage/test_races.py tests/bots/test_nothing_is_lost.py tests/synapse/test_registration.py
ROUNDS ?= 20
soak: setup $(CLIENT)
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; $(BIN)/python -m pytest -q $(SOAK) || exit 1; done

bench: setup $(CLIENT)
	@$(BIN)/python -m benchmarks

lock: setup
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .demo tests/support/client/node_modules
