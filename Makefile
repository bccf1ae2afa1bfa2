PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.PHONY: install bench demo docs test test-slow test-lowest fuzz lint format clean

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	touch $@

# The rivals that benchmarks/tables.py measures against; smote-variants brings TensorFlow along.
bench: install
	$(BIN)/pip install -q -c constraints.txt -e ".[bench]"

demo: install
	$(BIN)/skgan demo

# The site, in docs/_build/html; every program of the gallery is run. A warning is an error.
docs: install
	$(BIN)/pip install -q -c constraints.txt -e ".[docs,cluster]"
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -b html -W --keep-going -d docs/_build/doctrees docs docs/_build/html

# Two processes of one thread are quicker than one of two.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# On clusters of two worker processes, and on large data: a quarter of an hour, and Dask and Ray beside.
test-slow: install
	$(BIN)/pip install -q -c constraints.txt -e ".[cluster]"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow $(wildcard tests/cluster tests/large)

# Some of the tests with the lowest versions that pyproject.toml allows; some 2.5 GB of torch are downloaded.
test-lowest:
	$(PYTHON) tests/lowest.py .venv-lowest

# 10,000 inputs of every kind with a fresh seed; a run that was stopped goes on where it was.
fuzz: install
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m fuzz

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-lowest build dist *.egg-info skgan-demo docs/_build docs/generated docs/auto_gallery
