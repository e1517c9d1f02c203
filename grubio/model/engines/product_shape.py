"""The shapes of matrix products in which every row is summed in one order.

Libraries compute a product in tiles, and those at its borders may be summed in another order than
the others. Then a row would depend on where it stands and on how many there are. With numpy's own
OpenBLAS 0.3 any number of rows but 1 will do with the kernels for AVX-512; those for AVX2 need
multiples of 12 rows, and round the first and the last eight columns in their own way. Many inputs
are summed in parts, but not in small products: so a product of many inputs is made of several.
Products of more than some 350 columns, the hidden units of a layer, are cut by the kernels for AVX2
in a way that no shape avoids; there the last bit of so wide a network depends on its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.model.engines.one_thread import one_thread_each

Array = npt.NDArray[np.float32]

COLUMNS = 16
"""The columns of a product are filled up to multiples of it."""
_MOST = 48
# Few and many inputs and columns, on both sides of where libraries change their way.
_PROBES = ((49, 32), (193, 192))
MOST_INPUTS = 400
"""So many inputs every library sums in one order, whatever the number of rows."""


class ProductShape(NamedTuple):
    """What the shape of a product must be.

    Attributes
    ----------
    group
        The number of rows is a multiple of it, and at least 2: one row is multiplied in a way of
        its own.
    margin
        Columns on either side that are not used.
    """

    group: int
    margin: int

    def rows(self, count: int) -> int:
        """Return the number of rows that a product of ``count`` rows is given."""
        return max(-(-count // self.group) * self.group, 2)

    def columns(self, count: int) -> int:
        """Return the number of columns that a product of ``count`` columns is given."""
        return -(-(count + 2 * self.margin) // COLUMNS) * COLUMNS

    def used(self, count: int) -> slice:
        """Return where ``count`` columns stand in a product."""
        return slice(self.margin, self.margin + count)


SHAPES = (
    *(ProductShape(group, 0) for group in (1, 2, 4, 8, 12, 16)),
    *(ProductShape(group, COLUMNS // 2) for group in (12, 16, 24)),
)
"""Possible shapes; the first ones cost least."""


@cache
def product_shape() -> ProductShape:
    """Return the first of :data:`SHAPES` that keeps the rows of numpy's products independent.

    It is found by trying, in some milliseconds.
    """
    with one_thread_each():
        return next((shape for shape in SHAPES if _is_exact(shape)), SHAPES[-1])


def multiplied(rows: Array, weights: Array, out: Array | None = None) -> Array:
    """Return ``rows @ weights``, in which the sum of a row does not depend on the other rows.

    Parameters
    ----------
    rows, weights, out
        Float32 ``(..., row, input)``, ``(..., input, column)`` and ``(..., row, column)``, as
        ``numpy.matmul`` takes them. The numbers of rows and columns are those of
        :func:`product_shape`.
    """
    found = np.matmul(rows[..., :MOST_INPUTS], weights[..., :MOST_INPUTS, :], out)
    for first in range(MOST_INPUTS, weights.shape[-2], MOST_INPUTS):
        part = slice(first, first + MOST_INPUTS)
        found += np.matmul(rows[..., part], weights[..., part, :])
    return found


def multiplier(inputs: int) -> Callable[[Array, Array, Array], Array]:
    """Return what does the same as :func:`multiplied` for so many inputs, in the fewest calls."""
    return np.matmul if inputs <= MOST_INPUTS else multiplied


def _is_exact(shape: ProductShape) -> bool:
    for inputs, columns in _PROBES:
        weights, rows = _numbers(inputs, columns), _numbers(_MOST, inputs)
        used = slice(shape.margin, columns - shape.margin)
        whole = (rows @ weights)[:, used]
        for start in (0, 1, 6):
            for count in range(shape.group, _MOST - start, shape.group):
                part = slice(start, start + count)
                found = (rows[part] @ weights)[:, used]
                if count > 1 and not np.array_equal(found, whole[part]):
                    return False
    return True


def _numbers(rows: int, columns: int) -> Array:
    # Any that are irregular will do; the module of random ones takes time to import.
    numbers = np.sin(np.arange(1.0, rows * columns + 1) ** 2)
    return np.asarray(numbers, dtype=np.float32).reshape(rows, columns)
