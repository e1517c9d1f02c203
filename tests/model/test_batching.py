from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grubio.model.batching import (
    IGNORED,
    batches_by_length,
    class_counts,
    labelled_examples,
    padded,
    shuffled_batches,
)
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3

lengths_strategy = st.lists(st.integers(1, 300), min_size=1, max_size=80)


@given(lengths_strategy, st.integers(50, 1000))
def test_every_sequence_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    for batches in (
        batches_by_length(lengths, budget),
        shuffled_batches(lengths, budget, seed=3, epoch=1),
    ):
        assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_order_follows_from_seed_and_epoch_alone() -> None:
    lengths = list(range(20, 220))
    first = shuffled_batches(lengths, 1000, seed=1, epoch=2)
    assert first == shuffled_batches(lengths, 1000, seed=1, epoch=2)
    assert first != shuffled_batches(lengths, 1000, seed=1, epoch=3)
    assert first != shuffled_batches(lengths, 1000, seed=2, epoch=2)


def test_masked_and_unknown_residues_do_not_count() -> None:
    record = Record("a", "", "MKTA", "HE?C", "1011")
    (example,) = labelled_examples(record, PROTEIN, SS3)
    assert example.classes.tolist() == [0, IGNORED, IGNORED, 2]
    assert class_counts([example], 3).tolist() == [1, 0, 1]


def test_long_chains_are_cut_and_nothing_is_lost() -> None:
    record = Record("a", "", "MKTAY" * 50, "HEC" * 83 + "H")
    pieces = list(labelled_examples(record, PROTEIN, SS3, max_length=100))
    assert [len(piece) for piece in pieces] == [84, 83, 83]
    assert np.array_equal(
        np.concatenate([piece.codes for piece in pieces]), PROTEIN.encode(record.sequence)
    )


def test_a_piece_without_a_counted_residue_is_left_out() -> None:
    record = Record("a", "", "MKTA", "HHHH", "0000")
    assert list(labelled_examples(record, PROTEIN, SS3)) == []


def test_padding_is_marked_in_codes_and_classes() -> None:
    examples = [
        next(labelled_examples(Record("a", "", s, "H" * len(s)), PROTEIN, SS3))
        for s in ("MK", "MKTA")
    ]
    batch = padded(examples, PROTEIN.pad_code)
    assert batch.codes.shape == (4, 2)
    assert (batch.codes[2:, 0] == PROTEIN.pad_code).all()
    assert (batch.classes[2:, 0] == IGNORED).all()
    assert batch.lengths.tolist() == [2, 4]
