"""The page of predictions, without a browser; tests/browser/test_view.py looks at it in one."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_writers import prediction

from grubio.errors import GrubioError
from grubio.prediction.read_back import PredictionsTable
from grubio.sequences.scheme import SS3, SS8, custom_scheme
from grubio.view.page import page_parts
from prediction_output import open_for_predictions

Runner = Callable[..., subprocess.CompletedProcess[str]]


def page_lines(text: str) -> list[dict]:
    data = text.split('id="data">\n')[1].split("</script>")[0]
    return [json.loads(line) for line in data.splitlines()]


def test_view_of_parquet_is_the_page_that_predict_writes(grubio: Runner, tmp_path: Path) -> None:
    made = [prediction("</script><b>", "MKTAYIAKQRQISFVK" * 4, 1), prediction("b", "g" * 30, 2)]
    for kind in ("parquet", "html"):
        with open_for_predictions(str(tmp_path / f"o.{kind}"), kind, SS3) as write:
            for one in made:
                write(one)
    done = grubio("view", "o.parquet", "--output", "v.html")
    assert done.returncode == 0, done.stderr
    assert "2 sequences: v.html" in done.stderr
    text = (tmp_path / "v.html").read_text()
    assert text == (tmp_path / "o.html").read_text()
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    for found, one in zip(page_lines(text), made, strict=True):
        assert found["id"] == one.record.id
        assert found["labels"] == one.labels(SS3)
        values = np.frombuffer(base64.b64decode(found["probabilities"]), dtype=np.uint8)
        assert np.abs(values.reshape(-1, 3) / 255 - one.reduced(SS3)).max() < 0.5 / 255 + 1e-6
    assert grubio("view", "o.parquet", "-o", "-").stdout == text


def test_sequences_that_span_parts_of_the_file_are_whole(tmp_path: Path) -> None:
    made = [prediction(f"s{i}", "MKTAYIAKQR" * 20, i, SS8) for i in range(40)]
    with open_for_predictions(str(tmp_path / "o.parquet"), "parquet", SS8) as write:
        for one in made:
            write(one)
    table = pq.read_table(tmp_path / "o.parquet")
    pq.write_table(table, tmp_path / "small.parquet", row_group_size=77)
    found = list(PredictionsTable(tmp_path / "small.parquet"))
    assert [one.id for one in found] == [one.record.id for one in made]
    for one, own in zip(found, made, strict=True):
        assert one.labels == own.labels()
        assert np.array_equal(one.probabilities, own.probabilities)


def test_predictions_of_a_test_split_show_what_was_observed(
    run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    from grubio.config import EvaluationSettings
    from grubio.evaluation.evaluate import evaluate_model

    settings = EvaluationSettings(bootstrap=10)
    evaluate_model(run_folder / "model", dataset, tmp_path, settings, device="cpu", threads=1)
    found = list(PredictionsTable(tmp_path / "test_predictions.parquet"))
    assert len(found) == 50
    assert found[0].scheme is SS8
    assert found[0].observed is not None
    assert set(found[0].observed) <= set("HGIEBTSC?")


def test_classes_of_ones_own_come_back(tmp_path: Path) -> None:
    scheme = custom_scheme("disorder", "OD", ["ordered", "disordered"], "O")
    with open_for_predictions(str(tmp_path / "o.parquet"), "parquet", scheme) as write:
        write(prediction("a", "MKTAY", 1, scheme))
    assert PredictionsTable(tmp_path / "o.parquet").scheme == scheme
    bare = pq.read_table(tmp_path / "o.parquet").replace_schema_metadata(None)
    pq.write_table(bare, tmp_path / "bare.parquet")
    assert PredictionsTable(tmp_path / "bare.parquet").scheme.class_names == ("O", "D")
    before, _ = page_parts(scheme, "sequences.js")
    assert '"shape":"line"' in before
    assert '"shape":"box"' in before
    before, _ = page_parts(custom_scheme("odd", "AB", ["/*DATA*/", "/*SCRIPT*/"]), "sequences.js")
    assert '"name":"/*DATA*/"' in before
    assert '"name":"/*SCRIPT*/"' in before


def test_what_is_no_prediction_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("id\tposition\n")
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"id": ["a"], "strand": ["+"]}), tmp_path / "genome.parquet")
    names = ["id", "residue", "label"]
    empty = pa.table(
        {**{n: pa.array([], pa.string()) for n in names}, "p_H": [], "p_E": [], "p_C": []}
    )
    pq.write_table(empty.replace_schema_metadata({"grubio_scheme": "ss3"}), tmp_path / "no.parquet")
    for name, message in [
        ("missing.parquet", "no such file"),
        ("text.parquet", "is not a Parquet file"),
        ("other.parquet", "has no column 'residue'"),
        ("genome.parquet", "bases of a genome"),
        ("no.parquet", "holds no predictions"),
    ]:
        with pytest.raises(GrubioError, match=message):
            list(PredictionsTable(tmp_path / name))
