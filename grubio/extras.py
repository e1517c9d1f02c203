"""What the extras of the installation add, and which command or format needs which.

``pip install grubio`` labels. This table is the one place that knows what needs more; the packages
of an extra are in ``pyproject.toml``.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType

from grubio.errors import GrubioError


@dataclass(frozen=True)
class Extra:
    """An extra of the installation, as in ``pip install 'grubio[train]'``.

    Attributes
    ----------
    gives
        What works with it, and does not without it.
    libraries
        The modules that it installs, and the names by which people know them.
    commands
        Commands that need it.
    """

    gives: str
    libraries: dict[str, str]
    commands: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the names of the libraries that are not installed; none is imported."""
        return [title for module, title in self.libraries.items() if not _is_installed(module)]


_TORCH = {"torch": "PyTorch"}
_PARQUET = {"pyarrow": "PyArrow"}

EXTRAS = MappingProxyType(
    {
        "train": Extra(
            "training, evaluation, reports, motifs and the workflow",
            {
                **_TORCH,
                "pytorch_lightning": "Lightning",
                "sklearn": "scikit-learn",
                "scipy": "SciPy",
                **_PARQUET,
                "matplotlib": "Matplotlib",
                "jinja2": "Jinja",
                "snakemake": "Snakemake",
                "rocrate": "ro-crate-py",
                "tensorboardX": "tensorboardX",
                "Bio": "Biopython",
                "gemmi": "gemmi",
                "lightmotif": "lightmotif",
                "logomaker": "Logomaker",
            },
            (
                *("train", "combine", "workflow", "prepare", "split"),
                *("evaluate", "pool", "report", "crate", "compare", "motifs"),
            ),
        ),
        "torch": Extra("labelling on a GPU, and with networks that PyTorch alone computes", _TORCH),
        "parquet": Extra(
            "Parquet files, prediction in shards, and inputs compressed by zstd or lz4",
            _PARQUET,
            ("view", "shards"),
        ),
        "pandas": Extra("predictions as a pandas table", {"pandas": "pandas"}),
        "polars": Extra("predictions as a Polars table", {"polars": "Polars"}),
        "cluster": Extra(
            "the workflow on a cluster",
            {
                "snakemake_executor_plugin_slurm": "Snakemake's plugin for SLURM",
                "snakemake_executor_plugin_cluster_generic": "Snakemake's plugin for LSF, SGE, PBS "
                "and HTCondor",
            },
        ),
    }
)


def require(extra: str, what: str) -> None:
    """Do nothing if an extra is installed.

    Parameters
    ----------
    extra
        Its name in :data:`EXTRAS`.
    what
        What needs it, to begin the message with.

    Raises
    ------
    GrubioError
        If a library of it is missing: which, and what to install.

    Examples
    --------
    >>> require("torch", "--device cuda")
    """
    if missing := EXTRAS[extra].missing():
        raise GrubioError(_message(extra, what, missing))


def pip_install(extra: str) -> str:
    """Return the command that installs an extra.

    Examples
    --------
    >>> pip_install("train")
    "pip install 'grubio[train]'"
    """
    return f"pip install 'grubio[{extra}]'"


def require_for_command(name: str) -> None:
    """Do nothing if what a command needs is installed.

    Raises
    ------
    GrubioError
        If it is not.
    """
    for extra, entry in EXTRAS.items():
        if name in entry.commands:
            require(extra, f"grubio {name}")


@contextlib.contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Say what to install if an import in the block fails, for those who import a module.

    Raises
    ------
    GrubioError
        If the extra is missing.
    """
    try:
        yield
    except ImportError:
        require(extra, what)
        raise


def _message(extra: str, what: str, missing: list[str]) -> str:
    names = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    return f"{what} needs {names}: {pip_install(extra)}"


def _is_installed(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None
