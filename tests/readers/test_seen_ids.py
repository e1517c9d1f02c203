from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.errors import GrubioError
from grubio.readers import seen_ids
from grubio.readers.fasta import read_fasta
from grubio.readers.seen_ids import Repeat, SeenIds


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(1, 20))
def test_a_repeat_is_found_if_there_is_one(numbers: list[int], batch: int) -> None:
    names = [str(number) for number in numbers]
    seen = SeenIds()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_ids, "_BATCH", batch)
        found = next(filter(None, map(seen.add, names)), None) or seen.finish()
    assert (found is None) == (len(set(names)) == len(names))
    if found is not None:
        assert names[found.first - 1] == names[found.second - 1] == found.id
        assert found.first < found.second


def test_a_repeat_far_behind_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.fasta"
    names = [*range(70_000), 5]
    path.write_text("".join(f">r{name}\nMK\n" for name in names))
    with pytest.raises(GrubioError, match="as records 6 and 70001"):
        list(read_fasta(path))


def test_there_are_few_runs() -> None:
    seen = SeenIds()
    assert not any(seen.add(f"r{number}") for number in range(1_000_000))
    assert len(seen._runs) < 8
    assert seen.add("r7") is None
    assert seen.finish() == Repeat("r7", 8, 1_000_001)


def test_equal_hashes_are_no_repeat_where_names_can_be_looked_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(seen_ids, "_BATCH", 4)
    monkeypatch.setattr(seen_ids, "hash", lambda name: int(name[1:]) % 37, raising=False)
    path = tmp_path / "a.fasta"
    path.write_text("".join(f">r{name}\nMK\n" for name in range(40)))
    assert len(list(read_fasta(path))) == 40
    path.write_text(path.read_text() + ">r7\nMK\n")
    with pytest.raises(GrubioError, match="as records 8 and 41"):
        list(read_fasta(path))
