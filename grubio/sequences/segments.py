"""Segments: runs of one class along a sequence, and a summary of a sequence.

Residues without a label (``?``) are in no segment. From the first residue onwards, segments of one
class with no more than a given gap between them are joined; what lies in the gap is no segment.
Segments of the background are not joined. Segments that are too short are then left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.sequences.runs_and_peaks import equal_runs
from grubio.sequences.scheme import LabelScheme

_Run = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of residues of one class.

    Attributes
    ----------
    start, end
        First and last residue, 1-based and inclusive.
    label
        Letter of the class.
    class_name
        Name of the class.
    confidence
        Mean probability of the class over the residues.
    """

    start: int
    end: int
    label: str
    class_name: str
    confidence: float

    def __len__(self) -> int:
        """Return the number of residues."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary of the labels of a sequence.

    Attributes
    ----------
    length
        Number of residues.
    fractions
        Share of the residues with each label, by letter, from 0 to 1.
    unlabelled
        Share of the residues without a label; with ``fractions`` it adds up to 1.
    confidence
        Mean probability of the most probable class, over all residues.
    longest
        Length of the longest segment of each class, by letter; 0 without one.
    """

    length: int
    fractions: dict[str, float]
    unlabelled: float
    confidence: float
    longest: dict[str, int]


def segments(
    labels: str,
    probabilities: npt.NDArray[np.floating],
    scheme: LabelScheme,
    *,
    min_length: int = 1,
    max_gap: int = 0,
) -> list[Segment]:
    """Return the segments of a sequence in order.

    Parameters
    ----------
    labels
        One letter per residue; a letter outside of the scheme is no label.
    probabilities
        ``(residue, class)``.
    scheme
        The classes.
    min_length
        Least number of residues of a segment.
    max_gap
        Most residues between two segments of one class that are joined.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS3
    >>> half = np.full((9, 3), 0.5)
    >>> [(s.label, s.start, s.end) for s in segments("CHH?HHCEE", half, SS3)]
    [('C', 1, 1), ('H', 2, 3), ('H', 5, 6), ('C', 7, 7), ('E', 8, 9)]
    >>> [(s.label, s.start, s.end) for s in segments("CHH?HHCEE", half, SS3, max_gap=1)]
    [('C', 1, 1), ('H', 2, 6), ('C', 7, 7), ('E', 8, 9)]
    """
    found = []
    for label, first, last in _joined(labels, scheme, max_gap):
        if last - first < min_length:
            continue
        column = scheme.letters.index(label)
        mean = float(probabilities[first:last, column].mean(dtype=np.float64))
        found.append(Segment(first + 1, last, label, scheme.class_names[column], mean))
    return found


def confidence(
    labels: str, probabilities: npt.NDArray[np.floating], scheme: LabelScheme
) -> npt.NDArray[np.float32]:
    """Return the probability of each label, float32 ``(residue,)``; of ``?`` the highest one.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS3
    >>> confidence("HH?", np.array([[0.5, 0.5, 0], [0.25, 0.75, 0], [0.25, 0.75, 0]]), SS3).tolist()
    [0.5, 0.25, 0.75]
    """
    classes = scheme.encode(labels)
    known = np.flatnonzero(classes < scheme.size)
    found = probabilities.max(axis=1).astype(np.float32)
    found[known] = probabilities[known, classes[known]]
    return np.asarray(found)


def summary(
    labels: str,
    probabilities: npt.NDArray[np.floating],
    scheme: LabelScheme,
    *,
    min_length: int = 1,
    max_gap: int = 0,
) -> Summary:
    """Return the summary of a sequence; for the arguments see :func:`segments`.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS3
    >>> found = summary("HHH?HECC", np.full((8, 3), 0.5), SS3)
    >>> found.fractions, found.unlabelled, found.longest
    ({'H': 0.5, 'E': 0.125, 'C': 0.25}, 0.125, {'H': 3, 'E': 1, 'C': 2})
    """
    longest = dict.fromkeys(scheme.letters, 0)
    for segment in segments(labels, probabilities, scheme, min_length=min_length, max_gap=max_gap):
        longest[segment.label] = max(longest[segment.label], len(segment))
    counts = {letter: labels.count(letter) for letter in scheme.letters}
    size = len(labels)
    return Summary(
        size,
        {letter: count / size for letter, count in counts.items()},
        (size - sum(counts.values())) / size,
        float(confidence(labels, probabilities, scheme).mean(dtype=np.float64)),
        longest,
    )


def label_runs(labels: str) -> list[_Run]:
    """Return the letter, start and end (0-based, exclusive) of every run of equal letters.

    Examples
    --------
    >>> label_runs("HH?E")
    [('H', 0, 2), ('?', 2, 3), ('E', 3, 4)]
    """
    raw = np.frombuffer(labels.encode("ascii"), dtype=np.uint8)
    return [(labels[first], first, last) for first, last in equal_runs(raw).tolist()]


def _joined(labels: str, scheme: LabelScheme, max_gap: int) -> list[_Run]:
    runs = [run for run in label_runs(labels) if run[0] in scheme.letters]
    found = []
    at = 0
    while at < len(runs):
        label, first, last = runs[at]
        following = at + 1
        if max_gap and label != scheme.background:
            ahead = following
            while ahead < len(runs) and runs[ahead][1] - last <= max_gap:
                if runs[ahead][0] == label:
                    last, following = runs[ahead][2], ahead + 1
                ahead += 1
        found.append((label, first, last))
        at = following
    return found
