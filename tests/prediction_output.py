"""Predictions written by the real writers, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from grubio.config import CallSettings, PredictionFormat
from grubio.inference.labelled_sequence import labelled
from grubio.inference.predictor import Prediction
from grubio.sequences.scheme import LabelScheme
from grubio.writers.open_writer import open_writer
from grubio.writers.text import Content


@contextlib.contextmanager
def open_for_predictions(
    path: str | Path, name: PredictionFormat, scheme: LabelScheme, **calls: float
) -> Iterator[Callable[[Prediction], object]]:
    """Give a function that writes predictions in a scheme."""
    settings = CallSettings(**calls)
    with open_writer(str(path), name, Content("sequences", scheme)) as write:
        yield lambda prediction: write(labelled(prediction, scheme, settings))
