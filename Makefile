# Every target sets up .venv itself when something changed; nothing has to be installed but Python 3.11 or newer.
PYTHON   ?= python3
DATASET  ?= planted
BUDGET   ?= $(or $(PRESET),quick)
DATA_DIR ?=
SEEDS    ?=
WORKERS  ?=
ONLY     ?=
FORCE    ?=
JOBS     ?= 2
PYTEST   ?=
SIZES    ?=
PEER_ENV ?=

ifneq ($(PRESET),)
  $(warning PRESET is called BUDGET now)
endif

RUN       := $(PYTHON) tools/bootstrap.py --
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.DEFAULT_GOAL := help
.PHONY: help report test bench lint format docs lab doctor clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

# One thread unless told otherwise: the default data are small, and where cores are busy elsewhere, threads that wait
# for each other were measured ten times slower than one.
report:  ## bring the offline report up to date (DATASET=planted BUDGET=quick SEEDS=3 DATA_DIR=... ONLY=12 WORKERS=2 FORCE=1)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) hyperctr report $(DATASET) --budget $(BUDGET) $(if $(DATA_DIR),--data-dir "$(DATA_DIR)") \
	  $(if $(SEEDS),--seeds $(SEEDS)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(ONLY),--only $(ONLY)) $(if $(FORCE),--force)

test: lint  ## what CI runs: lint, types, then the whole test suite (PYTEST="-k name" narrows it)
	OMP_NUM_THREADS=1 $(RUN) pytest -n $(JOBS) --dist worksteal $(PYTEST)

bench:  ## measure speed against the size of the data and a peer (ONLY=training SIZES=100000,1000000 PEER_ENV=folder)
	$(RUN) python tools/bench.py $(if $(ONLY),--only $(ONLY)) $(if $(SIZES),--sizes $(SIZES)) $(if $(PEER_ENV),--peer-env "$(PEER_ENV)") \
	  $(if $(DATA_DIR),--data-dir "$(DATA_DIR)")

lint:  ## style, formatting, types, stripped notebooks
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(if $(NOTEBOOKS),$(RUN) nbstripout --keep-id --verify $(NOTEBOOKS))

format:  ## let ruff and nbstripout put right what they can
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(if $(NOTEBOOKS),$(RUN) nbstripout --keep-id $(NOTEBOOKS))

docs:  ## these pages as a site, with what their code gives and a report: build/docs/index.html (BUDGET=quick)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) hyperctr report planted --budget $(BUDGET) --out build/docs/report
	HYPERCTR_DOCS_RUN=1 OMP_NUM_THREADS=1 $(RUN) python -m sphinx -W --keep-going -q -c docs/site -b html . build/docs
	@echo build/docs/index.html

lab:  ## JupyterLab at the first notebook (prints its address with a token)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root) \
	  --LabApp.default_url=/lab/tree/00_start_here.ipynb

doctor:  ## versions, device, data, browser: what is missing and the line to type
	$(RUN) hyperctr doctor

clean:  ## remove the environment, caches and rendered reports; runs and data stay
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist reports/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
