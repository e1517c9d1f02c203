"""Devices and CPU threads."""

from __future__ import annotations

import os

import torch

from grubio.errors import GrubioError


def choose_device(wanted: str) -> torch.device:
    """Return the device for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    ``auto`` is CUDA if available, else Apple's MPS, else the CPU.

    Raises
    ------
    GrubioError
        If the wanted device is not available.
    """
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    available = [name for name, found in usable.items() if found] + ["cpu"]
    if wanted not in ("auto", *available):
        raise GrubioError(
            f"device '{wanted}' was asked for, but this machine has {', '.join(available)}",
            hint="use --device auto",
        )
    return torch.device(available[0] if wanted == "auto" else wanted)


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
    count = threads or available_threads()
    torch.set_num_threads(count)
    return count
