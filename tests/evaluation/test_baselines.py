from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from grubio.errors import GrubioError
from grubio.evaluation import baselines
from grubio.evaluation.baselines import WindowLogisticRegression, class_frequencies
from grubio.sequences.alphabet import DNA, PROTEIN, Alphabet
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import SS3, SS8, custom_scheme


def dense_windows(sequence: str, window: int, alphabet: Alphabet) -> np.ndarray:
    """Return the same features, built the plain way: place by place, residue by residue."""
    channels = alphabet.channels + 1
    rows = np.zeros((len(sequence), window, channels))
    one_hot = alphabet.one_hot(sequence)
    for residue in range(len(sequence)):
        for place in range(window):
            seen = residue - (window - 1) // 2 + place
            if 0 <= seen < len(sequence):
                rows[residue, place, :-1] = one_hot[seen]
            else:
                rows[residue, place, -1] = 1
    return rows.reshape(len(sequence), -1)


def test_masked_and_unknown_residues_have_no_class() -> None:
    record = Record("a", "", "ACDEF", "HE?CH", "11101")
    assert scored_classes(record, SS3).tolist() == [0, 1, 255, 255, 0]
    assert scored_classes(replace(record, labels=None), SS3).tolist() == [255] * 5


def test_frequencies_count_what_is_scored() -> None:
    records = [Record("a", "", "ACDEF", "HHHEC", "11110"), Record("b", "", "AC", "??")]
    assert class_frequencies(records, SS3).tolist() == [0.75, 0.25, 0]


@pytest.mark.parametrize("window", [1, 4, 5])
def test_it_is_logistic_regression_on_the_residues_of_a_window(
    chains: list[Record], window: int
) -> None:
    # X and U are ambiguous: their weight is spread, which takes more than one entry per place.
    train = [replace(r, sequence="XU" + r.sequence[2:]) for r in chains[:20]]
    features = np.concatenate([dense_windows(r.sequence, window, PROTEIN) for r in train])
    classes = np.concatenate([scored_classes(r, SS8) for r in train])
    plain = LogisticRegression(max_iter=200, tol=1e-3)
    plain.fit(csr_matrix(features.astype(np.float32)), classes)
    expected = np.zeros((3, SS8.size))
    expected[:, plain.classes_] = plain.predict_proba(dense_windows("XWk", window, PROTEIN))
    found = WindowLogisticRegression(PROTEIN, SS8, window, 1).fit(train).probabilities("XWk")
    assert np.allclose(found, expected, atol=1e-4)


def test_it_learns_and_sees_no_further_than_its_window(chains: list[Record]) -> None:
    model = WindowLogisticRegression(PROTEIN, SS8, 5, 1).fit(chains[:200])
    base = model.probabilities("A" * 20)
    changed = model.probabilities("A" * 10 + "W" + "A" * 9)
    moved = np.flatnonzero(np.abs(base - changed).max(axis=1) > 1e-7)
    assert moved.tolist() == [8, 9, 10, 11, 12]
    assert np.allclose(base.sum(axis=1), 1, atol=1e-5)
    right = total = 0
    for record in chains[250:]:
        called = SS8.decode(model.probabilities(record.sequence).argmax(axis=1))
        right += sum(a == b for a, b in zip(called, record.labels or "", strict=True))
        total += len(record)
    assert right / total > class_frequencies(chains[:200], SS8).max() + 0.03


def test_a_masked_label_teaches_nothing(chains: list[Record]) -> None:
    found = []
    for letter in "HE":
        train = [
            replace(
                r, labels=letter * 20 + (r.labels or "")[20:], mask="0" * 20 + "1" * (len(r) - 20)
            )
            for r in chains[:30]
        ]
        found.append(WindowLogisticRegression(PROTEIN, SS8, 5, 1).fit(train).probabilities("ACDEF"))
    assert np.array_equal(*found)


def test_two_classes_and_one_class() -> None:
    # In DNA every A is inside and nothing else is.
    scheme = custom_scheme("site", "IO")
    sequence = "ACGTAACCGGTT" * 20
    record = Record("a", "", sequence, "".join("I" if c == "A" else "O" for c in sequence))
    model = WindowLogisticRegression(DNA, scheme, 3, 1).fit([record])
    assert scheme.decode(model.probabilities("GATTACA").argmax(axis=1)) == "OIOOIOI"
    only = WindowLogisticRegression(DNA, scheme, 3, 1).fit([Record("a", "", "ACGT", "OOOO")])
    assert only.probabilities("AC").tolist() == [[0, 1], [0, 1]]


def test_an_absent_class_gets_no_probability() -> None:
    record = Record("a", "", "AAAACCCCGGGG" * 5, "HHHHEEEECCCC" * 5)
    model = WindowLogisticRegression(PROTEIN, SS8, 3, 1).fit([record])
    probabilities = model.probabilities("ACG")
    present = [SS8.letters.index(c) for c in "HEC"]
    assert np.allclose(probabilities[:, present].sum(axis=1), 1, atol=1e-5)


def test_no_known_label_is_an_error_for_the_person() -> None:
    with pytest.raises(GrubioError, match="no residue of the training chains has a known label"):
        WindowLogisticRegression(PROTEIN, SS8, 3, 1).fit([Record("a", "", "ACD", "???")])


def test_what_is_left_out_is_said(
    chains: list[Record], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(baselines, "MAX_TRAINING_RESIDUES", 1000)
    monkeypatch.setattr(logging.getLogger("grubio"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="grubio"):
        model = WindowLogisticRegression(PROTEIN, SS8, 3, 1).fit(chains[:50])
    assert model.training_residues == 1000
    assert f"1000 of {sum(len(r) for r in chains[:50])} training residues" in caplog.text
