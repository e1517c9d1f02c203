"""Matrix products by one thread each, while several batches are computed side by side.

A product that is cut for several threads may be summed in another order.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users: list[object] = []
_before: list[Any] = []


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes a millisecond.
    return ThreadpoolController()


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Let every matrix product of the process be computed by the thread that calls it.

    The former number of threads is restored when the last one that asked for it has ended.
    """
    this = object()
    with _lock:
        if not _users:
            _before.append(contextlib.ExitStack())
            _before[0].enter_context(_controller().limit(limits=1, user_api="blas"))
            if torch := sys.modules.get("torch"):
                _before[0].callback(torch.set_num_threads, torch.get_num_threads())
        _users.append(this)
    try:
        begin_thread()
        yield
    finally:
        with _lock:
            _users.remove(this)
            if not _users:
                _before.pop().close()


def begin_thread() -> None:
    """Let PyTorch compute with one thread in the calling thread, which it counts by itself."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def blas_kernels() -> str:
    """Return which kernels compute the products of numpy, such as ``SkylakeX``."""
    found = _controller().select(user_api="blas").info()
    return next((lib["architecture"] for lib in found if lib.get("architecture")), "BLAS")
