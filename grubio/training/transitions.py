"""How likely classes follow one another: counted on training labels, used as strongly as helps.

The strength is the one under which the posteriors of the grammar give the labels of the validation
records the highest likelihood.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from grubio.inference.predictor import Prediction
from grubio.model.batching import Example
from grubio.model.bundle import Calibration
from grubio.model.calibration import calibration_error
from grubio.sequences.posteriors import Transitions, grammar_posteriors
from grubio.sequences.record import scored_classes
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import LABELS

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Strengths of counted transitions that are tried."""
_LEARNED_STRENGTHS = (0.5, 0.75, 1.0, 1.25)
_TRIED_RESIDUES = 300_000


@dataclass(frozen=True)
class LabelAnswers:
    """What an uncalibrated model says of records, and their labels.

    Attributes
    ----------
    logits
        Of each record ``(residue, class)``.
    classes
        Observed class of each residue of each record, int64 ``(residue,)``; the number of classes
        or more where it does not count.
    """

    logits: Sequence[npt.NDArray[np.floating]]
    classes: Sequence[npt.NDArray[np.int64]]

    @property
    def counted(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Which residues of all records count, bool ``(residue,)``, and the classes of these."""
        classes = np.concatenate(self.classes)
        counted = classes < self.logits[0].shape[1]
        return counted, classes[counted]

    def first(self, residues: int) -> LabelAnswers:
        """Return the first records, as many as have this number of residues together."""
        ends = np.cumsum([len(classes) for classes in self.classes])
        size = int(np.searchsorted(ends, residues)) + 1
        return LabelAnswers(self.logits[:size], self.classes[:size])


def label_answers(predictions: Iterable[Prediction]) -> LabelAnswers:
    """Return what an uncalibrated model says, without its grammar, of records with labels."""
    logits, classes = [], []
    for prediction in predictions:
        # The logarithms of probabilities are logits of the same softmax.
        logits.append(np.log(np.maximum(prediction.probabilities, 1e-12)))
        classes.append(scored_classes(prediction.record, prediction.scheme).astype(np.int64))
    return LabelAnswers(logits, classes)


def counted_transitions(examples: Sequence[Example], scheme: LabelScheme) -> Transitions:
    """Return the logarithm of the share of each pair of classes among neighbours.

    Neighbours of which one is not known do not count, nor do examples with soft labels beside
    others: a class that is never the likeliest seems not to occur. Each pair counts once more than
    it occurs.
    """
    size = scheme.size
    counts = np.ones(size * size, dtype=np.int64)
    for example in [one for one in examples if LABELS not in one.answers] or examples:
        first, second = example.classes[:-1], example.classes[1:]
        known = (first >= 0) & (first < size) & (second >= 0) & (second < size)
        pairs = first[known] * size + second[known]
        counts += np.bincount(pairs, minlength=size * size)
    rows = np.log(counts / counts.sum()).reshape(size, size).tolist()
    return Transitions(tuple(tuple(round(score, 6) for score in row) for row in rows))


def with_transitions(
    calibration: Calibration,
    answers: LabelAnswers,
    scheme: LabelScheme,
    transitions: Transitions,
) -> tuple[Calibration, float]:
    """Return the calibration with transitions of the best strength, and the calibration error.

    The temperature is chosen anew: for learned transitions, which stand beside logits of the same
    training, with each strength; for counted ones with the best.

    Parameters
    ----------
    calibration
        That of the network by itself.
    answers
        What the network says of the validation records, and their labels.
    scheme
        The classes, with a grammar.
    transitions
        Counted on the training labels, or learned; of any strength.
    """
    tried = answers.first(_TRIED_RESIDUES)
    best = (np.inf, calibration)
    for strength in _LEARNED_STRENGTHS if transitions.learned else STRENGTHS:
        own = replace(calibration, transitions=replace(transitions, strength=strength))
        if transitions.learned:
            own = replace(own, temperature=_temperature(own, tried, scheme))
        best = min(best, (_loss(own, tried, scheme), own), key=lambda pair: pair[0])
    chosen = best[1]
    if not transitions.learned:
        chosen = replace(chosen, temperature=_temperature(chosen, tried, scheme))
    return chosen, calibration_error(*answers_with_grammar(chosen, answers, scheme))


def answers_with_grammar(
    calibration: Calibration, answers: LabelAnswers, scheme: LabelScheme
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return posteriors ``(residue, class)`` and observed classes of the residues that count."""
    offsets = np.array(calibration.offsets or 0.0)
    own = [softmax(logits / calibration.temperature + offsets, axis=1) for logits in answers.logits]
    if scheme.graph is None:
        raise ValueError(f"scheme {scheme.name} has no grammar")
    found = np.concatenate(grammar_posteriors(own, scheme.graph, calibration.transitions))
    counted, observed = answers.counted
    return found[counted], observed


def _temperature(calibration: Calibration, answers: LabelAnswers, scheme: LabelScheme) -> float:
    def loss(log_temperature: float) -> float:
        tried = replace(calibration, temperature=float(np.exp(log_temperature)))
        return _loss(tried, answers, scheme)

    found = minimize_scalar(loss, bounds=(-1, 1), method="bounded", options={"maxiter": 12})
    return float(np.exp(found.x))


def _loss(calibration: Calibration, answers: LabelAnswers, scheme: LabelScheme) -> float:
    found, observed = answers_with_grammar(calibration, answers, scheme)
    likelihood = np.maximum(found[np.arange(len(found)), observed], 1e-9)
    return -float(np.log(likelihood).mean(dtype=np.float64))
