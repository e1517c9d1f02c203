"""Simple predictors that stand beside every result: what a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.alphabet import Alphabet
from grubio.record import Record
from grubio.scheme import LabelScheme

MAX_TRAINING_RESIDUES = 1_000_000
"""Bounds the memory of the window regression; whole chains are drawn up to this many residues."""


def scored_classes(record: Record, scheme: LabelScheme) -> npt.NDArray[np.uint8]:
    """Return the class of each residue, uint8 ``(residue,)``; 255 where it does not count.

    Raises
    ------
    ValueError
        If the record has no labels.
    """
    if record.labels is None:
        raise ValueError(f"record '{record.id}' has no labels")
    classes = scheme.encode(record.labels).copy()
    if record.mask is not None:
        classes[np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) == ord("0")] = 255
    return classes


def class_frequencies(records: Sequence[Record], scheme: LabelScheme) -> npt.NDArray[np.float32]:
    """Return the share of each class among the counted residues, float32 ``(class,)``."""
    counts = np.zeros(scheme.size)
    for record in records:
        classes = scored_classes(record, scheme)
        counts += np.bincount(classes[classes < scheme.size], minlength=scheme.size)
    return np.asarray(counts / max(counts.sum(), 1), dtype=np.float32)


class WindowLogisticRegression:
    """Multinomial logistic regression on the one-hot residues of a window.

    Parameters
    ----------
    alphabet, scheme
        What it reads and what it predicts.
    window
        Residues seen, centred on the one that is labelled; an even number sees one more after it.
    seed
        Seed of the draw of training chains.
    """

    def __init__(self, alphabet: Alphabet, scheme: LabelScheme, window: int, seed: int) -> None:
        self._alphabet = alphabet
        self._scheme = scheme
        self._window = window
        self._seed = seed
        self._weights: npt.NDArray[np.float32] = np.zeros((0, scheme.size), dtype=np.float32)
        self._bias: npt.NDArray[np.float32] = np.zeros(scheme.size, dtype=np.float32)
        self.training_residues = 0

    def fit(self, records: Sequence[Record]) -> WindowLogisticRegression:
        """Fit to labelled records and return itself."""
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        order = np.random.default_rng(self._seed).permutation(len(records))
        windows, classes = [], []
        for index in order:
            if self.training_residues >= MAX_TRAINING_RESIDUES:
                break
            labels = scored_classes(records[index], self._scheme)
            counted = labels < self._scheme.size
            windows.append(self._windows(records[index].sequence)[counted])
            classes.append(labels[counted])
            self.training_residues += int(counted.sum())
        wanted = np.concatenate(classes)
        model = LogisticRegression(C=1.0, max_iter=200, tol=1e-3)
        model.fit(vstack(windows, format="csr"), wanted)
        present = model.classes_.astype(int)
        self._weights = np.zeros((model.n_features_in_, self._scheme.size), dtype=np.float32)
        self._bias = np.full(self._scheme.size, -np.inf, dtype=np.float32)
        if len(present) == 2:
            # scikit-learn keeps one row for two classes: the log-odds of the second.
            self._weights[:, present[1]] = model.coef_[0]
            self._bias[present] = [0, model.intercept_[0]]
        else:
            self._weights[:, present] = model.coef_.T
            self._bias[present] = model.intercept_
        return self

    def probabilities(self, sequence: str) -> npt.NDArray[np.float32]:
        """Return probabilities, float32 ``(residue, class)``."""
        from scipy.special import softmax

        scores = self._windows(sequence) @ self._weights + self._bias
        return np.asarray(softmax(scores, axis=1), dtype=np.float32)

    def _windows(self, sequence: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        # CSR (residue, position in the window x channel); one further channel means "outside".
        from scipy.sparse import csr_matrix

        channels = self._alphabet.channels + 1
        before = (self._window - 1) // 2
        outside = np.zeros((1, channels), dtype=np.float32)
        outside[0, -1] = 1
        inside = np.pad(self._alphabet.one_hot(sequence), ((0, 0), (0, 1)))
        padded = np.concatenate(
            [outside.repeat(before, 0), inside, outside.repeat(self._window - 1 - before, 0)]
        )
        view = np.lib.stride_tricks.sliding_window_view(padded, self._window, axis=0)
        # (residue, channel, position) -> (residue, position x channel)
        return csr_matrix(view.transpose(0, 2, 1).reshape(len(sequence), -1))
