"""Soft labels and weights of residues: read, kept, joined to training, and learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.nn.functional import cross_entropy

from grubio.config import ModelSettings, PrepareSettings, SplitSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.batching import IGNORED, labelled_examples
from grubio.model.bundle import load_bundle
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8
from grubio.sequences.target import LABELS
from grubio.splits.split import split_dataset
from grubio.training.losses import label_loss
from grubio.training.train import train_model

TSV = PrepareSettings(format="tsv", scheme="ss3")


def prepared(folder: Path, text: str, settings: PrepareSettings = TSV) -> list[Record]:
    (folder / "t.tsv").write_text(text.replace(" ", "\t"))
    prepare_dataset([folder / "t.tsv"], folder / "t.parquet", settings)
    return list(read_records(folder / "t.parquet", targets=True))


def test_soft_labels_alone_give_the_likeliest_class(tmp_path: Path) -> None:
    (record,) = prepared(
        tmp_path,
        "id sequence soft_labels label_weights\n"
        "a MKVA* 200,55,0,0,0,0,0,0,255,9,9,200,1,1,1 255,255,40,0,3\n",
    )
    assert read_header(tmp_path / "t.parquet").soft_labels
    assert (record.sequence, record.labels, record.mask) == ("MKVA", "H?C?", "1010")
    assert np.array_equal(
        record.answers[LABELS],
        [[200, 55, 0, 255], [0, 0, 0, 255], [0, 0, 255, 40], [9, 9, 200, 0]],
    )


def test_masked_residues_have_no_soft_label_in_training(tmp_path: Path) -> None:
    (record,) = prepared(
        tmp_path,
        "id sequence labels mask soft_labels label_weights\n"
        "a MKVA HE?C 1011 9,0,0,0,9,0,0,0,9,0,0,9 255,255,255,255\n",
    )
    assert (record.labels, record.mask) == ("H?CC", "1011")
    (example,) = labelled_examples(record, PROTEIN, SS3)
    assert example.classes.tolist() == [0, IGNORED, 2, 2]
    assert example.answers[LABELS].any(axis=1).tolist() == [True, False, True, True]


def test_weights_alone_are_of_the_labels_and_none_are_none(tmp_path: Path) -> None:
    one, other = prepared(
        tmp_path, "id sequence labels label_weights\na MKV HE? 255,51,0\nb MK HH \n"
    )
    assert np.array_equal(one.answers[LABELS], [[255, 0, 0, 255], [0, 255, 0, 51], [0, 0, 0, 0]])
    assert other.answers == {}
    assert other.labels == "HH"


def test_parquet_holds_bytes_or_lists(tmp_path: Path) -> None:
    shares = bytes([255, 0, 0, 0, 100, 155])
    rows = {
        "id": ["a", "b"],
        "sequence": ["MK", "MK"],
        "soft_labels": [shares, shares],
        "label_weights": [[255, 7], [1, 2]],
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    settings = PrepareSettings(format="parquet", scheme="ss3")
    prepare_dataset([tmp_path / "t.parquet"], tmp_path / "out.parquet", settings)
    first, _ = read_records(tmp_path / "out.parquet", targets=True)
    assert first.labels == "HC"
    assert np.array_equal(first.answers[LABELS], [[255, 0, 0, 255], [0, 100, 155, 7]])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a MKV 1,2,3 1,2,3", "1 shares for each residue; ss3 has 3 classes"),
        ("a MKV 1,2,3,4 1,2,3", "3 residues but 4 values of soft_labels"),
        ("a MK 1,2,3,4,5,6 1,2,3", "2 residues but 3 values of label_weights"),
        ("a MK 1,2,3,4,5,256 1,2", "soft_labels: '256'; a whole number from 0 to 255"),
        ("a MK 1,2,3,4,5,6 1,0.5", "label_weights: '0.5'; a whole number from 0 to 255"),
    ],
)
def test_what_is_wrong_with_them_is_told(row: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match=problem):
        prepared(tmp_path, f"id sequence soft_labels label_weights\n{row}\n")
    assert not (tmp_path / "t.parquet").exists()


def test_the_loss_is_the_weighted_mean_of_hard_and_soft_ones() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, 1, 3, generator=generator)
    classes = torch.tensor([0, 1, IGNORED, 2, 2]).unsqueeze(1)
    soft = torch.zeros(5, 1, 4, dtype=torch.uint8)
    # A soft label of full weight, one of a fifth, one of no weight; the first is hard.
    soft[1, 0] = torch.tensor([100, 50, 50, 255])
    soft[3, 0] = torch.tensor([0, 0, 200, 51])
    soft[4, 0] = torch.tensor([9, 0, 0, 0])
    each = [
        cross_entropy(logits[0], classes[0]),
        cross_entropy(logits[1], torch.tensor([[0.5, 0.25, 0.25]])),
        cross_entropy(logits[3], classes[3]),
    ]
    wanted = (each[0] + each[1] + 0.2 * each[2]) / 2.2
    assert torch.isclose(label_loss(logits, classes, SS3, soft=soft), wanted)
    # Without any, or certain and of full weight, they change nothing.
    plain = label_loss(logits, classes, SS3)
    assert torch.isclose(label_loss(logits, classes, SS3, soft=0 * soft), plain)
    certain = torch.cat((torch.eye(3)[classes.clamp_min(0)], torch.ones(5, 1, 1)), dim=2)
    certain = (255 * certain * (classes != IGNORED).unsqueeze(2)).to(torch.uint8)
    assert torch.isclose(label_loss(logits, classes, SS3, soft=certain), plain)
    weights = torch.tensor([1.0, 3.0, 0.5])
    found, balanced = (
        label_loss(logits, classes, SS3, weights=weights, soft=one) for one in (certain, None)
    )
    assert torch.isclose(found, balanced)
    none = torch.full_like(classes, IGNORED)
    assert label_loss(logits, none, SS3, soft=0 * soft) == 0


def softened(record: Record, number: int) -> Record:
    """Return a record whose soft labels say that all is strand."""
    shares = np.full((len(record), 8), 5, dtype=np.uint8)
    shares[:, SS8.letters.index("E")] = 220
    soft = np.column_stack((shares, np.full(len(record), 128, dtype=np.uint8)))
    return replace(record, id=f"soft{number}", split=None, answers={LABELS: soft})


def test_a_dataset_of_soft_labels_joins_and_is_learned(
    dataset: Path, chains: list[Record], tmp_path: Path
) -> None:
    # The first chain is a test chain again, which must not join.
    own = [chains[260], *chains[:40]]
    joining = [softened(record, number) for number, record in enumerate(own)]
    header = DatasetHeader(PROTEIN, SS8, {"p.tsv": "1" * 64}, soft_labels=True)
    write_dataset(tmp_path / "soft.parquet", header, joining)
    few = [*chains[200:300:5], *chains[41:43]]
    write_dataset(tmp_path / "few.parquet", read_header(dataset), few)
    split_dataset(
        tmp_path / "few.parquet",
        tmp_path / "split.parquet",
        SplitSettings(method="kmer"),
        train_also=[tmp_path / "soft.parquet"],
        removed=tmp_path / "removed.tsv",
    )
    found = {r.id: r for r in read_records(tmp_path / "split.parquet", targets=True)}
    assert read_header(tmp_path / "split.parquet").soft_labels
    assert "soft0" not in found
    assert "soft0" in (tmp_path / "removed.tsv").read_text()
    assert np.array_equal(found["soft1"].answers[LABELS], joining[1].answers[LABELS])
    assert found[chains[41].id].answers == {}
    shape = ModelSettings(hidden_size=8, layers=1, stem_channels=8)
    settings = TrainingSettings(epochs=2, batch_residues=1000, learning_rate=0.02)
    model = train_model(
        tmp_path / "split.parquet", tmp_path / "run", shape, settings, device="cpu", threads=1
    )
    bundle = load_bundle(model)
    # The labels say otherwise, but soft labels take their place.
    answers = Predictor(bundle, "cpu", 1).predict(chains[:20])
    predicted = "".join(answer.labels() for answer in answers)
    assert predicted.count("E") > 0.9 * len(predicted)
    with pytest.raises(GrubioError, match="takes no soft labels"):
        train_model(
            tmp_path / "split.parquet",
            tmp_path / "crf",
            shape,
            settings.model_copy(update={"loss": "crf"}),
            device="cpu",
        )


def test_a_dataset_of_soft_labels_is_a_table_of_another(tmp_path: Path) -> None:
    (first,) = prepared(tmp_path, "id sequence soft_labels label_weights\na MK 9,8,7,6,5,4 3,2\n")
    again = tmp_path / "again.parquet"
    settings = PrepareSettings(format="parquet", scheme="ss3")
    prepare_dataset([tmp_path / "t.parquet"], again, settings)
    (second,) = read_records(again, targets=True)
    assert second == first
    assert np.array_equal(second.answers[LABELS], first.answers[LABELS])
    assert np.array_equal(first.answers[LABELS], [[9, 8, 7, 3], [6, 5, 4, 2]])
