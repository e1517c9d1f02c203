"""Values along a genome: from bedGraph and BigWig to tracks, alone and beside classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pybigtools
import pytest
from click.testing import CliRunner

import grubio
from grubio.cli import command_line
from grubio.config import ModelSettings, Output, PredictionSettings, TrainingSettings
from grubio.datasets.parquet import read_records
from grubio.errors import GrubioError
from grubio.prediction.shards.files import probabilities_path, records_path
from grubio.prediction.shards.steps import cut_input, gather_shards, label_shard
from grubio.readers.tracks import read_track
from grubio.runs.metrics import read_metrics
from grubio.training.train import train_model

SIZE, BLOCK = 3000, 500
UNKNOWN = slice(40, 60)


def call(*arguments: object) -> str:
    done = CliRunner().invoke(command_line(), [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def signal_of(sequence: str) -> npt.NDArray[np.float64]:
    """Return the share of G and C around each base, 1 decimal, times 40."""
    strong = np.array([letter in "GC" for letter in sequence], dtype=float)
    return np.asarray(np.round(40 * np.convolve(strong, np.ones(5) / 5, "same"), 1))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("genome")
    rng = np.random.default_rng(5)
    contigs = {name: "".join(rng.choice(list("ACGT"), SIZE)) for name in ("c1", "c2")}
    (folder / "g.fna").write_text("".join(f">{n}\n{s}\n" for n, s in contigs.items()))
    intervals = [
        (name, at, at + 1, float(value))
        for name, sequence in contigs.items()
        for at, value in enumerate(signal_of(sequence))
        if not UNKNOWN.start <= at < UNKNOWN.stop
    ]
    lines = ("\t".join(map(str, one)) for one in intervals)
    (folder / "s.bedgraph").write_text("track type=bedGraph\n" + "\n".join(lines) + "\n")
    writer = pybigtools.open(str(folder / "s.bw"), "w")
    writer.write(dict.fromkeys(contigs, SIZE), iter(intervals))
    starts = range(100, SIZE - 100, 150)
    bed = "".join(f"{name}\t{at}\t{at + 6}\tsite\t0\t+\n" for name in contigs for at in starts)
    (folder / "sites.bed").write_text(bed)
    return folder


def trained(genome: Path, name: str, *options: object) -> Path:
    """Prepare, split, train and evaluate; return the folder of the run."""
    run = genome / name
    prepared, split = genome / f"{name}.p.parquet", genome / f"{name}.s.parquet"
    block = ("--block-length", BLOCK, "--output", prepared)
    call("prepare", genome / "g.fna", "--format", "genome", *options, *block)
    call("split", prepared, "--gap", 10, "--output", split)
    model = ModelSettings(hidden_size=6, layers=1, stem_channels=6)
    training = TrainingSettings(
        epochs=6, batch_residues=1000, max_length=BLOCK, learning_rate=0.03, patience=9
    )
    train_model(split, run, model, training, device="cpu", threads=1)
    scored = ("--output", run, "--bootstrap", 20, "--device", "cpu")
    call("evaluate", "--model", run / "model", "--dataset", split, *scored)
    return run


@pytest.fixture(scope="module")
def alone(genome: Path) -> Path:
    track = f"gc=value@{genome / 's.bedgraph'}"
    return trained(genome, "alone", "--scheme", "none", "--target", track)


def test_bedgraph_and_bigwig_hold_the_same(genome: Path) -> None:
    lengths = {"c1": SIZE, "c2": SIZE}
    text, binary = (read_track(genome / f"s.{ending}", lengths) for ending in ("bedgraph", "bw"))
    for name in lengths:
        np.testing.assert_array_equal(text[name], binary[name])
        assert np.flatnonzero(np.isnan(text[name])).tolist() == [*range(40, 60)]


def test_both_strands_have_the_values_in_their_own_order(genome: Path, alone: Path) -> None:
    plus, minus = list(read_records(genome / "alone.p.parquet", targets=True))[:2]
    values = np.asarray(plus.answers["gc"])
    np.testing.assert_array_equal(values, np.asarray(minus.answers["gc"])[::-1])
    assert np.isnan(values[UNKNOWN]).all()
    assert values[100] == pytest.approx(signal_of(plus.sequence)[100])
    # Cut off at a gap, they stay beside their bases.
    for record in read_records(genome / "alone.s.parquet", targets=True):
        inner = slice(5, 35)
        found = np.asarray(record.answers["gc"])[inner]
        assert len(record.answers["gc"]) == len(record)
        assert found == pytest.approx(signal_of(record.sequence)[inner])


def test_blocks_are_resampled_with_both_strands(alone: Path) -> None:
    metrics = read_metrics(alone)
    assert (metrics.score("spearman").value or 0) > 0.8
    assert metrics.baselines["window_ridge"]["spearman"].known
    assert (alone / "model/CARD.md").read_text().count("`gc`: a value") == 1


@pytest.mark.parametrize("output", ["o.bedgraph", "o.bw", "o.tsv", "o.parquet"])
def test_tracks_and_tables_hold_the_values(
    genome: Path, alone: Path, output: str, tmp_path: Path
) -> None:
    call(
        *("predict", genome / "g.fna", "--model", alone / "model"),
        *("--output", tmp_path / output, "--device", "cpu"),
    )
    contig = grubio.load(alone / "model", device="cpu", threads=1).predict(genome / "g.fna")["c1"]
    wanted = contig.predicted("gc")["-"]
    if output == "o.tsv":
        rows = [line.split("\t") for line in (tmp_path / output).read_text().splitlines()]
        assert rows[0] == ["id", "position", "strand", "residue", "gc", "gc_sd"]
        found = [float(row[4]) for row in rows[1:] if row[0] == "c1" and row[2] == "-"]
    elif output == "o.parquet":
        table = pq.read_table(tmp_path / output, filters=[("id", "=", "c1"), ("strand", "=", "-")])
        found = table.column("gc").to_pylist()
    else:
        path = tmp_path / output.replace(".", ".gc.minus.")
        found = read_track(path, {"c1": SIZE, "c2": SIZE})["c1"].tolist()
        assert path.with_name(path.name.replace("gc.", "gc_sd.")).exists()
    assert found == pytest.approx(wanted.tolist(), abs=1e-3)


def test_shards_hold_the_values(genome: Path, alone: Path, tmp_path: Path) -> None:
    settings = PredictionSettings(device="cpu", threads=1)
    for name, shards in (("one", 1), ("three", 3)):
        folder = tmp_path / name
        cut_input(str(genome / "g.fna"), folder, shards, alone / "model", settings)
        labelled = []
        for number in range(1, shards + 1):
            records = records_path(folder, number, shards)
            answers = probabilities_path(folder, number, shards)
            label_shard(records, answers, alone / "model", settings)
            labelled.append(answers)
        outputs = [Output(str(tmp_path / f"{name}.parquet"), "parquet")]
        gather_shards(labelled, outputs, alone / "model", settings)
    one, three = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("one", "three"))
    assert one.equals(three)
    assert one.num_rows == 4 * SIZE


@pytest.mark.parametrize("name", ["gff3", "bed", "html", "igv"])
def test_features_are_refused(genome: Path, alone: Path, name: str, tmp_path: Path) -> None:
    arguments: list[Any] = ["predict", genome / "g.fna", "--model", alone / "model"]
    arguments += ["--format", name, "--output", tmp_path / "o"]
    done = CliRunner().invoke(command_line(), [str(a) for a in arguments])
    assert isinstance(done.exception, GrubioError)
    assert "the model predicts values" in str(done.exception)


def test_values_stand_beside_the_classes_of_a_genome(genome: Path, tmp_path: Path) -> None:
    run = trained(
        genome,
        "beside",
        *("--annotation", genome / "sites.bed", "--classes", '{"site": {"feature": "site"}}'),
        *("--target", f"gc=0..40@{genome / 's.bw'}"),
    )
    assert (read_metrics(run).targets["gc"]["spearman"].value or 0) > 0.5
    outputs = ("--output", tmp_path / "o.bedgraph", "--output", tmp_path / "igv/", "--format")
    call("predict", genome / "g.fna", "--model", run / "model", *outputs[:2], "--device", "cpu")
    assert (tmp_path / "o.gc.plus.bedgraph").exists()
    assert (tmp_path / "o.site.minus.bedgraph").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("c1\t0\t10\thigh\n", "line 1: not a number"),
        ("c1\t0\t10\n", "line 1: 3 cells"),
        ("c1\t0\t10\t1\nc1\t9\t12\t1\n", "line 2: c1:9-12 overlaps another interval"),
        ("c1\t0\t4000\t1\n", "line 1: c1:0-4000 is empty or outside of the 3000 bases"),
        ("chr1\t0\t10\t1\n", "has no values for the contigs of the genome; its contigs: chr1"),
    ],
)
def test_tracks_that_do_not_fit_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "s.bedgraph").write_text(text)
    with pytest.raises(GrubioError) as caught:
        read_track(tmp_path / "s.bedgraph", {"c1": SIZE})
    assert problem in str(caught.value)
