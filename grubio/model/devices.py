"""Where tensors are computed: the device and the number of CPU threads."""

from __future__ import annotations

import os

import torch

from grubio.errors import GrubioError


def choose_device(wanted: str) -> torch.device:
    """Return the device for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    ``auto`` takes CUDA if there is any, else Apple's MPS, else the CPU.

    Raises
    ------
    GrubioError
        If the wanted device is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, found in there.items() if found))
    if not there.get(wanted, False):
        raise GrubioError(
            f"device '{wanted}' was asked for, but this machine has "
            f"{', '.join(name for name, found in there.items() if found)}",
            hint="use --device auto",
        )
    return torch.device(wanted)


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
