"""The Python API: what goes in, what comes out, and what it draws."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import polars as pl
import pytest
from Bio import SeqIO
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord

import grubio
from genome_model import dna, save_genome_model
from grubio.api import LabelledSequences, Model
from grubio.config import Output, PredictionSettings
from grubio.errors import GrubioError
from grubio.fetching.embedded import embedded_path
from grubio.prediction.predict_file import predict_file
from grubio.sequences.record import Record

CHAIN = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"


@pytest.fixture(scope="module")
def model(run_folder: Path) -> Model:
    return grubio.load(run_folder / "model", device="cpu", threads=1)


@pytest.fixture(scope="module")
def genome_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("genome")
    save_genome_model(folder)
    return grubio.load(folder, device="cpu", threads=1)


def test_import_is_light() -> None:
    program = "import sys, grubio; print(sorted({'torch', 'numpy', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        grubio.lod  # noqa: B018


def test_one_sequence_however_it_is_given(model: Model) -> None:
    found = model.predict(CHAIN)
    assert found.id == "sequence"
    assert found.probabilities.shape == (len(CHAIN), 3)
    assert found.labels == "".join("HEC"[i] for i in found.probabilities.argmax(axis=1))
    assert np.array_equal(found.confidence, found.probabilities.max(axis=1))
    assert repr(found).startswith("<sequence: 70 residues, ss3 ")
    record = model.predict(SeqRecord(Seq(CHAIN), id="P1"))
    assert (record.id, record.labels) == ("P1", found.labels)
    assert model.predict(CHAIN, scheme="ss8").probabilities.shape == (len(CHAIN), 8)


def test_many_sequences_however_they_are_given(model: Model, tmp_path: Path) -> None:
    alone = model.predict(CHAIN)
    (tmp_path / "a.fasta").write_text(f">x\n{CHAIN}\n>y\nMKTAYIA\n")
    given = [
        [CHAIN, "MKTAYIA"],
        (text for text in (CHAIN, "MKTAYIA")),
        {"x": CHAIN, "y": "MKTAYIA"},
        tmp_path / "a.fasta",
        str(tmp_path / "a.fasta"),
        [SeqRecord(Seq(CHAIN), id="x"), "MKTAYIA"],
    ]
    for sequences in given:
        found = model.predict(sequences)
        assert isinstance(found, LabelledSequences)
        assert [len(one) for one in found] == [70, 7]
        assert np.abs(found[0].probabilities - alone.probabilities).max() < 1e-5
    assert model.predict({"x": CHAIN, "y": "MKT"})["y"].sequence == "MKT"
    assert len(model.predict([])) == 0
    assert len(model.predict([CHAIN, "MKT", "MKTA"])[1:]) == 2


def test_it_says_what_predict_writes(model: Model, run_folder: Path, tmp_path: Path) -> None:
    source = embedded_path("example-proteins")
    predict_file(
        str(source),
        [
            Output(str(tmp_path / "o.parquet"), "parquet"),
            Output(str(tmp_path / "o.seg"), "segments"),
        ],
        run_folder / "model",
        PredictionSettings(device="cpu", threads=1),
    )
    found = model.predict(source)
    pd.testing.assert_frame_equal(
        found.to_pandas(), pd.read_parquet(tmp_path / "o.parquet"), check_dtype=False
    )
    table = pd.read_csv(tmp_path / "o.seg", sep="\t")
    own = [(one.id, s.start, s.end, s.label) for one in found for s in one.segments()]
    assert own == list(table[["id", "start", "end", "label"]].itertuples(index=False, name=None))


def test_polars_has_the_same_table(model: Model) -> None:
    found = model.predict([CHAIN, "MKT"])
    table = found.to_polars()
    assert table.shape == (73, len(found.to_pandas().columns))
    assert table["label"].str.join("").item() == found[0].labels + found[1].labels
    assert found[1].to_polars()["position"].to_list() == [1, 2, 3]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named(
    model: Model, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = model.predict("MKT")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(GrubioError, match=rf"pip install 'grubio\[{library}\]'"):
        getattr(found, f"to_{library}")()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("MKT1", "record 'sequence', position 4: '1' is not a protein residue"),
        (7, "an? int is no sequence"),
        ([3], "an? int is no sequence"),
        ("no/such.fasta", "no such file"),
        ("", "has no sequence"),
        ("MKT.A", "position 4: '.' is not a protein residue"),
        ("nothere.fasta", "looks like a path, but there is no such file"),
        (b"MKT", "a bytes is no sequence"),
        (list("MKTAYI"), "6 single letters are no sequences"),
        (None, "a NoneType is no sequence"),
        ({"a": None}, "record 'a': a NoneType is no sequence"),
        ({"a": "MKT", "b": 3.5}, "record 'b': a float is no sequence"),
        (np.zeros((2, 2)), "a ndarray is no sequence"),
        (Seq(None, length=9), "has no letters"),
        ([("a", "MKT"), ("b", "MKTA"), ("a", "MKTAY")], "'a'.*twice, as records 1 and 3"),
        (pd.Series(["MKT", "MKTA"], index=["a", "a"]), "'a'.*twice, as records 1 and 2"),
        (pd.DataFrame({"name": ["a"], "seq": ["MKT"]}), "has the columns name, seq; id and seq"),
        (pd.Series({"a": "MKT", "b": float("nan")}), "record 'b': a float is no sequence"),
        (io.StringIO(">a\nMKT\n"), "a StringIO is no sequence"),
    ],
)
def test_what_cannot_be_labelled_is_told(model: Model, given: object, message: str) -> None:
    with pytest.raises(GrubioError, match=message):
        model.predict(given)


SEQUENCES = {"x": CHAIN, "y": CHAIN[:33]}
RECORDS = [SeqRecord(Seq(text), id=name) for name, text in SEQUENCES.items()]
HELD: dict[str, object] = {
    "mapping to SeqRecords": SeqIO.to_dict(RECORDS),
    "mapping to Seqs": {name: Seq(text) for name, text in SEQUENCES.items()},
    "Series": pd.Series(SEQUENCES),
    "DataFrame": pd.DataFrame({"n": [1, 2], "id": ["x", "y"], "sequence": SEQUENCES.values()}),
    "Polars table": pl.DataFrame({"sequence": list(SEQUENCES.values()), "id": ["x", "y"]}),
    "pairs": list(SEQUENCES.items()),
    "generator of pairs": lambda: (pair for pair in SEQUENCES.items()),
    "pairs with Seqs": [[name, Seq(text)] for name, text in SEQUENCES.items()],
    "SeqRecords": RECORDS,
    "generator of SeqRecords": lambda: iter(RECORDS),
    "records": [Record(name, "", text) for name, text in SEQUENCES.items()],
}
UNNAMED: dict[str, object] = {
    "array": np.array(list(SEQUENCES.values())),
    "array of objects": np.array(list(SEQUENCES.values()), dtype=object),
    "Seqs": [Seq(text) for text in SEQUENCES.values()],
    "SeqRecords without ids": [SeqRecord(Seq(text)) for text in SEQUENCES.values()],
    "Polars Series": pl.Series(list(SEQUENCES.values())),
}


@pytest.mark.parametrize("held", [*HELD, *UNNAMED])
def test_what_people_hold_is_read_with_its_ids(model: Model, held: str) -> None:
    given: Any = (HELD | UNNAMED)[held]
    found = model.predict(given() if callable(given) else given)
    assert [one.sequence for one in found] == list(SEQUENCES.values())
    names = list(SEQUENCES) if held in HELD else ["sequence_1", "sequence_2"]
    assert [one.id for one in found] == names
    assert names[0] in found
    assert found[names[1]] in found
    assert "z" not in found


def test_a_seq_is_one_sequence(model: Model) -> None:
    for given in (Seq(CHAIN), MutableSeq(CHAIN), np.str_(CHAIN)):
        assert model.predict(given).sequence == CHAIN


def test_text_is_a_path_if_there_is_such_a_file(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "proteome").write_text(f">p\n{CHAIN}\n")
    assert model.predict("proteome")["p"].sequence == CHAIN
    assert model.predict("ACDE" * 500).sequence == "ACDE" * 500


def test_sequences_of_the_other_kind_are_refused(model: Model, genome_model: Model) -> None:
    with pytest.raises(GrubioError, match="looks like DNA, but protein was expected"):
        model.predict(dna(200, 1))
    assert len(model.predict(dna(200, 1), alphabet="protein")) == 200
    with pytest.raises(GrubioError, match="looks like protein, but DNA was expected"):
        genome_model.predict(CHAIN, on_invalid="mask")


def test_a_warning_says_that_sequences_are_unlike_training(model: Model) -> None:
    with pytest.warns(
        UserWarning, match="unlike what run.* was trained on: its composition"
    ) as told:
        model.predict("Q" * 300)
    assert len(told) == 1
    assert told[0].filename == __file__


def test_settings_that_do_not_suit_the_model(model: Model, genome_model: Model) -> None:
    with pytest.raises(GrubioError, match="on_invalid"):
        model.predict("MKT", on_invalid="Mask")  # type: ignore[arg-type]
    with pytest.raises(GrubioError, match="for genome models"):
        model.predict("MKT", min_score=0.5)
    with pytest.raises(GrubioError, match="min_confidence"):
        genome_model.predict("ACGT", min_confidence=0.5)
    with pytest.raises(GrubioError, match="no scheme 'ss9'"):
        model.predict("MKT", scheme="ss9")


def test_a_page_of_a_notebook_is_well_formed_and_escaped(model: Model) -> None:
    found = model.predict({"<b>&": CHAIN * 12})
    html = found[0]._repr_html_()
    tree = ElementTree.fromstring(html)
    text = "".join(tree.itertext())
    assert "<b>&" in text
    assert "the first 600 are drawn" in text
    assert "script" not in html
    # All residues that are drawn are there, in order.
    drawn = [e.text for e in tree.iter() if e.tag.endswith("text") and " " in e.get("x", "")]
    assert "".join(drawn) == (CHAIN * 12)[:600]
    assert "and 3 more" in model.predict([CHAIN] * 8)._repr_html_()
    assert model.predict([])._repr_html_() == "<div>no sequences</div>"


def test_both_strands_of_dna(genome_model: Model) -> None:
    from grubio.sequences.locus import reverse_complement

    text = dna(400, 3)
    found = genome_model.predict(text, min_score=0.3)
    turned = genome_model.predict(reverse_complement(text), min_score=0.3)
    for strand, other in (("+", "-"), ("-", "+")):
        assert found.probabilities[strand].shape == (400, genome_model.scheme.size)
        assert found.labels[strand] == turned.labels[other][::-1]
        assert found.confidence[strand].shape == (400,)
    assert len(found.features) == len(turned.features) > 0
    table = found.to_pandas()
    assert len(table) == 800
    minus = table[table["strand"] == "-"]
    assert "".join(minus["residue"]) == reverse_complement(text)[::-1]
    assert found.to_polars().shape == table.shape
    assert repr(found) == f"<sequence: 400 bases, {len(found.features)} features>"
    assert "features" in "".join(ElementTree.fromstring(found._repr_html_()).itertext())
    assert len(genome_model.predict({"a": text, "b": text[:50]})) == 2


def test_additional_targets_are_found_by_name_and_the_former_word_warns() -> None:
    found = grubio.load("protein-ss-fast", device="cpu", threads=1).predict(
        "MKTAYIAKQRQISFVKSHFSRQ"
    )
    values = found.predicted("accessibility")
    assert values.shape == (22,)
    with pytest.warns(FutureWarning, match="predicted"):
        assert found.accessibility is values
    with pytest.raises(KeyError):
        found.predicted("disorder")
