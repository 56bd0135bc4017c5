# Two commands: `make run` starts everything, `make test` tells whether everything is right.
# Settings of the launcher: PORT, HOST, DATA_DIR, DATABASE_URL, BROKER_URL, CACHE_URL (docs/deployer.md).

PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test check bench format lock
.NOTPARALLEL:

run test check bench:
	@$(PYTHON) -m paysite.launcher $@

format:
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

# Keeps the versions that are locked; `make lock UPGRADE=--upgrade` takes newer ones.
lock:
	@$(BIN)/uv pip compile pyproject.toml -o requirements.txt \
		--generate-hashes --no-header --quiet --python-version 3.11 $(UPGRADE)
	@$(BIN)/uv pip compile --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt \
		--generate-hashes --no-header --quiet --python-version 3.11 $(UPGRADE)
