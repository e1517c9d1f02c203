"""Labels transferred through alignments, and the proteins that are labelled so."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import REPOSITORY
from grubio.datasets.parquet import read_header, read_records
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from grubio.sequences.target import LABELS

needs_mmseqs = pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))


def test_soft_labels_are_the_mean_of_what_is_aligned() -> None:
    transfer = importlib.import_module("transfer_labels")
    first = np.array([0, 0, 1, 255, 1], dtype=np.uint8)
    second = np.array([9, 1, 1, 0], dtype=np.uint8)
    found = transfer.soft_labels(
        6,
        [
            # Residues 1 to 3 at 0 to 2, one residue inserted, residue 5 at 3, which is unknown.
            (0.75, 1, 0, "3M1I1M", first),
            # Residue 2 at 1, residue 1 of the other left out, residue 3 at 3.
            (0.25, 2, 1, "1M1D1M", second),
        ],
        2,
    )
    assert found.tolist() == [
        [0, 0, 0],
        [255, 0, 191],
        # Three quarters the first class, one quarter the second.
        [191, 64, 191],
        [64, 191, 191],
        [0, 0, 0],
        [0, 0, 0],
    ]


@needs_mmseqs
def test_relatives_are_labelled_chunk_by_chunk(
    dataset: Path,
    chains: list[Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    transfer = importlib.import_module("transfer_labels")
    long = [record for record in chains if len(record) > 150]
    train = [record for record in long if record.split == "train"][:4]
    held = next(record for record in long if record.split == "test")
    others = [
        ("relative", train[0].sequence[5:]),
        ("twin", train[0].sequence[5:-1]),
        ("known", train[1].sequence),
        ("of-test", held.sequence),
        ("excluded", train[2].sequence),
        ("strange", "MGSSHHHHHH" * 6),
    ]
    fasta, excluded, output = (tmp_path / name for name in ("u.fasta", "x.fasta", "p.parquet"))
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in others))
    excluded.write_text(f">x\n{train[2].sequence}\n")

    def run(*more: str) -> dict[str, Record]:
        words = ["x", str(fasta), "--labelled", str(dataset), "--exclude", str(excluded)]
        words += ["--output", str(output), "--chunk", "6", "--sensitivity", "1", "--threads", "1"]
        monkeypatch.setattr(sys, "argv", [*words, *more])
        transfer.main()
        return {record.id: record for record in read_records(output, targets=True)}

    def stopped(records: list[Record], *_: object) -> None:
        # No test chain has given its labels.
        assert {record.id for record in records} - {"of-test"} == {"relative", "twin", "known"}
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(transfer, "of_clusters", stopped)
        with pytest.raises(KeyboardInterrupt):
            run("--cluster-identity", "0.3")
    # What is finished is not searched again.
    with monkeypatch.context() as patched:
        patched.setattr(transfer, "labelled", None)
        found = run("--cluster-identity", "0.3")
    assert read_header(output).soft_labels
    assert not output.with_name("p.parquet.part").exists()
    assert len({"relative", "twin"} & {*found}) == 1
    known = found["known"]
    soft = known.answers[LABELS]
    assert isinstance(soft, np.ndarray)
    assert soft.shape == (len(known), 9)
    assert np.mean([a == b for a, b in zip(known.labels, train[1].labels, strict=True)]) > 0.95
    assert (soft[:, -1] == 255).mean() > 0.95
    assert np.array_equal(
        SS8.encode(known.labels)[soft.any(axis=1)], soft[:, :-1].argmax(axis=1)[soft.any(axis=1)]
    )
    assert "proteins, " in capsys.readouterr().out


def test_proteins_of_both_packages_are_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlabelled = importlib.import_module("unlabelled_proteins")
    protein = "MKVLAWFYHDERQNPGSTCI" * 2
    code = {letter: number for number, letter in enumerate("-ABCDEFGHIKLMNPQRSTVWXYZU*OJ")}
    coded = bytes(code[letter] for letter in protein)
    volume = tmp_path / "usr/share/metastudent-data/dataset_201401/BPO/goasp.fasta.psq"
    volume.parent.mkdir(parents=True)
    volume.write_bytes(b"\0" + coded + b"\0" + coded + b"\0" + coded[:20] + b"\0")
    markers = tmp_path / "var/lib/metaphlan2-data/markers.fasta"
    markers.parent.mkdir(parents=True)
    gene = "ATGAAAGTT" * 12
    markers.write_text(f">a\n{gene}TAA\n>b\n{gene}TAA{gene}\n>c\n{gene}A\n>d\n{gene}\n")
    output = tmp_path / "all.fasta"
    monkeypatch.setattr(sys, "argv", ["x", str(output), "--root", str(tmp_path)])
    unlabelled.main()
    assert output.read_text() == f">swissprot2014-1\n{protein}\n>marker-1\n{'MKV' * 12}\n"
