"""A model of values alone, from a table to scores, predictions and pages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner

import grubio
from grubio.cli import command_line
from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.errors import GrubioError
from grubio.model import outputs
from grubio.model.bundle import load_bundle
from grubio.model.engines.engine import engine_of
from grubio.model.engines.padded import PaddedEngine
from grubio.model.heads import Head, mean_outputs
from grubio.prediction.read_back import PredictionsTable
from grubio.runs.metrics import read_metrics
from grubio.sequences.target import Target
from grubio.training.examples import load_training_data, with_teacher
from grubio.training.losses import value_loss
from grubio.training.parent import _give_head
from grubio.training.readiness import shortcomings
from grubio.training.train import train_model

SIZES = {letter: 10.0 * place for place, letter in enumerate("GASCDPNTEVQHMILKRFYW")}
SMALL = ModelSettings(hidden_size=10, layers=1, stem_channels=8)
SHORT = TrainingSettings(epochs=10, batch_residues=1500, learning_rate=0.03, patience=10)


def values_of(sequence: str, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return the mean size of three residues, with noise that is larger for aromatic ones."""
    sizes = np.array([SIZES[letter] for letter in sequence])
    noise = np.array([45.0 if letter in "FYWH" else 4.0 for letter in sequence])
    mean = np.convolve(np.pad(sizes, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    return np.asarray(1000 + mean + noise * rng.normal(size=len(sequence)))


def cells(values: np.ndarray[Any, Any]) -> str:
    return ",".join("" if np.isnan(value) else f"{value:.3f}" for value in values)


def call(*arguments: object) -> str:
    done = CliRunner().invoke(command_line(), [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("values")
    rng = np.random.default_rng(3)
    rows = ["id\tsequence\tsize\tsplit"]
    for number in range(60):
        sequence = "".join(rng.choice(list(SIZES), size=int(rng.integers(40, 90))))
        values = values_of(sequence, rng)
        values[rng.random(len(values)) < 0.1] = np.nan
        split = ("train", "train", "train", "valid", "test")[number % 5]
        rows.append(f"c{number}\t{sequence}\t{cells(values)}\t{split}")
    (folder / "t.tsv").write_text("\n".join(rows) + "\n")
    told = call(
        *("prepare", folder / "t.tsv", "--format", "tsv", "--scheme", "none"),
        *("--target", "size=value", "--output", folder / "d.parquet"),
    )
    assert "known values of size: " in told
    train_model(folder / "d.parquet", folder, SMALL, SHORT, device="cpu", threads=1)
    call(
        *("evaluate", "--model", folder / "model", "--dataset", folder / "d.parquet"),
        *("--output", folder, "--bootstrap", 30, "--device", "cpu"),
    )
    return folder


def test_values_are_standardised_inside_and_written_in_their_unit(run: Path) -> None:
    (target,) = read_header(run / "d.parquet").targets
    assert not target.bounded
    (learned,) = load_bundle(run / "model").targets
    training = [r.answers["size"] for r in read_records(run / "d.parquet", "train", targets=True)]
    values = np.concatenate([np.asarray(one) for one in training])
    assert learned.mean == pytest.approx(np.nanmean(values), rel=1e-5)
    assert learned.deviation == pytest.approx(np.nanstd(values), rel=1e-4)
    found = grubio.load(run / "model", device="cpu", threads=1).predict("GGGGGGWWWWWWW")
    assert 950 < found.predicted("size")[1] < 1080 < found.predicted("size")[9] < 1250


def test_scores_have_intervals_and_stand_beside_two_baselines(run: Path) -> None:
    metrics = read_metrics(run)
    for key in ("spearman", "pearson", "mean_absolute_error", "spearman_chain_mean", "coverage"):
        score = metrics.score(key)
        assert score.low is not None
        assert score.value is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high, key
    ridge, mean = metrics.baselines["window_ridge"], metrics.baselines["mean"]
    assert mean["spearman"].value is None
    assert (ridge["spearman"].value or 0) > 0.5
    assert (metrics.score("spearman").value or 0) > 0.8
    error = metrics.score("mean_absolute_error").value or 0
    assert error < (mean["mean_absolute_error"].value or 0)
    assert 0.88 < (metrics.score("coverage").value or 0) < 0.99
    assert metrics.score("gain_over_window_ridge").known
    table = pq.read_table(run / "test_predictions.parquet")
    assert table.column_names == [
        "id",
        "position",
        "residue",
        "observed",
        "mask",
        "size",
        "size_sd",
    ]


def test_the_best_epoch_is_that_of_the_highest_rank_correlation(run: Path) -> None:
    training = load_bundle(run / "model").metadata["training"]
    assert (training["score"], training["score_target"]) == ("spearman", "size")
    rows = (run / "history.csv").read_text().splitlines()
    column = rows[0].split(",").index("valid_score")
    scores = [float(row.split(",")[column]) for row in rows[1:]]
    assert training["valid_score"] == pytest.approx(max(scores), abs=1e-5)
    assert training["best_epoch"] == 1 + int(np.argmax(scores))


def test_deviations_are_larger_where_the_noise_is(run: Path) -> None:
    model = grubio.load(run / "model", device="cpu", threads=1)
    found = model.predict("GAWGAFGAYGACGASGATGAV" * 3)
    deviations = found.deviation("size").reshape(3, 21)
    assert deviations[:, [2, 5, 8]].mean() > 1.3 * deviations[:, [11, 14, 17]].mean()


@pytest.mark.parametrize("ending", ["tsv", "parquet", "json", "html"])
def test_formats_of_sequences_hold_values(run: Path, ending: str, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">one\nMKDEAAWWG\n>two\nGG\n")
    output = tmp_path / f"out.{ending}"
    call("predict", tmp_path / "in.fasta", "--model", run / "model", "--output", output)
    wanted = grubio.load(run / "model", device="cpu", threads=1).predict("MKDEAAWWG")
    first = wanted.predicted("size")[0]
    if ending == "tsv":
        rows = [line.split("\t") for line in output.read_text().splitlines()]
        assert rows[0] == ["id", "position", "residue", "size", "size_sd"]
        assert float(rows[1][3]) == pytest.approx(first, abs=1e-3)
    elif ending == "parquet":
        back = list(PredictionsTable(output))
        assert [one.id for one in back] == ["one", "two"]
        assert back[0].predicted("size").tolist() == wanted.predicted("size").tolist()
        assert back[0].deviation("size").tolist() == wanted.deviation("size").tolist()
    elif ending == "json":
        (one, _) = json.loads(output.read_text())["sequences"]
        assert one["size"]["values"][0] == pytest.approx(first, abs=1e-3)
        assert len(one["size"]["deviations"]) == 9
    else:
        assert '"size":' in output.read_text()


@pytest.mark.parametrize("name", ["ss2", "horiz", "fasta", "gff3", "segments", "summary"])
def test_formats_of_labels_are_refused(run: Path, name: str, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">one\nMKDE\n")
    arguments = ["predict", tmp_path / "in.fasta", "--model", run / "model", "--format", name]
    done = CliRunner().invoke(command_line(), [*map(str, arguments), "--output", f"{tmp_path}/o"])
    assert isinstance(done.exception, GrubioError)
    assert f"format {name} holds labels, and the model predicts values" in str(done.exception)


def test_python_has_values_and_refuses_what_is_about_labels(run: Path) -> None:
    model = grubio.load(run / "model", device="cpu", threads=1)
    assert repr(model).endswith(": protein, size>")
    found = model.predict("MKDEAAWWG")
    assert f"mean size {found.predicted('size').mean():.3g}" in found._repr_html_()
    assert "nan" not in found._repr_html_()
    assert list(found.columns()) == ["id", "position", "residue", "size", "size_sd"]
    for refused in (found.segments, found.summary, lambda: model.predict("MK", min_confidence=0.5)):
        with pytest.raises(GrubioError, match="about labels"):
            refused()  # type: ignore[operator]


def test_new_records_are_evaluated_in_the_same_unit_alone(run: Path, tmp_path: Path) -> None:
    rows = "id\tsequence\tsize\n" + "\n".join(
        f"n{n}\t{'MKDEAAWWGL' * 3}\t{','.join(str(1000 + 5 * (at + n)) for at in range(30))}"
        for n in range(3)
    )
    (tmp_path / "new.tsv").write_text(rows + "\n")
    prepare = ("prepare", tmp_path / "new.tsv", "--format", "tsv", "--scheme", "none")
    evaluate = ("evaluate", "--model", run / "model", "--split", "all", "--device", "cpu")
    for target, fits in (("size=value", True), ("size=0..2000", False), ("other=value", False)):
        text = rows.replace("\tsize", "\tother") if "other" in target else rows
        (tmp_path / "new.tsv").write_text(text + "\n")
        call(*prepare, "--target", target, "--output", tmp_path / "d.parquet")
        arguments = (*evaluate, "--dataset", tmp_path / "d.parquet", "--output", tmp_path / "e")
        done = CliRunner().invoke(command_line(), [*map(str, arguments), "--bootstrap", "10"])
        assert (done.exit_code == 0) == fits, done.output
        if not fits:
            assert "hint: prepare it with --target size=value" in str(done.exception)
    assert read_metrics(tmp_path / "e").baselines == {}
    assert read_metrics(tmp_path / "e").score("spearman").known


def test_a_huber_model_has_values_without_deviations(run: Path, tmp_path: Path) -> None:
    settings = SHORT.model_copy(update={"value_loss": "huber", "epochs": 1})
    model = train_model(run / "d.parquet", tmp_path, SMALL, settings, device="cpu", threads=1)
    found = grubio.load(model, device="cpu", threads=1).predict("MKDE")
    assert found.predicted("size").shape == (4,)
    with pytest.raises(KeyError, match="no predicted deviations"):
        found.deviation("size")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"class_weights": "balanced"}, "class_weights is for classes"),
        ({"focal_gamma": 2}, "focal_gamma is for classes"),
        ({"background_ratio": 1}, "background_ratio is for classes"),
        ({"select_by": "mcc"}, "select_by mcc is for classes"),
    ],
)
def test_settings_of_classes_are_refused(run: Path, settings: dict[str, Any], problem: str) -> None:
    wanted = TrainingSettings(**settings)
    data = load_training_data(run / "d.parquet", SMALL, wanted)
    with pytest.raises(GrubioError, match=problem):
        shortcomings(run / "d.parquet", data, SMALL, wanted)


