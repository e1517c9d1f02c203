"""The benchmark of what is made of an alignment: every way is compared with all homologs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from conftest import REPOSITORY
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    return importlib.import_module("alignment_uses")


def test_homologs_are_kept_by_what_they_cover_and_by_identity(benchmark: ModuleType) -> None:
    rows = ["MKVLAA", "MK----", "MKVLAG", "GGVGGG", "------"]
    assert benchmark.kept(rows, 0.0, 0.0, 1.0) == rows[:4]
    assert benchmark.kept(rows, 0.5, 0.0, 1.0) == ["MKVLAA", "MKVLAG", "GGVGGG"]
    assert benchmark.kept(rows, 0.0, 0.3, 1.0) == rows[:3]
    assert benchmark.kept(rows, 0.0, 0.0, 0.9) == ["MKVLAA", "MKVLAG", "GGVGGG"]
    assert len(benchmark.half(rows, [1, 1])) == 3


def test_every_way_has_a_row(
    benchmark: ModuleType,
    chains: list[Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = [record for record in chains if record.split == "valid"][:3]
    write_dataset(tmp_path / "split.parquet", DatasetHeader(PROTEIN, SS8), few)
    own = few[0].sequence
    others = "".join(f">{at}\n{own[::-1][:at]}{own[at:]}\n" for at in range(len(own)))
    (tmp_path / "few.a3m").write_text(f">{few[0].id}\n{own}\n{others}\0")
    files = ["--dataset", tmp_path / "split.parquet", "--alignments", tmp_path / "few.a3m"]
    monkeypatch.setattr(sys, "argv", ["alignment_uses.py", *map(str, files), "--threads", "1"])
    benchmark.main()
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [len(line) for line in lines] == [3] * 11
    assert lines[0][2] == "+0.00 (+0.00 to +0.00)"
    # One chain of three has homologs, so the ways differ.
    assert len({line[1] for line in lines}) > 1
