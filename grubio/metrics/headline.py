"""The headline: the score that chooses a model in training and comes first on every page."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.config import Metric
from grubio.sequences.scheme import LabelScheme

AVERAGE_PRECISION: Metric = "average_precision"

MOST_BACKGROUND = 0.9
"""Share of background residues above which accuracy tells little, since it is reached by predicting
nothing but background."""


def headline_metric(scheme: LabelScheme, counts: npt.NDArray[np.number]) -> Metric:
    """Return the headline of a scheme: accuracy, or MCC where nearly all residues are background.

    Parameters
    ----------
    scheme
        The classes.
    counts
        Counted residues of each class, ``(class,)``.

    Examples
    --------
    >>> from grubio.sequences.scheme import custom_scheme
    >>> scheme = custom_scheme("site", "B.", background=".")
    >>> headline_metric(scheme, np.array([5, 95])), headline_metric(scheme, np.array([30, 70]))
    ('mcc', 'accuracy')
    """
    if scheme.background is None:
        return "accuracy"
    background = counts[scheme.letters.index(scheme.background)]
    return "mcc" if background > MOST_BACKGROUND * counts.sum() else "accuracy"