def test_unknown_values_and_padding_are_in_no_loss() -> None:
    target = Target("x", "value", None, -np.inf, np.inf, spread=True)
    output = torch.tensor([[0.5, 0.0], [9.0, 1.0]])[:, None]
    known = value_loss(target, output, torch.tensor([[1.0], [torch.nan]]))
    # Half of the squared residual, 0.5, at a deviation of 1.
    assert float(known) == pytest.approx(0.125)
    assert float(value_loss(target, output, torch.full((2, 1), torch.nan))) == 0


def test_an_ensemble_has_the_deviation_of_the_mixture() -> None:
    target = Target("x", "value", None, -np.inf, np.inf, spread=True)
    parts = [np.array([[mean, 0.0]], dtype=np.float32) for mean in (-1.0, 1.0)]
    of_engine = outputs.mean_outputs([target], [{"x": part} for part in parts])["x"]
    of_model = mean_outputs([target], [{"x": torch.from_numpy(part)} for part in parts])["x"]
    for ((mean, log_deviation),) in (of_engine.tolist(), of_model.tolist()):
        assert (mean, np.exp(log_deviation)) == pytest.approx((0, np.sqrt(2)))


def test_the_engine_and_the_model_have_the_same_values(run: Path) -> None:
    bundle = load_bundle(run / "model")
    codes = bundle.alphabet.encode("MKDEAAWWG")
    engines = [engine_of(bundle, "cpu"), PaddedEngine(bundle, "cpu")]
    own, other = (engine([codes])["size"] for engine in engines)
    assert own.shape == (9, 2)
    assert own == pytest.approx(other, abs=1e-5)


