"""Processes that train together: start those of this machine, and sum over all."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.distributed
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor

from grubio.config import TrainingSettings
from grubio.errors import GrubioError

READY = "ready\n"
"""The line that a process started here prints when it has read its data."""


def require_devices(device: torch.device, settings: TrainingSettings) -> None:
    """Check that each process of this machine has a device.

    Raises
    ------
    GrubioError
        If there are too few devices.
    """
    if settings.all_processes == 1 or device.type == "cpu":
        return
    available = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type != "cuda" or available < settings.processes:
        raise GrubioError(
            f"{settings.processes} processes on {device.type} need as many devices; "
            f"this machine has {available}",
            hint="use fewer processes, or --device cpu",
        )


class OneMachine(LightningEnvironment):
    """Processes of one machine, started by :func:`other_processes`; process 0 listens on a port."""

    creates_processes_externally = True
    main_address = "127.0.0.1"
    main_port = 0

    def __init__(self, rank: int, port: int) -> None:
        super().__init__()
        self._rank = rank
        self.main_port = port

    def local_rank(self) -> int:
        """Return the rank of this process."""
        return self._rank

    def node_rank(self) -> int:
        """Return the rank of this machine."""
        return 0


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def other_processes(number: int, program: str, order: Mapping[str, Any]) -> Iterator[None]:
    """Run processes 1 to ``number - 1`` of a training alongside this one, and end them with it.

    Each runs the Python ``program``, reads the ``order`` and its rank as JSON from standard input,
    and prints :data:`READY` when it is about to take part.

    Raises
    ------
    GrubioError
        If one of them fails.
    """
    processes: list[subprocess.Popen[str]] = []
    try:
        for rank in range(1, number):
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps({"rank": rank, **order}))
            process.stdin.close()
        for process in processes:
            assert process.stdout is not None
            if READY not in process.stdout:
                raise RuntimeError("a process did not begin")
        yield
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
    except (RuntimeError, OSError) as error:
        for rank, process in enumerate(processes, 1):
            with contextlib.suppress(subprocess.TimeoutExpired):
                if code := process.wait(timeout=5):
                    raise GrubioError(
                        f"process {rank} of {number} of the training ended with code {code}",
                        hint="its own message is above; run the same command again to resume from "
                        "the last checkpoint",
                    ) from error
        raise
    finally:
        for process in processes:
            # They write nothing, so nothing is lost.
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sums of the values over all processes, which replace the values."""
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(values)
    return values


def gathered(items: list[Any]) -> list[Any]:
    """Return the items of all processes."""
    if not torch.distributed.is_initialized():
        return items
    lists: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(lists, items)
    return [item for one in lists for item in one]


def leave() -> None:
    """Close the connection to the other processes, if there are any."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
