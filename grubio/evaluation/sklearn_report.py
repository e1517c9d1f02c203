"""The reports of scikit-learn on the test predictions, as its own functions write them.

A reader who gives the columns ``observed`` and ``label`` of ``test_predictions.parquet`` to the
same functions gets the same digits: ``docs/scikit-learn.md`` shows how.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from grubio.evaluation.scoring import SchemeScores
from grubio.files import table_text
from grubio.model.calibration import BINS
from grubio.runs.files import CLASS_REPORT_DATA_FILE, CLASS_REPORT_FILE, CURVES_FILE

DIGITS = 4
"""Decimals of ``classification_report.txt``; the JSON file has all."""


def report_tables(schemes: Iterable[SchemeScores]) -> dict[str, str]:
    """Return ``classification_report.txt`` and ``.json`` and ``calibration_curves.tsv``, by name.

    Residues that are masked or have no label are left out. Classes are in alphabetical order, those
    alone that are observed or predicted, as in scikit-learn. The curve of a class is that of its
    probability against its frequency, in 15 bins of equal width.
    """
    texts: list[str] = []
    data: dict[str, object] = {}
    curves: list[Sequence[object]] = []
    for scores in schemes:
        letters = scores.scheme.letters
        observed, predicted, probabilities = _counted(scores)
        text, content = _report(observed, predicted, letters)
        texts.append(f"{scores.scheme.name}\n\n{text}")
        data[scores.scheme.name] = content
        for index, letter in enumerate(letters):
            points = calibration_points(observed == index, probabilities[:, index])
            curves += [[scores.scheme.name, letter, *point] for point in points]
    return {
        CLASS_REPORT_FILE: "\n".join(texts) or "the model has no classes\n",
        CLASS_REPORT_DATA_FILE: json.dumps(data, indent=2, allow_nan=False) + "\n",
        CURVES_FILE: table_text(("scheme", "class", "probability", "frequency"), curves),
    }


def calibration_points(
    positive: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.floating]
) -> list[tuple[str, str]]:
    """Return mean probability and frequency of each bin that has residues, both ``(residue,)``."""
    from sklearn.calibration import calibration_curve

    if not len(positive):
        return []
    # The probability may be a last bit above 1 where those of several classes are added.
    frequency, mean = calibration_curve(
        positive, probabilities.clip(0, 1), n_bins=BINS, pos_label=True
    )
    return [(f"{x:.6f}", f"{y:.6f}") for x, y in zip(mean, frequency, strict=True)]


def _counted(
    scores: SchemeScores,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    observed = np.concatenate(list(scores.observed))
    counted = observed < scores.scheme.size
    predicted = np.concatenate(scores.predicted)[counted]
    return observed[counted], predicted, np.concatenate(list(scores.probabilities))[counted]


def _report(
    observed: npt.NDArray[np.uint8], predicted: npt.NDArray[np.uint8], letters: str
) -> tuple[str, dict[str, object]]:
    from sklearn.metrics import classification_report

    present = np.union1d(np.unique(observed), np.unique(predicted))
    labels = sorted((int(index) for index in present), key=lambda index: letters[index])
    given = {"labels": labels, "target_names": [letters[i] for i in labels], "zero_division": 0}
    text = classification_report(observed, predicted, digits=DIGITS, **given)
    content = classification_report(observed, predicted, output_dict=True, **given)
    return str(text), dict(content)
