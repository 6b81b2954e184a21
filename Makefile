# One line of help each: make help
PYTHON ?= python3
TOOLS := .tools/bin
UV := UV_PYTHON_DOWNLOADS=never $(TOOLS)/uv
CRM := .venv/bin/crm
# Extras of the package to install beside it: make test EXTRAS=--extra=spark
EXTRAS ?=
# Side by side in make test; 0 runs one test after another.
WORKERS ?= 2
READY := .venv/.ready$(EXTRAS)

.DEFAULT_GOAL := help
.PHONY: help report test bench lab demo lock lint clean

help:  ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(READY)  ## run the demo client for 2024-Q4 and print its report's path
	@$(CRM) run demo --period 2024-Q4

test: $(READY)  ## run every test, the committed notebooks among them
	@.venv/bin/python -m pytest -n $(WORKERS)

bench: $(READY)  ## print how right and how dear we are, beside others (half an hour)
	@for script in order_lines facts killed same_person errors intervals odds value relations baskets; do .venv/bin/python bench/$$script.py || exit 1; done
	@CRM_EVERY=1 CRM_EXAMPLES=2000 .venv/bin/python -m pytest -q tests/test_crossed.py tests/collection \
		tests/classification/test_clusters.py

lab: $(READY)  ## open JupyterLab on working copies of the demo's notebooks
	@$(CRM) lab demo

demo: $(READY)  ## make the demo's data again and rewrite the committed notebook outputs
	@.venv/bin/python data/demo/make_demo.py
	@rm -rf data/demo/deliveries
	@cd notebooks && for notebook in *.ipynb; do ../.venv/bin/jupyter nbconvert --to notebook --execute --inplace \
		--log-level=WARN --ExecutePreprocessor.record_timing=False \
		$$notebook || exit 1; done
	@.venv/bin/python tests/documents.py

lock: $(TOOLS)/uv  ## resolve the packages again: uv.lock, and environment.yml from it
	@$(UV) lock
	@$(TOOLS)/python tests/environment.py > environment.yml.new && mv environment.yml.new environment.yml

lint: $(READY)  ## check and format code and notebooks
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

clean:  ## delete what can be made again: environments, built tables, reports, caches
	@rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis data/*/built data/*/lab reports/*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(TOOLS)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .tools
	@$(TOOLS)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"

# Compiled at once: importing uncompiled packages would cost every kernel seconds.
$(READY): pyproject.toml uv.lock $(TOOLS)/uv
	@$(UV) sync --frozen --compile-bytecode --quiet $(EXTRAS) --python $(TOOLS)/python
	@rm -f .venv/.ready* && touch $@
