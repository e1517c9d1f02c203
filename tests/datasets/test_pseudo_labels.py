"""Proteins labelled from alignments of their homologs, as training data."""

from __future__ import annotations

import importlib
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import REPOSITORY
from grubio.datasets.parquet import read_header, read_records
from grubio.sequences.record import Record
from grubio.sequences.target import LABELS

pytestmark = pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))


def relatives(sequence: str, count: int) -> list[str]:
    """Return copies of a sequence in which a sixth of the residues are others."""
    drawn = random.Random(1)
    return [
        "".join(
            drawn.choice("ACDEFGHIKLMNPQRSTVWY") if drawn.random() < 1 / 6 else x for x in sequence
        )
        for _ in range(count)
    ]


def test_families_are_labelled_from_their_alignment(
    rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = importlib.import_module("pseudo_labels")
    long = [record for record in read_records(rich) if len(record) > 150]
    known, excluded = [record for record in long if record.split == "train"][:2]
    held = next(record for record in long if record.split == "test")
    families = {"family": known, "held": held, "excluded": excluded}
    texts = {
        f"{name}{number}": text
        for name, record in families.items()
        for number, text in enumerate(relatives(record.sequence, 12))
    }
    fasta, unwanted, output = (tmp_path / name for name in ("u.fasta", "x.fasta", "p.parquet"))
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    unwanted.write_text(f">x\n{excluded.sequence}\n")

    def run(model: str = "protein-ss-profile") -> dict[str, Record]:
        words = ["x", str(fasta), "--model", model, "--like", str(rich)]
        words += ["--exclude", str(unwanted), "--output", str(output), "--threads", "1"]
        monkeypatch.setattr(sys, "argv", words)
        script.main()
        return {record.id: record for record in read_records(output, targets=True)}

    with monkeypatch.context() as patched:
        patched.setattr(script, "write_dataset", None)
        with pytest.raises(TypeError):
            run()
    # What has been aligned is not aligned again.
    with monkeypatch.context() as patched:
        patched.setattr(script.HomologSearch, "_search", None)
        found = run()
    # Some of the family, and nothing that resembles a held-out or an excluded chain.
    name = next(iter(found))
    assert 0 < len(found) < 12
    assert all(name.startswith("family") for name in found)
    header = read_header(output)
    assert header.soft_labels
    assert header.targets == read_header(rich).targets
    answers = found[name].answers
    soft, shares, values = (
        np.asarray(answers[key]) for key in (LABELS, "profile", "accessibility")
    )
    size = len(known)
    assert (soft.shape, shares.shape, values.shape) == ((size, 9), (size, 20), (size,))
    # The residue of the sequence that all come from is the most frequent one, almost everywhere.
    letters = np.array(list("ACDEFGHIKLMNPQRSTVWY"))[shares.argmax(axis=1)]
    assert np.mean(letters == np.array(list(known.sequence))) > 0.9
    assert {path.name for path in tmp_path.iterdir()} == {"u.fasta", "x.fasta", "p.parquet"}
    assert " of 101 others" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("protein-ss")
    assert "does not read profiles" in capsys.readouterr().err
