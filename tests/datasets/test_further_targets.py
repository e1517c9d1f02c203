"""Additional targets of a dataset: their settings, their files, and datasets of grubio 0.1."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import ACCESSIBILITY, PROFILE
from grubio.config import (
    DatasetSettings,
    ModelSettings,
    PrepareSettings,
    Settings,
    SplitSettings,
    TargetSettings,
    TrainingSettings,
    base,
)
from grubio.config.loading import checked
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from grubio.splits.split import split_dataset

TABLE = """id\tsequence\tss8\ttopology\tplddt
one\tMKV*\tHHEC\tIIM?\t90.5,80,,12
two\tGG\tCC\t\t
"""
FURTHER = ("topology=I:inside,M:membrane", "plddt=0..100")


def prepared(folder: Path, words: tuple[str, ...], table: str = TABLE, **settings: Any) -> Path:
    (folder / "t.tsv").write_text(table)
    additional = [TargetSettings.model_validate(word) for word in words]
    output = folder / "out.parquet"
    wanted = PrepareSettings(format="tsv", **settings)
    prepare_dataset([folder / "t.tsv"], output, wanted, targets=additional)
    return output


def test_columns_of_a_table_are_targets(tmp_path: Path) -> None:
    path = prepared(tmp_path, FURTHER)
    topology, plddt = read_header(path).targets
    assert topology.scheme is not None
    assert (topology.scheme.letters, topology.scheme.class_names) == ("IM", ("inside", "membrane"))
    assert (plddt.kind, plddt.low, plddt.high) == ("value", 0, 100)
    one, two = read_records(path, targets=True)
    assert (one.sequence, one.answers["topology"]) == ("MKV", "IIM")
    values = np.asarray(one.answers["plddt"])
    assert values[:2].tolist() == [90.5, 80]
    assert np.isnan(values[2])
    assert dict(two.answers) == {}
    assert plddt.scaled(values)[0] == pytest.approx(0.905)
    assert plddt.in_own_range(plddt.scaled(values))[0] == pytest.approx(90.5)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("IIM?", "IXM?", "record 'one', position 2: 'X' is not a label of topology"),
        ("IIM?", "II", "3 residues but 2 characters of topology"),
        ("90.5,80,,12", "90.5,80", "3 residues but 2 values of plddt"),
        ("90.5,80,,12", "90.5,high,,12", "record 'one', position 2: plddt: 'high' is not a number"),
        (
            "90.5,80,,12",
            "90.5,180,,12",
            "position 2: plddt: 180 is not between 0 and 100",
        ),
        ("topology", "topologie", "has no column topology"),
    ],
)
def test_cells_that_do_not_fit_are_refused(
    before: str, after: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(GrubioError, match=problem):
        prepared(tmp_path, FURTHER, TABLE.replace(before, after))


def test_an_unknown_letter_is_masked_for_its_target_alone(tmp_path: Path) -> None:
    path = prepared(tmp_path, FURTHER, TABLE.replace("IIM?", "IXM?"), on_invalid="mask")
    one, _ = read_records(path, targets=True)
    assert (one.labels, one.mask, one.answers["topology"]) == ("HHE", None, "I?M")


def test_a_target_has_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "f.tsv").write_text("topology\tnote\tid\nIM?\tx\tone\n")
    path = prepared(tmp_path, (f"topology=IM@{tmp_path / 'f.tsv'}",))
    one, two = read_records(path, targets=True)
    assert (one.answers["topology"], dict(two.answers)) == ("IM?", {})
    assert set(read_header(path).sources) == {"t.tsv", "f.tsv"}


@pytest.mark.parametrize("header", ["", "id\ttopology\n", "protein\tlabels\n"])
def test_a_file_of_a_target_needs_no_header(header: str, tmp_path: Path) -> None:
    (tmp_path / "f.tsv").write_text(f"{header}one\tIM?\ntwo\tMM\n")
    path = prepared(tmp_path, (f"topology=IM@{tmp_path / 'f.tsv'}",))
    found = [record.answers["topology"] for record in read_records(path, targets=True)]
    assert found == ["IM?", "MM"]


def test_shares_may_be_a_column(tmp_path: Path) -> None:
    table = "id\tsequence\tss8\tstate\none\tMK*\tHH\t60,3,0,63\ntwo\tG\tC\t\n"
    words = ('{"name": "state", "scheme": "A:a,B:b", "answers": "shares"}',)
    first, second = read_records(prepared(tmp_path, words, table), targets=True)
    assert np.array_equal(first.answers["state"], [[60, 3], [0, 63]])
    assert second.answers == {}
    for cell, problem in (
        ("60,3,1", "3 shares, not 2 of each residue"),
        ("60,3", "2 residues but 1 values of state"),
        ("60,3,0,256", "state: '256'; a whole number from 0 to 255"),
    ):
        with pytest.raises(GrubioError, match=problem) as caught:
            prepared(tmp_path, words, table.replace("60,3,0,63", cell))
        assert caught.value.record == "one"


def test_a_dataset_is_read_as_a_table(tmp_path: Path) -> None:
    shares = np.arange(40, dtype=np.uint8).reshape(2, 20)
    values = np.array([0.25, np.nan], dtype=np.float32)
    targets = [TargetSettings.model_validate(n).target() for n in ("accessibility", "profile")]
    soft = np.arange(18, dtype=np.uint8).reshape(2, 9)
    answers = {"labels": soft, "accessibility": values, "profile": shares}
    record = Record("one", "", "MK", "SS", split="train", answers=answers)
    given = tmp_path / "given.parquet"
    header = DatasetHeader(PROTEIN, SS8, {}, targets=targets, soft_labels=True)
    write_dataset(given, header, [record])
    settings = PrepareSettings(format="parquet")
    column = {"name": "accessibility", "column": "accessibility"}
    words = [column | {"answers": "numbers", "range": [0, 1]}, "profile"]
    read = [TargetSettings.model_validate(word) for word in words]
    prepare_dataset([given], tmp_path / "out.parquet", settings, targets=read)
    (same,) = read_records(tmp_path / "out.parquet", targets=True)
    assert {*same.answers} == {*answers}
    for name, answer in answers.items():
        assert np.array_equal(same.answers[name], answer, equal_nan=name == "accessibility")
    found, wanted = (read_header(path).targets for path in (tmp_path / "out.parquet", given))
    assert all(a.is_like(b) for a, b in zip(found, wanted, strict=True))


def test_formats_without_columns_need_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.fasta"
    path.write_text(">one SET=train TARGET=HH\nMK\n")
    with pytest.raises(GrubioError, match="no header has a tag TOPOLOGY="):
        prepare_dataset(
            [path],
            tmp_path / "o.parquet",
            PrepareSettings(format="tagged"),
            targets=[TargetSettings.model_validate("topology=IM")],
        )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("topology", "give the scheme of its classes, or a range"),
        ("plddt=100..0", "the range is empty"),
        ("label=IM", "cannot be called 'label'"),
        ({"name": "x", "scheme": "IM", "column": "p_x"}, "cannot be called 'p_x'"),
        ({"name": "x", "scheme": "IM", "range": [0, 1]}, "a value has neither classes nor labels"),
        ({"name": "x", "scheme": "IM", "answers": "tenths", "kind": "classes"}, "neither numbers"),
        ({"name": "x", "kind": "value", "answers": "labels"}, "neither classes nor labels"),
        ("{no YAML", "is not YAML"),
    ],
)
def test_impossible_targets_are_refused(content: object, problem: str) -> None:
    with pytest.raises(GrubioError, match=problem):
        checked(TargetSettings, content)


def test_two_targets_need_two_names() -> None:
    with pytest.raises(GrubioError, match="'x' occurs twice"):
        checked(DatasetSettings, {"records": "a", "labels": "b", "targets": ["x=AB", "x=CD"]})


@pytest.mark.parametrize(
    ("schema", "content", "key", "expected"),
    [
        (ModelSettings, {"accessibility": True}, "targets", ("accessibility",)),
        (ModelSettings, {"accessibility": False}, "targets", ()),
        (TrainingSettings, {"profile_weight": 0.2}, "target_weights", {"profile": 0.2}),
        (
            TrainingSettings,
            {"accessibility_weight": 0.1, "target_weights": {"x": 2}},
            "target_weights",
            {"accessibility": 0.1, "x": 2},
        ),
    ],
)
def test_former_keys_are_read_with_a_warning_that_names_the_new_word(
    schema: type[Settings],
    content: dict[str, Any],
    key: str,
    expected: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    base._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert getattr(checked(schema, content), key) == expected
    (warning,) = caplog.messages
    assert f"'{next(iter(content))}'" in warning
    assert f"write '{key}' instead" in warning


def test_a_former_file_of_a_dataset_is_one_of_its_targets() -> None:
    former = {"records": "a", "labels": "b", "accessibility": "r.tsv"}
    read = checked(DatasetSettings, former)
    assert [target.target() for target in read.targets] == [ACCESSIBILITY]
    assert [target.file and target.file.location for target in read.targets] == ["r.tsv"]


def test_former_options_of_prepare_are_read(
    grubio: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "t.tsv").write_text("id\tsequence\tss8\none\tMKV\tHHE\n")
    (tmp_path / "rsa.tsv").write_text("id\trsa\none\t01-\n")
    done = grubio(
        *("prepare", "t.tsv", "--format", "tsv", "--output", "o.parquet"),
        *("--accessibility", "rsa.tsv"),
    )
    assert done.returncode == 0, done.stderr
    assert "write 'targets' instead" in done.stderr
    (one,) = read_records(tmp_path / "o.parquet", targets=True)
    assert np.asarray(one.answers["accessibility"])[:2] == pytest.approx([0.05, 0.15])


def test_datasets_of_grubio_0_1_are_read(tmp_path: Path) -> None:
    names = ("id", "description", "sequence", "labels", "mask", "group", "split", "accessibility")
    schema = pa.schema([*((name, pa.string()) for name in names), ("profile", pa.binary())])
    rows = [
        ("one", "", "MK", "HE", None, None, "train", "0-", bytes(range(40))),
        ("two", "", "GG", "CC", None, None, "train", None, None),
    ]
    content = {
        "alphabet": "protein",
        "scheme": {
            "name": "ss8",
            "letters": "HGIEBTSC",
            "class_names": list("HGIEBTSC"),
            "colours": [],
            "background": "C",
        },
        "sources": {},
        "sites": None,
        "version": "0.1.0",
    }
    table = pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema)
    path = tmp_path / "former.parquet"
    pq.write_table(table.replace_schema_metadata({"grubio": json.dumps(content)}), path)
    assert read_header(path).targets == (ACCESSIBILITY, PROFILE)
    one, two = read_records(path, targets=True)
    values = np.asarray(one.answers["accessibility"])
    assert values[0] == pytest.approx(0.05)
    assert np.isnan(values[1])
    profile = one.answers["profile"]
    assert isinstance(profile, np.ndarray)
    assert profile.tolist() == np.arange(40).reshape(2, 20).tolist()
    assert dict(two.answers) == {}


def test_a_dataset_with_another_target_of_the_same_name_cannot_join(tmp_path: Path) -> None:
    def written(name: str, target: str, sequence: str) -> Path:
        additional = [TargetSettings.model_validate(target).target()]
        record = Record(name, "", sequence, "H" * len(sequence), split="train")
        path = tmp_path / f"{name}.parquet"
        write_dataset(path, DatasetHeader(PROTEIN, SS8, targets=additional), [record])
        return path

    own = written("own", "depth=0..1", "MKVLAADE" * 6)
    other = written("other", "depth=0..100", "GGSWTPWK" * 6)
    with pytest.raises(GrubioError, match="has another target 'depth'"):
        split_dataset(own, tmp_path / "o.parquet", SplitSettings(method="kmer"), train_also=[other])
