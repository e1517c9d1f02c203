"""Several models side by side, and the answers about whole proteins, in all formats."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from Bio import SeqIO

import grubio
from grubio.config import ModelSettings, Output, PredictionSettings
from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.model.architecture import Architecture
from grubio.model.bundle import save_bundle
from grubio.model.labeller import bundle_of, new_labeller
from grubio.model.zoo import find_model
from grubio.prediction.predict_file import predict_file
from grubio.prediction.read_back import PredictionsTable
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.scheme import NO_CLASSES, custom_scheme
from grubio.sequences.target import LABELS, Regions, Target
from grubio.writers.json_document import predictions_schema
from training_metadata import TRAINING

NAMES = ("signal-peptide", "membrane-helix", "barrel-strand", "inside", "outside")
RULES = {"next": {"S": "SO", "I": "IM", "M": "IO", "O": "OM"}, "least": {"M": 3, "S": 2}}
SCHEME = custom_scheme("topology", "SMBIO", NAMES).with_grammar(
    grammar_from_dict(RULES | {"first": "SIO"}, "SMBIO")
)
VALUE = Target(
    "score",
    "value",
    low=-math.inf,
    high=math.inf,
    mean=6,
    deviation=4,
    regions=Regions("disordered", 6, least=2),
)
PLACE = Path(tempfile.mkdtemp(prefix="grubio-several-"))
FASTA = ">a first\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n>b\nGSGSGWWLLLVVVAAAILLVVKKRR\n"
SHAPE = ModelSettings(hidden_size=6, layers=1, stem_channels=4).model_dump(exclude={"targets"})


def model(folder: Path, target: Target) -> Path:
    torch.manual_seed(4)
    made = new_labeller(Architecture(**SHAPE), [target], PROTEIN.channel_table, 1)
    for head in made.heads:
        for weight in head.parameters():
            torch.nn.init.normal_(weight, std=2)
    save_bundle(folder, bundle_of(made.eval(), PROTEIN), TRAINING)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("several")
    (PLACE / "in.fasta").write_text(FASTA)
    topology = model(place / "topology", Target(LABELS, "classes", SCHEME))
    values = model(place / "values", VALUE)
    return [find_model("protein-ss-fast"), topology, values]


def written(folders: list[Path], name: str, **settings: object) -> str:
    output = PLACE / f"out.{name}"
    predict_file(
        str(PLACE / "in.fasta"),
        [Output(str(output), "parquet" if name == "parquet" else name)],
        folders,
        PredictionSettings.model_validate({"device": "cpu", "threads": 1} | settings),
    )
    return "" if name == "parquet" else output.read_text()


def test_answers_side_by_side_are_those_of_each_model(folders: list[Path]) -> None:
    rows = [line.split("\t") for line in written(folders, "tsv").splitlines()]
    together = {name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])}
    for folder, prefix in zip(folders[1:], ("topology", None), strict=True):
        alone = [line.split("\t") for line in written([folder], "tsv").splitlines()]
        for at, name in enumerate(alone[0]):
            heading = name
            if prefix and name not in ("id", "position", "residue"):
                heading = prefix if name == "label" else f"{prefix}_{name}"
            assert together[heading] == [row[at] for row in alone[1:]], heading
    alone = [line.split("\t") for line in written(folders[:1], "tsv").splitlines()]
    assert [row[: len(alone[0])] for row in rows] == alone


def test_the_order_of_models_does_not_change_what_is_said(folders: list[Path]) -> None:
    mixed = [folders[2], folders[0], folders[1]]
    assert sorted(written(mixed, "tsv").split("\n", 1)[0].split("\t")) == sorted(
        written(folders, "tsv").split("\n", 1)[0].split("\t")
    )
    assert written(mixed, "gff3").count("disordered") == written(folders, "gff3").count(
        "disordered"
    )


def test_every_format_of_sequences_is_written_and_parquet_is_read_back(folders: list[Path]) -> None:
    for name in ("ss2", "horiz", "fasta", "segments", "summary", "gff3", "html"):
        assert written(folders, name)
    document = json.loads(written(folders, "json"))
    jsonschema.validate(document, json.loads(predictions_schema()))
    first = document["sequences"][0]
    assert {"protein", "regions", "topology", "score"} <= first.keys()
    written(folders, "parquet")
    path = PLACE / "out.parquet"
    assert {"label", "topology", "topology_p_M", "score"} <= {*pq.read_schema(path).names}
    back = list(PredictionsTable(path))
    assert [own.labels for own in back[0].labellings][1] == first["topology"]["labels"]
    assert [(r.start, r.end) for r in back[0].regions()] == [
        (r["start"], r["end"]) for r in first["regions"]
    ]


def test_three_lines_are_read_as_fasta(folders: list[Path]) -> None:
    lines = written(folders[1:2], "3line").splitlines()
    records = list(SeqIO.parse(PLACE / "in.fasta", "fasta"))
    assert len(lines) == 3 * len(records)
    for record, head, sequence, labels in zip(
        records, lines[::3], lines[1::3], lines[2::3], strict=True
    ):
        assert head.split(" | ")[0] == f">{record.id}"
        assert head.split(" | ")[1] in {"GLOB", "SP", "TM", "SP+TM", "BETA"}
        assert sequence == str(record.seq)
        assert len(labels) == len(sequence)
        assert {*labels} <= {*"SMBIO"}


def test_summaries_have_topology_and_regions(folders: list[Path]) -> None:
    head, *rows = (line.split("\t") for line in written(folders, "summary").splitlines())
    assert all(len(row) == len(head) for row in rows)
    assert {"fraction_H", "kind", "helices", "topology", "disordered_residues"} <= {*head}
    alone, first, _ = (line.split("\t") for line in written(folders[2:], "summary").splitlines())
    assert alone[:2] == ["id", "length"]
    said = dict(zip(alone, first, strict=True))
    assert int(said["disordered_residues"]) >= int(said["longest_disordered"]) >= 0


def test_the_threshold_and_the_least_length_of_regions_can_be_given(folders: list[Path]) -> None:
    def regions(**calls: float) -> list[dict[str, float]]:
        document = json.loads(written(folders[2:], "json", calls=calls))
        return [region for one in document["sequences"] for region in one["regions"]]

    assert regions(region_threshold=-1000) == []
    whole = regions(region_threshold=1000, min_region=1)
    assert [(one["start"], one["end"]) for one in whole] == [(1, 33), (1, 25)]
    assert len(regions(min_region=1)) >= len(regions(min_region=5))
    gff3 = written(folders[2:], "gff3", calls={"region_threshold": 1000})
    assert gff3.count("\tintrinsically_unstructured_polypeptide_region\t") == 2


def test_gff3_has_terms_of_the_sequence_ontology(folders: list[Path]) -> None:
    lines = [line.split("\t") for line in written(folders[1:2], "gff3").splitlines()]
    terms = {cells[2] for cells in lines if len(cells) == 9}
    assert terms <= {
        "signal_peptide",
        "transmembrane_helix",
        "transmembrane_polypeptide_region",
        "cytoplasmic_polypeptide_region",
        "non_cytoplasmic_polypeptide_region",
    }
    assert terms


def test_what_cannot_be_combined_is_named(folders: list[Path]) -> None:
    with pytest.raises(GrubioError, match="protein-ss-fast and protein-ss-fast both predict ss3"):
        written([folders[0], folders[0]], "tsv")
    with pytest.raises(GrubioError, match=r"protein-ss-fast reads protein, ecoli-genes DNA"):
        grubio.load(["protein-ss-fast", "ecoli-genes"])
    with pytest.raises(GrubioError, match="is a genome model"):
        grubio.load(["ecoli-promoters", "ecoli-genes"])
    with pytest.raises(GrubioError, match="holds membrane topology"):
        written(folders[:1], "3line")


def test_python_gets_the_same(folders: list[Path]) -> None:
    several = grubio.load([*map(str, folders)], device="cpu", threads=1)
    found = several.predict("GSGSGWWLLLVVVAAAILLVVKKRR")
    assert isinstance(found, LabelledSequence)
    alone = grubio.load(folders[1], device="cpu", threads=1).predict("GSGSGWWLLLVVVAAAILLVVKKRR")
    assert isinstance(alone, LabelledSequence)
    assert [own.labels for own in found.labellings][1] == alone.labels
    assert found.topology() == alone.topology()
    assert alone.topology() is not None
    assert np.array_equal(found.predicted("topology"), alone.probabilities)
    assert len(found.predicted("score")) == 25
    assert "topology" in repr(several)
    assert NO_CLASSES.size == 0
    assert [r.target for r in found.regions()] in ([], ["score"], ["score"] * 2)


def test_the_page_has_regions_and_what_is_said_of_a_protein(folders: list[Path]) -> None:
    page = written(folders, "html", calls={"region_threshold": 1000})
    lines = [json.loads(line) for line in page.splitlines() if line.startswith('{"id":')]
    assert [line["score regions"] for line in lines] == [[[0, 33]], [[0, 25]]]
    for line in lines:
        facts = dict(line["more facts"])
        assert facts["Disordered"] == f"{len(line['sequence'])} in 1 regions"
        assert facts["Kind"]
        assert len(line["topology"]) == len(line["sequence"])
    # The membrane is a band behind every class of topology.
    assert page.count("M{0} 7H{1}V17H{0}Z") == 5
