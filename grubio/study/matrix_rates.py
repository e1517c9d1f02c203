"""How fast this machine multiplies matrices, by library and precision: the limit of every speed."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

LARGE = (1024, 1024, 1024)
"""The product whose rate is taken for the limit of the machine."""

SHAPES = (LARGE, (256, 192, 576), (64, 192, 576), (16, 192, 576), (16, 384, 1152))
"""Rows, inner and columns; all but the first are steps of a GRU of width 192 or 384."""

_WAYS = (("numpy", "float32"), ("PyTorch", "float32"), ("PyTorch", "bfloat16"))


class MatrixRate(NamedTuple):
    """What a library reached on the product of an ``(m, k)`` and a ``(k, n)`` matrix.

    Attributes
    ----------
    library
        ``numpy`` or ``PyTorch``.
    precision
        ``float32`` or ``bfloat16``.
    shape
        ``(m, k, n)``.
    gflops
        Billions of additions and multiplications a second.
    """

    library: str
    precision: str
    shape: tuple[int, int, int]
    gflops: float


def matrix_rates(
    shapes: Iterable[tuple[int, int, int]] = SHAPES,
    threads: int = 1,
    seconds: float = 0.1,
    clock: Callable[[], float] = time.perf_counter,
) -> list[MatrixRate]:
    """Measure the products of ``shapes`` by each library that is installed, on the CPU.

    Parameters
    ----------
    shapes
        Rows, inner and columns of each product.
    threads
        CPU threads of each library.
    seconds
        How long one product is repeated. A machine without instructions for bfloat16 may take
        longer for the first.
    clock
        What counts the seconds; with one thread, :func:`time.process_time` leaves out those that
        other programs take.
    """
    found = []
    for library, precision in _WAYS:
        if library == "PyTorch" and find_spec("torch") is None:
            continue
        with _threads(library, threads):
            found += [
                MatrixRate(
                    *(library, precision, shape),
                    _gflops(_product(library, precision, shape), shape, seconds, clock),
                )
                for shape in shapes
            ]
    return found


def fastest(rates: Sequence[MatrixRate], precision: str) -> MatrixRate | None:
    """Return the best rate of a precision, whatever the library and the shape."""
    return max(
        (rate for rate in rates if rate.precision == precision),
        key=lambda rate: rate.gflops,
        default=None,
    )


def median_rates(runs: Sequence[Sequence[MatrixRate]]) -> list[MatrixRate]:
    """Return the medians of what :func:`matrix_rates` measured several times.

    Examples
    --------
    >>> runs = [[MatrixRate("numpy", "float32", LARGE, rate)] for rate in (1.0, 2.0, 9.0)]
    >>> median_rates(runs)[0].gflops
    2.0
    """
    return [
        same[0]._replace(gflops=statistics.median(rate.gflops for rate in same))
        for same in zip(*runs, strict=True)
    ]


def shares(operations: float, rates: Sequence[MatrixRate]) -> dict[str, float]:
    """Return a speed as shares of what the machine can do.

    Parameters
    ----------
    operations
        Additions and multiplications a second.
    rates
        What :func:`matrix_rates` measured, in the same run.

    Returns
    -------
    dict of str to float
        ``fastest float32`` and ``fastest bfloat16``: of the best rate of any library.
        ``PyTorch float32``: of that library's own.
    """
    limits = {
        "fastest float32": fastest(rates, "float32"),
        "fastest bfloat16": fastest(rates, "bfloat16"),
        "PyTorch float32": fastest(
            [rate for rate in rates if rate.library == "PyTorch"], "float32"
        ),
    }
    return {
        name: operations / 1e9 / limit.gflops for name, limit in limits.items() if limit is not None
    }


def table_of_rates(rates: Sequence[MatrixRate]) -> list[str]:
    r"""Return the lines of a table: a row for each shape, a column for each library and precision.

    Examples
    --------
    >>> rate = MatrixRate("numpy", "float32", (16, 192, 576), 130.4)
    >>> print("\n".join(table_of_rates([rate])))
    matrix product, GFLOP/s  numpy float32
    (16 x 192) (192 x 576)             130
    """
    ways = list(dict.fromkeys(f"{rate.library} {rate.precision}" for rate in rates))
    rows: dict[tuple[int, int, int], dict[str, float]] = {}
    for rate in rates:
        rows.setdefault(rate.shape, {})[f"{rate.library} {rate.precision}"] = rate.gflops
    titles = {(m, k, n): f"({m} x {k}) ({k} x {n})" for m, k, n in rows}
    corner = "matrix product, GFLOP/s"
    width = max(len(corner), *map(len, titles.values()))
    lines = ["  ".join([corner.ljust(width), *ways])]
    for shape, found in rows.items():
        cells = [f"{found[way]:>{len(way)}.0f}" if way in found else " " * len(way) for way in ways]
        lines.append("  ".join([titles[shape].ljust(width), *cells]))
    return lines


@contextlib.contextmanager
def _threads(library: str, threads: int) -> Iterator[None]:
    if library == "numpy":
        from threadpoolctl import threadpool_limits

        with threadpool_limits(threads):
            yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _gflops(
    product: Callable[[], object],
    shape: tuple[int, int, int],
    seconds: float,
    clock: Callable[[], float],
) -> float:
    # The first product allocates and chooses a kernel; it counts if it alone takes too long.
    first = _seconds(product, clock)
    taken = [first] if first > seconds else []
    started = clock()
    while not taken or clock() - started < seconds:
        taken.append(_seconds(product, clock))
    return 2 * math.prod(shape) / statistics.median(taken) / 1e9


def _product(library: str, precision: str, shape: tuple[int, int, int]) -> Callable[[], object]:
    rows, inner, columns = shape
    random = np.random.default_rng(0)
    left = random.standard_normal((rows, inner), dtype=np.float32)
    right = random.standard_normal((inner, columns), dtype=np.float32)
    if library == "numpy":
        out = np.empty((rows, columns), dtype=np.float32)
        return lambda: np.matmul(left, right, out=out)
    import torch

    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = torch.from_numpy(left).to(kind), torch.from_numpy(right).to(kind)
    c = torch.empty((rows, columns), dtype=kind)
    return lambda: torch.matmul(a, b, out=c)


def _seconds(run: Callable[[], object], clock: Callable[[], float]) -> float:
    started = clock()
    run()
    return clock() - started
