"""Which process of a training this one is.

``torchrun`` and ``srun`` start the processes themselves, and each finds its number in its
environment. Otherwise the process that is asked to train is the first, and starts the others of
its machine (:mod:`grubio.training.distributed`).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from grubio.config import TrainingSettings
from grubio.errors import GrubioError

_VARIABLES = (
    ("torchrun", "RANK", "WORLD_SIZE"),
    ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)


class Membership(NamedTuple):
    """Which process this is, of how many, and whether ``torchrun`` or ``srun`` started it."""

    number: int
    processes: int
    started_elsewhere: bool


def membership(settings: TrainingSettings) -> Membership:
    """Return which of the processes of a training this one is.

    Raises
    ------
    GrubioError
        If ``torchrun`` or ``srun`` started another number than the settings say, or several
        machines are wanted and neither was used.
    """
    for starter, number, size in _VARIABLES:
        started = int(os.environ.get(size, "1"))
        if started == 1 or number not in os.environ:
            continue
        if started != settings.all_processes:
            raise GrubioError(
                f"{starter} started {started} processes, but the settings say "
                f"{settings.processes} on {_machines(settings)}",
                hint="processes times nodes must be what was started",
            )
        return Membership(int(os.environ[number]), started, True)
    if settings.nodes > 1:
        raise GrubioError(
            f"training on {_machines(settings)} must be started on each of them",
            hint="start it with torchrun or srun: docs/cluster.md",
        )
    return Membership(0, settings.processes, False)


def threads_each(threads: int | None, available: int, settings: TrainingSettings) -> int:
    """Return the threads of one process, of those that all processes of a machine share.

    Where none are named, ``torchrun`` and ``srun`` have given each process its own already.

    Examples
    --------
    >>> threads_each(5, 1, TrainingSettings(processes=2))
    2
    """
    if threads is None and membership(settings).started_elsewhere:
        return available
    return max(1, (threads or available) // settings.processes)


def _machines(settings: TrainingSettings) -> str:
    return f"{settings.nodes} machine{'s' * (settings.nodes > 1)}"
