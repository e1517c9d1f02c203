"""Processes that train together: starting those of one machine, and sums over all."""

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
"""What a process that was started here prints when it has read its data."""


def require_devices(device: torch.device, settings: TrainingSettings) -> None:
    """Check that each process of this machine has a device.

    Raises
    ------
    GrubioError
        If not.
    """
    if settings.all_processes == 1 or device.type == "cpu":
        return
    there = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type != "cuda" or there < settings.processes:
        raise GrubioError(
            f"{settings.processes} processes on {device.type} need as many devices; "
            f"this machine has {there}",
            hint="take fewer processes, or --device cpu",
        )


class OneMachine(LightningEnvironment):
    """Processes of one machine, started by :func:`other_processes`.

    Parameters
    ----------
    number
        Which of them this one is.
    port
        Where process 0 listens.
    """

    def __init__(self, number: int, port: int) -> None:
        super().__init__()
        self._number = number
        self._port = port

    @property
    def creates_processes_externally(self) -> bool:
        """Whether Lightning is to start no process."""
        return True

    @property
    def main_address(self) -> str:
        """Where process 0 is."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """Where process 0 listens."""
        return self._port

    def local_rank(self) -> int:
        """Return which process this is."""
        return self._number

    def node_rank(self) -> int:
        """Return which machine this is."""
        return 0


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def other_processes(number: int, program: str, order: Mapping[str, Any]) -> Iterator[None]:
    """Run processes 1 to ``number - 1`` of a training beside this one, and end them with it.

    Each runs the Python ``program``, reads its number and the ``order`` as JSON from standard
    input, and prints :data:`READY` when it is about to take part.

    Raises
    ------
    GrubioError
        If one of them fails.
    """
    processes: list[subprocess.Popen[str]] = []
    try:
        for place in range(1, number):
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps({"number": place, **order}))
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
        for place, process in enumerate(processes, 1):
            with contextlib.suppress(subprocess.TimeoutExpired):
                if code := process.wait(timeout=5):
                    raise GrubioError(
                        f"process {place} of {number} of the training ended with code {code}",
                        hint="what it said is above; the same command goes on from the last "
                        "checkpoint",
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
    """Return the sums of the values of all processes; the values, if there is one."""
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(values)
    return values


def gathered(items: list[Any]) -> list[Any]:
    """Return the items of all processes; the items, if there is one."""
    if not torch.distributed.is_initialized():
        return items
    lists: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(lists, items)
    return [item for one in lists for item in one]


def leave() -> None:
    """End the connection with the other processes, if there are any."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
