"""The rates of matrix products by which speeds are judged."""

from __future__ import annotations

import pytest
import torch

from grubio.study.matrix_rates import MatrixRate, fastest, matrix_rates, shares

SMALL = (64, 64, 64)
RATES = [
    MatrixRate("numpy", "float32", SMALL, 200.0),
    MatrixRate("PyTorch", "float32", SMALL, 100.0),
    MatrixRate("PyTorch", "bfloat16", SMALL, 400.0),
]


def test_each_library_and_precision_is_measured_and_threads_are_put_back() -> None:
    torch.set_num_threads(1)
    rates = matrix_rates([SMALL, (8, 64, 64)], threads=2, seconds=0.001)
    assert [(rate.library, rate.precision) for rate in rates[::2]] == [
        ("numpy", "float32"),
        ("PyTorch", "float32"),
        ("PyTorch", "bfloat16"),
    ]
    assert all(rate.gflops > 0 for rate in rates)
    assert torch.get_num_threads() == 1


def test_a_speed_is_a_share_of_the_fastest_library() -> None:
    assert fastest(RATES, "float32") == RATES[0]
    assert shares(50e9, RATES) == pytest.approx(
        {"fastest float32": 0.25, "fastest bfloat16": 0.125, "PyTorch float32": 0.5}
    )
    assert fastest(RATES[:1], "bfloat16") is None
    assert shares(50e9, RATES[:1]) == pytest.approx({"fastest float32": 0.25})
