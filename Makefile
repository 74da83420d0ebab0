# `make demo` and `make test` do all their set-up in .venv. Another Python: make test PYTHON=python3.13
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# The file is run in Node too, where there is one.
NODE := $(if $(shell command -v npm),tests/edge/node/node_modules/.ready)

BENCHMARKS := start file adult creditcard verdict calibration coverage unfamiliar attribution resume fuzz prevalence regress \
	survival planted_hazard fairness shift label_errors human_labels learning_curve scale decoding pictures maps picture_file \
	mias unlabelled texts tags writing tatoeba completion replies sounds keywords transcribe wrong_texts captions streaming speak report \
	newcomer

.PHONY: demo test lint bench rivals clean

demo: $(READY)
	$(BIN)/learnt demo table

# Two at a time, each on one core: what a file of tests trains once stays with the process that has the file.
test: $(READY) $(NODE)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# One after another, for they measure time; a bar that is missed or a script that fails does not stop the rest.
bench: $(READY) rivals
	@for name in $(BENCHMARKS); do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(BENCH) || echo "benchmarks/$$name.py failed"; \
	done
	$(BIN)/python benchmarks/table.py

rivals: .venv-rivals/.ready

clean:
	rm -rf .venv .venv-rivals build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@echo "Installing into .venv with $(PYTHON); this takes a few minutes the first time."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[train,test,lint]"
	@touch $@

.venv-rivals/.ready: benchmarks/rivals.txt constraints.txt
	$(PYTHON) -m venv .venv-rivals
	@echo "*" > .venv-rivals/.gitignore
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/rivals.txt
	@touch $@

tests/edge/node/node_modules/.ready: tests/edge/node/package-lock.json
	npm ci --silent --no-audit --no-fund --ignore-scripts --prefix tests/edge/node && touch $@ || echo "Without npm's registry the Node tests are left out."
