.PHONY: check lint format test sample map picture constraints

check: lint test  ## everything that must be green

lint:
	python -m ruff format --check .
	python -m ruff check .
	python -m mypy
	lint-imports

format:
	python -m ruff format .
	python -m ruff check --fix .

test:
	python -m pytest

sample:  ## the synthetic city of data/sample, byte for byte
	python -m planner.load.sample data/sample

map: ## the map of maps/ and the picture of docs/
	python docs/make_map.py

constraints:  ## pin what CI installs; run in a fresh environment
	python -m pip install --upgrade ".[dev]" hatchling
	echo "# What CI installs; \`make constraints\` in a fresh environment makes it anew." > constraints.txt
	python -m pip freeze --exclude station-coverage-planner >> constraints.txt