ROWS = "a\tMKV\t1.5,,-2e3\nb\tGG\tnan,NA\nc\tGA\t0,1\n"


def prepared(folder: Path, text: str, *further: str, name: str = "t.tsv") -> Any:
    (folder / name).write_text(text)
    arguments = ["prepare", folder / name, "--scheme", "none", "--output", folder / "d.parquet"]
    return CliRunner().invoke(command_line(), [*map(str, arguments), *further])


TSV = ("--format", "tsv", "--target", "x=value")


@pytest.mark.parametrize(
    ("name", "text", "further"),
    [
        ("t.tsv", "id\tsequence\tx\n" + ROWS, TSV),
        ("t.tsv", "id\tsequence\tx\n" + ROWS.replace("1.5,,-2e3", "[1.5, null, -2000]"), TSV),
        (
            "t.tsv",
            "id\tresidue\tx\na\tM\t1.5\na\tK\t\na\tV\t-2e3\nb\tG\t\nb\tG\tNA\nc\tG\t0\nc\tA\t1\n",
            TSV,
        ),
        (
            "t.fasta",
            ">a TARGET=1.5,,-2e3\nMKV\n>b TARGET=,\nGG\n>c TARGET=0,1\nGA\n",
            ("--format", "tagged", "--target", "x=value"),
        ),
    ],
)
def test_values_are_read_from_tables_and_tags(
    tmp_path: Path, name: str, text: str, further: tuple[str, ...]
) -> None:
    done = prepared(tmp_path, text, *further, name=name)
    assert done.exit_code == 0, done.output
    a, b, c = (
        np.asarray(r.answers["x"]) for r in read_records(tmp_path / "d.parquet", targets=True)
    )
    assert a[[0, 2]].tolist() == [1.5, -2000]
    assert np.isnan(a[1])
    assert np.isnan(b).all()
    assert c.tolist() == [0, 1]


