# Two commands: `make run` starts everything, `make test` tells whether everything is right.
# Settings of the launcher: PORT, HOST, DATA_DIR, DATABASE_URL, BROKER_URL, CACHE_URL (docs/deployer.md).

PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test check bench format messages lock
.NOTPARALLEL:

run test check bench:
	@$(PYTHON) -m paysite.launcher $@

format:
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

# New texts into locale/, one line each, so that a change of one text changes one line.
messages:
	@DEMO=true $(BIN)/python manage.py makemessages -l zh_Hans --no-location --no-wrap --no-obsolete \
		--ignore .venv --ignore var --ignore bench --ignore tests

# Keeps the versions that are locked; `make lock UPGRADE=--upgrade` takes newer ones.
lock:
	@$(BIN)/uv pip compile pyproject.toml -o requirements.txt \
		--generate-hashes --no-header --quiet --python-version 3.11 $(UPGRADE)
	@$(BIN)/uv pip compile --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt \
		--generate-hashes --no-header --quiet --python-version 3.11 $(UPGRADE)
