"""The rank of this process among those of a training.

``torchrun`` and ``srun`` launch all processes, and each finds its rank in its environment.
Otherwise the process that was asked to train has rank 0 and starts the others of its machine
(:mod:`grubio.training.distributed`).
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


class ProcessRank(NamedTuple):
    """The rank of this process, and whether ``torchrun`` or ``srun`` launched it."""

    rank: int
    launched: bool


def process_rank(settings: TrainingSettings) -> ProcessRank:
    """Return the rank of this process.

    Raises
    ------
    GrubioError
        If ``torchrun`` or ``srun`` launched another number of processes than the settings ask for,
        or neither did and the settings ask for several machines.
    """
    machines = f"{settings.nodes} machine{'s' * (settings.nodes > 1)}"
    for launcher, rank, size in _VARIABLES:
        started = int(os.environ.get(size, "1"))
        if started == 1 or rank not in os.environ:
            continue
        if started != settings.all_processes:
            raise GrubioError(
                f"{launcher} started {started} processes, but the settings ask for "
                f"{settings.processes} on {machines}",
                hint="processes times nodes must be the number of started processes",
            )
        return ProcessRank(int(os.environ[rank]), launched=True)
    if settings.nodes > 1:
        raise GrubioError(
            f"training on {machines} must be started on each of them",
            hint="start it with torchrun or srun: docs/cluster.md",
        )
    return ProcessRank(0, launched=False)


def threads_each(threads: int | None, available: int, settings: TrainingSettings) -> int:
    """Return the number of threads of each process; those of a machine share them evenly.

    ``torchrun`` and ``srun`` have shared out the available ones already.

    Examples
    --------
    >>> threads_each(5, 1, TrainingSettings(processes=2))
    2
    """
    if threads is None and process_rank(settings).launched:
        return available
    return max(1, (threads or available) // settings.processes)
