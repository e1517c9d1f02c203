"""Devices and CPU threads."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from grubio.errors import GrubioError
from grubio.extras import require

_DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")
"""One of them is there on a Linux machine with a GPU that PyTorch can use."""


def choose_device(wanted: str) -> str:
    """Return the device for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    ``auto`` is CUDA if available, else Apple's MPS, else the CPU.

    Raises
    ------
    GrubioError
        If the wanted device is not available.
    """
    if wanted == "cpu":
        return wanted
    if wanted != "auto":
        require("torch", f"device '{wanted}'")
    available = [*_graphics_devices(), "cpu"]
    if wanted not in ("auto", *available):
        raise GrubioError(
            f"device '{wanted}' was asked for, but this machine has {', '.join(available)}",
            hint="use --device auto",
        )
    return available[0] if wanted == "auto" else wanted


def _graphics_devices() -> list[str]:
    # PyTorch takes a second to import, longer than it takes to label a protein.
    without = sys.platform == "linux" and not any(Path(file).exists() for file in _DEVICE_FILES)
    if without or importlib.util.find_spec("torch") is None:
        return []
    import torch

    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, found in usable.items() if found]


def available_threads() -> int:
    """Return how many threads this process may use.

    ``OMP_NUM_THREADS`` if it is set, else the size of the affinity mask, which SLURM sets.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_threads(threads: int | None) -> int:
    """Set the number of threads that PyTorch computes with and return it."""
    import torch

    count = threads or available_threads()
    torch.set_num_threads(count)
    return count
