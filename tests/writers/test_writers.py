"""Round trips: what a format says is read back by a reader written for the format alone."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest
from Bio import SeqIO
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grubio.config import PredictionFormat
from grubio.errors import GrubioError
from grubio.inference.predictor import Prediction
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from prediction_output import open_for_predictions

identifiers = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=">"),
    min_size=1,
    max_size=15,
)


def prediction(name: str, sequence: str, seed: int, scheme: LabelScheme = SS8) -> Prediction:
    generator = np.random.default_rng(seed)
    # Long stretches of the same label, as in real predictions.
    favourite = np.repeat(generator.integers(scheme.size, size=len(sequence)), 5)[: len(sequence)]
    scores = generator.gamma(0.3, size=(len(sequence), scheme.size)) + 1e-3
    scores[np.arange(len(sequence)), favourite] += 2
    return Prediction(
        Record(name, "", sequence),
        (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32),
        scheme,
    )


predictions_strategy = st.lists(
    st.builds(
        prediction,
        identifiers,
        st.text(alphabet="ACDEFGHIKLMNPQRSTVWYXacd", min_size=1, max_size=140),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=4,
)
many = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(
    path: Path, kind: PredictionFormat, predictions: list[Prediction], scheme: LabelScheme = SS3
) -> str:
    with open_for_predictions(str(path), kind, scheme) as write:
        for item in predictions:
            write(item)
    return "" if kind == "parquet" else path.read_text()


@many
@given(predictions_strategy)
def test_tsv(tmp_path: Path, predictions: list[Prediction]) -> None:
    header, *lines = written(tmp_path / "o.tsv", "tsv", predictions, SS8).splitlines()
    assert header.split("\t") == [
        "id",
        "position",
        "residue",
        "label",
        *(f"p_{c}" for c in SS8.letters),
    ]
    expected = [
        (p.record.id, str(i + 1), p.record.sequence[i], p.labels()[i])
        for p in predictions
        for i in range(len(p.record))
    ]
    assert [tuple(line.split("\t")[:4]) for line in lines] == expected
    numbers = np.array([[float(x) for x in line.split("\t")[4:]] for line in lines])
    assert np.abs(numbers - np.concatenate([p.probabilities for p in predictions])).max() < 6e-5


@many
@given(predictions_strategy)
def test_parquet(tmp_path: Path, predictions: list[Prediction]) -> None:
    written(tmp_path / "o.parquet", "parquet", predictions)
    table = pq.read_table(tmp_path / "o.parquet")
    assert table.column("id").to_pylist() == [
        p.record.id for p in predictions for _ in p.record.sequence
    ]
    assert table.column("position").to_pylist() == [
        i + 1 for p in predictions for i in range(len(p.record))
    ]
    assert "".join(table.column("label").to_pylist()) == "".join(p.labels(SS3) for p in predictions)
    strands = np.concatenate([p.reduced(SS3)[:, 1] for p in predictions])
    assert np.allclose(table.column("p_E").to_numpy(), strands)


@many
@given(predictions_strategy)
def test_fasta(tmp_path: Path, predictions: list[Prediction]) -> None:
    written(tmp_path / "o.fasta", "fasta", predictions)
    records = list(SeqIO.parse(tmp_path / "o.fasta", "fasta"))
    assert [(r.id, str(r.seq)) for r in records] == [
        (p.record.id, p.labels(SS3)) for p in predictions
    ]


@many
@given(predictions_strategy)
def test_ss2(tmp_path: Path, predictions: list[Prediction]) -> None:
    text = written(tmp_path / "o.ss2", "ss2", predictions)
    chunks = re.split(r"^# PSIPRED VFORMAT \(grubio V[\d.]+\) ", text, flags=re.MULTILINE)[1:]
    assert len(chunks) == len(predictions)
    for chunk, p in zip(chunks, predictions, strict=True):
        comment, empty, *lines = chunk.rstrip("\n").split("\n")
        assert (comment, empty) == (p.record.id, "")
        for i, line in enumerate(lines):
            assert re.fullmatch(r" *\d+ [A-Z] [CHE]   [01]\.\d{3}  [01]\.\d{3}  [01]\.\d{3}", line)
            position, residue, label, coil, helix, strand = line.split()
            assert (int(position), residue) == (i + 1, p.record.sequence[i].upper())
            assert label == p.labels(SS3)[i]
            assert np.allclose(
                p.reduced(SS3)[i], [float(helix), float(strand), float(coil)], atol=6e-4
            )
        assert len(lines) == len(p.record)


@many
@given(predictions_strategy)
def test_horiz(tmp_path: Path, predictions: list[Prediction]) -> None:
    text = written(tmp_path / "o.horiz", "horiz", predictions)
    chunks = re.split(r"^# PSIPRED HFORMAT.*\n", text, flags=re.MULTILINE)[1:]
    for chunk, p in zip(chunks, predictions, strict=True):
        rows = dict.fromkeys(("Conf: ", "Pred: ", "  AA: "), "")
        for line in chunk.splitlines():
            if line[:6] in rows:
                assert len(line) <= 66
                rows[line[:6]] += line[6:]
        assert rows["Pred: "] == p.labels(SS3)
        assert rows["  AA: "] == p.record.sequence.upper()
        assert re.fullmatch(rf"\d{{{len(p.record)}}}", rows["Conf: "])


def test_horiz_confidence_is_one_digit_at_certainty(tmp_path: Path) -> None:
    certain = Prediction(Record("a", "", "M" * 70), np.eye(3, dtype=np.float32)[[0] * 70], SS3)
    lines = written(tmp_path / "o.horiz", "horiz", [certain]).splitlines()
    assert lines[2] == "Conf: " + "9" * 60
    assert lines[5] == "              10        20        30        40        50        60"
    assert lines[8] == "Conf: " + "9" * 10


@many
@given(predictions_strategy, st.sampled_from([SS3, SS8]))
def test_gff3(tmp_path: Path, predictions: list[Prediction], scheme: LabelScheme) -> None:
    first, *lines = written(tmp_path / "o.gff3", "gff3", predictions, scheme).splitlines()
    assert first == "##gff-version 3"
    regions: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("##sequence-region "):
            _, name, start, end = line.split(" ")
            assert start == "1"
            regions.append((unquote(name), ["C"] * int(end)))
            continue
        name, source, _, start, end, score, strand, phase, attributes = line.split("\t")
        assert unquote(name) == regions[-1][0]
        assert (source, strand, phase) == ("grubio", ".", ".")
        assert 0 <= float(score) <= 1
        label = unquote(dict(a.split("=") for a in attributes.split(";"))["label"])
        for i in range(int(start) - 1, int(end)):
            regions[-1][1][i] = label
    assert [(name, "".join(labels)) for name, labels in regions] == [
        (p.record.id, p.labels(scheme)) for p in predictions
    ]


def test_a_folder_gets_one_file_per_record_and_loses_none(tmp_path: Path) -> None:
    names = ["sp|P1|X", "sp/P1/X", "..", "a", "A", "L" * 400, "L" * 401]
    written_names = [prediction(name, "MKTAY", 1) for name in names]
    with open_for_predictions(f"{tmp_path}/out/", "fasta", SS3) as write:
        for item in written_names:
            write(item)
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == len(names)
    assert {f.read_text().splitlines()[0][1:] for f in files} == set(names)
    assert {f.parent for f in files} == {tmp_path / "out"}


def test_a_folder_of_records_is_whole_or_absent(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        open_for_predictions(f"{tmp_path}/out/", "fasta", SS3) as write,
    ):
        write(prediction("a", "MKTAY", 1))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["ss2", "horiz"])
def test_psipred_formats_refuse_other_schemes(tmp_path: Path, kind: PredictionFormat) -> None:
    scheme = custom_scheme("disorder", "OD")
    with (
        pytest.raises(GrubioError, match="cannot hold disorder"),
        open_for_predictions(str(tmp_path / "o"), kind, scheme),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["tsv", "parquet", "gff3"])
def test_a_failure_leaves_nothing_half_written(tmp_path: Path, kind: PredictionFormat) -> None:
    target = tmp_path / "o"
    target.write_text("from before")
    with pytest.raises(RuntimeError), open_for_predictions(str(target), kind, SS3) as write:
        write(prediction("a", "MKTAY", 1))
        raise RuntimeError
    assert target.read_text() == "from before"
    assert list(tmp_path.iterdir()) == [target]
