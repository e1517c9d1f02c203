"""The products of the engine: a row's result does not depend on the number of rows.

Not a property of a library, but of the shapes that the engine asks for.
"""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grubio.model.engines.one_thread import one_thread_each
from grubio.model.engines.product_shape import (
    SHAPES,
    ProductShape,
    multiplied,
    product_shape,
)

# Inputs and columns of products: those of the bundled models and of wide ones, and awkward ones.
WIDTHS = [
    (753, 256),
    (1025, 48),
    (192, 192),
    (400, 192),
    (96, 112),
    (64, 64),
    (400, 9),
    (16, 1),
    (37, 48),
    (300, 300),
]
ROWS = [*range(1, 70), 95, 96, 127, 129, 192, 255, 300, 511, 512, 514, 700, 1024, 1099]


def dependent_rows() -> list[tuple[int, int, int, int]]:
    """Return the products (start, rows, inputs, columns) whose rows differ from a larger one's."""
    found = []
    generator = np.random.default_rng(0)
    shape = product_shape()
    for inputs, columns in WIDTHS:
        used = shape.used(columns)
        size = shape.columns(columns)
        weights = generator.standard_normal((inputs, size), dtype=np.float32)
        rows = generator.standard_normal((shape.rows(2000), inputs), dtype=np.float32)
        whole = multiplied(rows, weights)[:, used]
        for start, count in itertools.product((0, 1, 9), ROWS):
            # The rows of one sequence lie apart in memory.
            out = np.empty((shape.rows(count), 3, size), dtype=np.float32)[:, 1]
            multiplied(rows[start : start + len(out)], weights, out)
            if not np.array_equal(out[:count, used], whole[start : start + count]):
                found.append((start, count, inputs, columns))
    return found


def test_a_row_depends_neither_on_its_place_nor_on_the_number_of_rows() -> None:
    with one_thread_each():
        assert not dependent_rows()


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_hold_what_they_are_asked_for(shape: ProductShape) -> None:
    for count in range(1, 100):
        assert shape.rows(count) >= max(count, 2)
        assert shape.rows(count) % shape.group == 0
        assert shape.used(count).stop + shape.margin <= shape.columns(count)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are kernels of x86-64")
@pytest.mark.parametrize("kernels", ["Haswell", "Zen", "SkylakeX", "Sandybridge", "Nehalem"])
def test_neither_rows_nor_sequences_depend_on_others_with_other_kernels(kernels: str) -> None:
    program = (
        "from test_exact_products import dependent_rows\n"
        "from test_gru_layer import dependent_sequences\n"
        "from grubio.model.engines.one_thread import blas_kernels, one_thread_each\n"
        "with one_thread_each():\n"
        "    print(blas_kernels(), dependent_rows() + dependent_sequences([7, 192, 260]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent,
        env={**os.environ, "OPENBLAS_CORETYPE": kernels, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        pytest.skip(f"this processor does not run the kernels of {kernels}")
    chosen, _, found = done.stdout.partition(" ")
    assert found.strip() == "[]", chosen
