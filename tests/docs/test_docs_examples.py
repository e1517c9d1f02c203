"""The examples of docs/python.md run as doctests; those of docs/formats.md are what is written."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import jsonschema

from conftest import REPOSITORY
from grubio.config import PredictionSettings
from grubio.config.formats import outputs_of
from grubio.model.zoo import find_model
from grubio.prediction.predict_file import predict_file
from grubio.writers.json_document import predictions_schema
from test_docs_commands import UBIQUITIN


def test_the_examples_of_the_python_page_run() -> None:
    page = REPOSITORY / "docs/python.md"
    failed, tried = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 15
    assert failed == 0


def test_the_examples_of_the_format_page_are_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.fasta").write_text(f">ubiquitin\n{UBIQUITIN}\n>peptide\nMKT\n")
    names = ["o.tsv", "o.ss2", "o.fasta", "o.gff3", "o.segments.tsv", "o.summary.tsv", "o.json"]
    predict_file(
        str(tmp_path / "a.fasta"),
        outputs_of(str(tmp_path / name) for name in names),
        find_model("protein-ss"),
        PredictionSettings(device="cpu", threads=1),
    )
    written = [(tmp_path / name).read_text() for name in names]
    page = (REPOSITORY / "docs/formats.md").read_text()
    examples = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    for example in examples:
        if "minus10" not in example:
            assert any(text.startswith(example) for text in written), example
    assert len(examples) == 7
    (shown,) = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    document = json.loads(shown)
    jsonschema.validate(document, json.loads(predictions_schema()))
    assert document["sequences"] == json.loads(written[-1])["sequences"][1:]
