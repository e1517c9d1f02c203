"""Simple predictors that every model is compared with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

# Loaded with the module, so that a limit on threads set before fitting holds for it.
from sklearn.linear_model import LogisticRegression, Ridge

from grubio.errors import GrubioError
from grubio.sequences.alphabet import Alphabet
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import LabelScheme

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAX_TRAINING_RESIDUES = 1_000_000
"""Bounds time and memory of the window regression: 10 s and 0.6 GB for the default window."""

_UNSCORED = 255

logger = logging.getLogger(__name__)


def class_frequencies(records: Sequence[Record], scheme: LabelScheme) -> npt.NDArray[np.float32]:
    """Return the share of each class among the counted residues, float32 ``(class,)``."""
    counts = np.zeros(scheme.size)
    for record in records:
        classes = scored_classes(record, scheme)
        counts += np.bincount(classes[classes < scheme.size], minlength=scheme.size)
    return np.asarray(counts / max(counts.sum(), 1), dtype=np.float32)


class WindowFeatures:
    """One-hot features of the residues in a window around each residue.

    Parameters
    ----------
    alphabet
        Letters that it reads.
    window
        Residues seen, centred on the one that is predicted; an even number has one more after it.
    """

    def __init__(self, alphabet: Alphabet, window: int) -> None:
        self._alphabet = alphabet
        self._window = window
        # Padding, which is what lies outside of the chain, has a channel of its own.
        self._table = np.pad(alphabet.channel_table, ((0, 0), (0, 1)))
        self._table[alphabet.pad_code, -1] = 1
        self.size: int = window * self._table.shape[1]

    def windows(self, sequence: str) -> npt.NDArray[np.uint8]:
        """Return the codes that each residue sees, uint8 ``(residue, place)``."""
        before = (self._window - 1) // 2
        codes = np.pad(
            self._alphabet.encode(sequence),
            (before, self._window - 1 - before),
            constant_values=self._alphabet.pad_code,
        )
        return np.lib.stride_tricks.sliding_window_view(codes, self._window)

    def features(self, windows: npt.NDArray[np.uint8]) -> csr_matrix:
        """Return the features of windows, float32 ``(residue, place x channel)``."""
        from scipy.sparse import csr_matrix

        channels = self._table.shape[1]
        # One row per residue and place; neighbouring rows are then joined into one.
        letters = csr_matrix(self._table)[windows.ravel()]
        place = np.tile(np.arange(self._window, dtype=np.int32) * channels, len(windows))
        columns = letters.indices + np.repeat(place, np.diff(letters.indptr))
        return csr_matrix(
            (letters.data, columns, letters.indptr[:: self._window]),
            shape=(len(windows), self.size),
        )

    def drawn(
        self, sequences: Sequence[str], answers: Sequence[npt.NDArray[Any]], seed: int
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
        """Return windows ``(residue, place)`` and answers of at most a million known residues.

        Chains are in random order. Class indices of 255 and values of NaN are unknown.
        """
        windows, found, known, taken = [], [], 0, 0
        for index in np.random.default_rng(seed).permutation(len(sequences)):
            own = answers[index]
            counted = np.flatnonzero(
                own != _UNSCORED if own.dtype == np.uint8 else np.isfinite(own)
            )
            known += len(counted)
            kept = counted[: MAX_TRAINING_RESIDUES - taken]
            if len(kept):
                windows.append(self.windows(sequences[index])[kept])
                found.append(own[kept])
                taken += len(kept)
        if not taken:
            raise GrubioError("no residue of the training chains has a known label or value")
        if known > taken:
            logger.info("the window baseline is fitted to %d of %d training residues", taken, known)
        return np.concatenate(windows), np.concatenate(found)


class WindowRidge:
    """Ridge regression on the one-hot residues of a window, for values.

    Parameters
    ----------
    alphabet, window, seed
        As for :class:`WindowLogisticRegression`.

    Attributes
    ----------
    training_residues
        Residues that it was fitted to.
    """

    def __init__(self, alphabet: Alphabet, window: int, seed: int) -> None:
        self._features = WindowFeatures(alphabet, window)
        self._seed = seed
        # Without the penalty, a residue never seen at a place would get an infinite weight.
        self._model = Ridge(alpha=1.0)
        self.training_residues = 0

    def fit(self, sequences: Sequence[str], values: Sequence[npt.NDArray[Any]]) -> WindowRidge:
        """Fit to values ``(residue,)``, NaN where unknown, and return itself.

        Raises
        ------
        GrubioError
            If no residue has a known value.
        """
        windows, known = self._features.drawn(sequences, values, self._seed)
        self.training_residues = len(known)
        self._model.fit(self._features.features(windows), known)
        return self

    def values(self, sequence: str) -> npt.NDArray[np.float32]:
        """Return the predicted value of each residue, float32 ``(residue,)``."""
        features = self._features.features(self._features.windows(sequence))
        return np.asarray(self._model.predict(features), dtype=np.float32)


class WindowLogisticRegression:
    """Multinomial logistic regression on the one-hot residues of a window.

    Parameters
    ----------
    alphabet, scheme
        Letters that it reads and classes that it predicts.
    window
        Residues seen, centred on the one that is labelled; an even number has one more after it.
    seed
        Seed of the draw of training chains.

    Attributes
    ----------
    training_residues
        Residues that it was fitted to.
    """

    def __init__(self, alphabet: Alphabet, scheme: LabelScheme, window: int, seed: int) -> None:
        self._scheme = scheme
        self._features = WindowFeatures(alphabet, window)
        self._seed = seed
        size = self._features.size
        self._weights: npt.NDArray[np.float32] = np.zeros((size, scheme.size), np.float32)
        self._bias: npt.NDArray[np.float32] = np.zeros(scheme.size, dtype=np.float32)
        self.training_residues = 0

    def fit(self, records: Sequence[Record]) -> WindowLogisticRegression:
        """Fit to labelled records, at most :data:`MAX_TRAINING_RESIDUES`, and return itself.

        Raises
        ------
        GrubioError
            If no residue has a known label.
        """
        answers = [self._exact_classes(record) for record in records]
        sequences = [record.sequence for record in records]
        windows, classes = self._features.drawn(sequences, answers, self._seed)
        self.training_residues = len(classes)
        present = np.unique(classes)
        self._bias = np.full(self._scheme.size, -np.inf, dtype=np.float32)
        self._bias[present] = 0
        if len(present) == 1:
            return self
        # Without the penalty, a residue never seen near a class would get an infinite weight.
        model = LogisticRegression(C=1.0, max_iter=200, tol=1e-3)
        model.fit(self._features.features(windows), classes)
        # For two classes scikit-learn has one row, the log-odds of the second.
        rows = present[1:] if len(present) == 2 else present
        self._weights[:, rows] = model.coef_.T
        self._bias[rows] = model.intercept_
        return self

    def probabilities(self, sequence: str) -> npt.NDArray[np.float32]:
        """Return probabilities, float32 ``(residue, class)``."""
        from scipy.special import softmax

        features = self._features.features(self._features.windows(sequence))
        scores = features @ self._weights + self._bias
        return np.asarray(softmax(scores, axis=1), dtype=np.float32)

    def _exact_classes(self, record: Record) -> npt.NDArray[np.uint8]:
        # Without those that are known in the coarse scheme only.
        classes = scored_classes(record, self._scheme)
        return np.where(classes < self._scheme.size, classes, np.uint8(_UNSCORED))