def test_values_are_read_from_parquet(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "sequence": ["MKV"], "x": [[1.5, None, -2.0]]})
    pq.write_table(table, tmp_path / "t.parquet")
    arguments = ["prepare", tmp_path / "t.parquet", "--format", "parquet", "--scheme", "none"]
    call(*arguments, "--target", "x=value", "--output", tmp_path / "d.parquet")
    (record,) = read_records(tmp_path / "d.parquet", targets=True)
    assert np.asarray(record.answers["x"])[[0, 2]].tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("-2e3", "high", "record 'a', position 3: x: 'high' is not a number"),
        ("-2e3", "inf", "record 'a', position 3: x: 'inf' is too large"),
        (",,-2e3", ",1", "record 'a': 3 residues but 2 values of x"),
        ("1.5,,-2e3\nb\tGG\tnan,NA\nc\tGA\t0,1", ",,", "no residue has a known value of x"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    done = prepared(tmp_path, "id\tsequence\tx\n" + ROWS.replace(before, after), *TSV)
    assert isinstance(done.exception, GrubioError)
    assert f"{tmp_path / 't.tsv'}: " in str(done.exception)
    assert problem in str(done.exception)
    assert not (tmp_path / "d.parquet").exists()


def test_records_without_labels_need_a_value(tmp_path: Path) -> None:
    done = prepared(tmp_path, "id\tsequence\tx\n" + ROWS, "--format", "tsv")
    assert isinstance(done.exception, GrubioError)
    assert "needs a value as its first target" in str(done.exception)


def test_a_report_and_a_comparison_know_values(run: Path, tmp_path: Path) -> None:
    call("report", run, "--output", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for text in ("Spearman correlation of size", "Window ridge regression", "95 % interval"):
        assert text.replace(" %", "\N{NO-BREAK SPACE}%") in page or text in page
    for figure in ("scatter", "deviations", "curve-worst", "distribution", "score", "by-length"):
        assert f'id="{figure}' in page, figure
    other = tmp_path / "other"
    settings = SHORT.model_copy(update={"seed": 2, "epochs": 2})
    train_model(run / "d.parquet", other, SMALL, settings, device="cpu", threads=1)
    arguments = ["evaluate", "--model", other / "model", "--dataset", run / "d.parquet"]
    call(*arguments, "--output", other, "--bootstrap", 20, "--device", "cpu")
    table = tmp_path / "c.tsv"
    call("compare", run, other, "--output", table, "--html", tmp_path / "c.html")
    header, first, second = (line.split("\t") for line in table.read_text().splitlines())
    column = header.index("spearman")
    assert float(first[column]) > float(second[column])
    assert "percentage points" not in (tmp_path / "c.html").read_text()
    assert "Spearman correlation of size" in call("summary", run)


@pytest.mark.parametrize(("before", "after"), [(True, True), (True, False), (False, True)])
def test_the_head_of_a_parent_gives_its_values_at_the_scale_of_the_child(
    before: bool, after: bool
) -> None:
    parent = Target("size", "value", None, -np.inf, np.inf, mean=5, deviation=2, spread=before)
    target = replace(parent, mean=-1.0, deviation=0.5, spread=after)
    torch.manual_seed(1)
    theirs, head = Head(6, parent), Head(6, target)
    fresh = head.weight.detach().clone()
    _give_head(theirs, parent, head, target)
    states = torch.from_numpy(np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32))
    with torch.no_grad():
        old, new = theirs(states).numpy(), head(states).numpy()
    values = [old[:, 0] if before else old, new[:, 0] if after else new]
    np.testing.assert_allclose(
        target.in_own_range(values[1]), parent.in_own_range(values[0]), rtol=1e-5
    )
    if before and after:
        deviations = 2 * np.exp(old[:, 1]), 0.5 * np.exp(new[:, 1])
        np.testing.assert_allclose(deviations[1], deviations[0], rtol=0.2)
    elif after:
        torch.testing.assert_close(head.weight.detach()[1], fresh[1])


def test_a_teacher_of_values_is_refused(run: Path) -> None:
    data = load_training_data(run / "d.parquet", SMALL, SHORT)
    with pytest.raises(GrubioError, match="a teacher has classes, but the main target size"):
        with_teacher(data, run / "model", "cpu", 1)
