# Two commands set up a fresh machine: `make demo` and `make test`. Both make .venv with what pyproject.toml names.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test clean

demo: $(VENV)/.service
	$(BIN)/dicom-node demo

test: $(VENV)/.dev
	$(BIN)/ruff check .
	@if $(BIN)/python -c "import torch" 2>/dev/null; then echo $(BIN)/mypy; $(BIN)/mypy; \
	else echo "torch is not installed: the types of the workshop and of its tests are not checked"; \
	$(BIN)/mypy -p dicom_node -p inference; fi
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.service: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[cpu]"
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[cpu,dev]"
	touch $@ $(VENV)/.service

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
