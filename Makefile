# make run    environment, then the demonstration study, then its headline scores
# make test   environment, then style, types and tests
# make docs   environment, then the documentation site
# make dist   wheel, sdist, their SHA-256 and a recipe of conda for them in dist/, the same bytes each time
# All need Python 3.11 or later with venv (Debian, Ubuntu: apt install python3-venv) and make.

PYTHON ?= python3
CORES ?= all
# The CPU build of PyTorch is some 200 MB where the index's own carries CUDA (several GB).
# Where this address is out of reach, the index's own is taken. For a GPU: make run TORCH_INDEX=
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test check docs dist clean

run: $(VENV)/installed
	snakemake --cores $(CORES) --configfile config/config.yaml
	@grubio summary results

test: $(VENV)/installed-dev check
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile

check: $(VENV)/installed-dev
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

docs: $(VENV)/installed-dev
	python scripts/build_docs.py

# Times of files are those of the last commit.
dist: $(VENV)/installed-dev
	rm -rf dist
	umask 022; SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 1577836800) \
	    python -m hatchling build -d dist
	cd dist && sha256sum grubio-* > SHA256SUMS && cat SHA256SUMS
	sed "s/0\{64\}/$$(sed -n 's/ .*tar.gz$$//p' dist/SHA256SUMS)/" conda/meta.yaml > dist/meta.yaml

clean:
	rm -rf $(VENV) results resources logs build dist .snakemake

$(VENV)/created: constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv --clear $(VENV) || { echo 'venv is missing: apt install python3-venv'; exit 1; }
	@if [ -n "$(TORCH_INDEX)" ]; then \
	    $(PIP) install --quiet --retries 0 --timeout 15 --index-url $(TORCH_INDEX) \
	        --constraint constraints.txt $(TORCH) 2>/dev/null \
	    || echo "$(TORCH_INDEX) cannot be reached: PyTorch comes from the package index"; \
	fi
	@touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@

# roc-validator and the hub's library want other versions of libraries than ours. Every Snakemake would
# load the plugin of Kubernetes, which takes a second; its test finds it in a folder of its own.
$(VENV)/tools-installed: $(VENV)/created
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip --disable-pip-version-check install --quiet \
	    roc-validator==0.13.0 huggingface-hub==2.4.0 conda-souschef==3.0.1
	$(PIP) install --quiet --constraint constraints.txt --target $(VENV)/kubernetes \
	    snakemake-executor-plugin-kubernetes==0.5.1 snakemake-storage-plugin-fs==1.1.3
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed $(VENV)/tools-installed
	$(PIP) install --quiet --upgrade 'pip>=25.1'  # the first that knows --group
	$(PIP) install --quiet --constraint constraints.txt --group dev
	@touch $@
