from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grubio.sequences.windows import GAP, gap_mask, windows


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(0, 100))
def test_cores_tile_the_sequence_and_mirror(length: int, core: int, overlap: int) -> None:
    found = list(windows(length, core, overlap))
    assert found[0].first == 0
    assert found[-1].last == length
    for before, after in itertools.pairwise(found):
        assert before.last == after.first
    for window in found:
        assert window.first < window.last
        assert window.start == max(window.first - overlap, 0)
        assert window.end == min(window.last + overlap, length)
        if len(found) > 1:
            assert window.last - window.first <= core + 2
    mirrored = [(length - w.last, length - w.first) for w in reversed(found)]
    assert mirrored == [(w.first, w.last) for w in found]
    if length <= core + 2 * overlap and (length % 2 or core >= 1):
        assert len(found) == 1


@given(st.text("ANn", min_size=1, max_size=80), st.data())
def test_a_part_of_a_gap_mask_is_the_same_as_in_the_whole(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    whole = gap_mask(text, 0, len(text))
    assert np.array_equal(gap_mask(text, start, end), whole[start:end])
    runs = [run for run in text.upper().split("A") if len(run) >= GAP]
    assert whole.sum() == sum(map(len, runs))
