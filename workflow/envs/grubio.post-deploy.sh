#!/usr/bin/env bash
# Run by Snakemake in the environment of grubio.yaml, once it is made. GRUBIO_SOURCE is the checkout that
# the workflow lies in (workflow/rules/common.smk); pip makes a wheel of it and installs that.
set -euo pipefail

if [ -n "${GRUBIO_SOURCE:-}" ]; then
    python -m pip install --quiet --constraint "$GRUBIO_SOURCE/constraints.txt" "$GRUBIO_SOURCE[train]"
else
    python -m pip install --quiet "grubio[train]${GRUBIO_VERSION:+==$GRUBIO_VERSION}"
fi
