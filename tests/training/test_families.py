"""Families of homologs: found, made into records, and trained on for a given time."""

from __future__ import annotations

import importlib
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import REPOSITORY
from grubio.datasets.parquet import read_header, read_records
from grubio.model.architecture import Architecture
from grubio.model.batching import padded_codes
from grubio.model.bundle import load_bundle
from grubio.model.labeller import Labeller, new_labeller
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.target import LABELS


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))


def test_a_row_has_the_answers_of_its_columns() -> None:
    homologs = importlib.import_module("homologs")
    soft = np.arange(12, dtype=np.uint8).reshape(4, 3)
    values = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)
    known = Record("known", "", "MKTA", "HEHC", answers={LABELS: soft, "value": values})
    found = homologs.homolog("other", "-rgK-V", known)
    assert (found.id, found.group, found.sequence) == ("known|other", "known", "RGKV")
    assert found.labels is not None
    assert (found.labels[2:], found.mask) == ("EC", "0011")
    assert np.asarray(found.answers[LABELS]).tolist() == [[0] * 3, [0] * 3, [3, 4, 5], [9, 10, 11]]
    assert np.asarray(found.answers["value"])[2:].tolist() == values[[1, 3]].tolist()
    assert np.isnan(np.asarray(found.answers["value"])[:2]).all()


def test_chosen_rows_are_unlike_each_other() -> None:
    homologs = importlib.import_module("homologs")
    drawn = random.Random(1)

    def changed(text: str, share: float) -> str:
        return "".join(drawn.choice("ACDEFGHIKL") if drawn.random() < share else x for x in text)

    first = changed("M" * 100, 1)
    near, far = changed(first, 0.02), changed(first, 0.5)
    rows = [
        ("first", first),
        ("near", near),
        ("far", far),
        ("twin", far),
        ("short", far[:50] + "-" * 50),
    ]
    assert {row[0] for row in homologs.chosen_rows(rows, 4, 1)} in ({"far"}, {"twin"})


def test_the_packed_network_is_the_labeller(rich: Path) -> None:
    script = importlib.import_module("train_on_gpu")
    torch.manual_seed(1)
    targets = [read_header(rich).main]
    architecture = Architecture("gru", 5, 2, 0.0, 4, 3)
    labeller = new_labeller(architecture, targets, PROTEIN.channel_table)
    assert isinstance(labeller, Labeller)
    packed = script.PackedNetwork(labeller, [], 0.0)
    for weight in packed.layers.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    codes, lengths = map(
        torch.from_numpy, padded_codes([PROTEIN.encode(x) for x in ("MKTAYI", "GLSD")], 21)
    )
    with torch.no_grad():
        found = packed(codes, lengths)
        states = packed.trained().network(codes, lengths)
    expected = torch.nn.utils.rnn.pack_padded_sequence(states, lengths).data
    torch.testing.assert_close(found, expected)


@pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed")
def test_homologs_are_found_and_trained_on(
    rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    homologs, script = map(importlib.import_module, ("homologs", "train_on_gpu"))
    drawn = random.Random(1)
    chosen = [r for r in read_records(rich, "train") if len(r) > 150][:3]
    held = next(r for r in read_records(rich, "test") if len(r) > 150)
    fasta, output = tmp_path / "u.fasta", tmp_path / "homologs.parquet"
    with fasta.open("w") as out:
        for record in (*chosen, held):
            for number in range(6):
                text = "".join(
                    drawn.choice("ACDEFGHIKL") if drawn.random() < 0.4 else x
                    for x in record.sequence
                )
                out.write(f">{record.id}-{number}\n{text}\n")
    words = ["x", str(fasta), "--labelled", str(rich), "--output", str(output), "--threads", "1"]
    monkeypatch.setattr(sys, "argv", [*words, "--most", "2"])
    homologs.main()
    found = list(read_records(output, targets=True))
    assert {record.group for record in found} == {record.id for record in chosen}
    assert len(found) == 6
    assert not output.with_name("homologs.parquet.part").exists()
    words = ["x", str(rich), "--homologs", str(output), "--output", str(tmp_path / "model")]
    words += ["--seconds", "4", "--hidden-size", "16", "--layers", "1", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", [*words, "--batch-residues", "2000"])
    script.main()
    bundle = load_bundle(tmp_path / "model")
    training = bundle.metadata["training"]
    known = list(read_records(rich, "train"))
    assert training["chains"] == len(known) + 6
    # Better than the most frequent class alone.
    assert training["valid_score"] > 0.4
    assert "residues" in capsys.readouterr().out
