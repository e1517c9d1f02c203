"""Formats as others read them: by libraries that are not ours, and by the layout of PSIPRED."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import bioframe
import gffutils
import jsonschema
import numpy as np
import pandas as pd
import pybigtools
import pytest
from Bio import Align, SeqIO
from test_writers import prediction

from conftest import REPOSITORY
from genome_model import SCHEME, dna, save_genome_model
from grubio import __version__
from grubio.config import CallSettings, GenomeSettings, Output, PredictionFormat, PredictionSettings
from grubio.errors import GrubioError
from grubio.inference.called_features import FeatureCaller
from grubio.inference.labelled_sequence import labelled
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import load_bundle
from grubio.prediction.predict_file import predict_file
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8, LabelScheme
from grubio.writers.gff3 import term_of
from grubio.writers.json_document import predictions_schema
from prediction_output import open_for_predictions

PLAIN = SS3.with_grammar(None)
CONTIGS = {"chr": dna(2500, 1), "odd|1": dna(431, 7), "short": dna(37, 2)}


def write(
    path: Path,
    kind: PredictionFormat,
    made: list[Prediction],
    scheme: LabelScheme = SS3,
    **calls: float,
) -> str:
    with open_for_predictions(str(path), kind, scheme, **calls) as put:
        for one in made:
            put(one)
    return path.read_text()


def psipred_horiz(labels: str, sequence: str, scores: np.ndarray) -> str:
    """The text that psipass2 of PSIPRED 4 prints for such scores (coil, helix, strand).

    Written from its description: 2 max - sum + min is the confidence; the ruler counts five
    characters ahead. Blanks at the end of lines and a last empty block are left out.
    """
    confidence = 2 * scores.max(axis=1) - scores.sum(axis=1) + scores.min(axis=1)
    lines = []
    for block in range((len(sequence) - 1) // 60 + 1):
        here = slice(block * 60, block * 60 + 60)
        digits = "".join(str(min(int(10 * value), 9)) for value in confidence[here])
        ruler, place = "", 0
        while place < 56 and block * 60 + place + 5 <= len(sequence):
            at = block * 60 + place + 5
            ruler += f"{at:5d}" if at % 10 == 0 else " "
            place += 5 if at % 10 == 0 else 1
        lines += ["", f"Conf: {digits}", f"Pred: {labels[here]}", f"  AA: {sequence[here]}"]
        lines += [("      " + ruler).rstrip() or "", ""]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("length", [1, 9, 10, 59, 60, 61, 120, 137])
def test_horiz_is_psipreds_text(tmp_path: Path, length: int) -> None:
    one = prediction("ubiquitin", ("MQIFVKTLTGKTITLEVEPS" * 7)[:length], length)
    first, rest = write(tmp_path / "o.horiz", "horiz", [one]).split("\n", 1)
    assert first == f"# PSIPRED HFORMAT (grubio V{__version__}) ubiquitin"
    scores = one.reduced(SS3)[:, [2, 0, 1]]
    expected = psipred_horiz(one.labels(SS3), one.record.sequence, scores.astype(np.float64))
    assert [line.rstrip() for line in rest.splitlines()] == expected.splitlines()


def test_ss2_is_psipreds_text(tmp_path: Path) -> None:
    probabilities = np.array([[0.004, 0.0, 0.996], [0.7, 0.2, 0.1], [0, 1, 0]], dtype=np.float32)
    one = Prediction(Record("P1", "", "mKU"), probabilities, PLAIN)
    # Columns as in PSIPRED's own example output: "   1 M C   0.996  0.004  0.000".
    assert write(tmp_path / "o.ss2", "ss2", [one], PLAIN).splitlines() == [
        f"# PSIPRED VFORMAT (grubio V{__version__}) P1",
        "",
        "   1 M C   0.996  0.004  0.000",
        "   2 K H   0.100  0.700  0.200",
        "   3 U E   0.000  0.000  1.000",
        "",
    ]


@pytest.mark.parametrize("kind", ["tsv", "ss2", "horiz", "fasta", "json", "html"])
def test_uncertain_residues_have_no_label(tmp_path: Path, kind: PredictionFormat) -> None:
    probabilities = np.array([[0.9, 0.1, 0], [0.45, 0.4, 0.15], [0, 0.8, 0.2]], dtype=np.float32)
    one = Prediction(Record("a", "", "MKT"), probabilities, PLAIN)
    text = write(tmp_path / "o", kind, [one], PLAIN, min_confidence=0.5)
    if kind in ("tsv", "ss2"):
        column = 3 if kind == "tsv" else 2
        rows = [line.split() for line in text.splitlines()[1 if kind == "tsv" else 2 :] if line]
        assert [row[column] for row in rows] == ["H", "?", "E"]
    else:
        assert "H?E" in text


def test_json_follows_its_schema(tmp_path: Path) -> None:
    made = [prediction("<a>", "MKTAYIAKQRQISFVK", 1), prediction("b", "G", 2)]
    schema = json.loads(predictions_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    for kinds in (made, made[:1], []):
        document = json.loads(write(tmp_path / "o.json", "json", kinds, min_confidence=0.4))
        jsonschema.validate(document, schema)
        assert [one["id"] for one in document["sequences"]] == [p.record.id for p in kinds]
    document = json.loads(write(tmp_path / "o.json", "json", made))
    for found, one in zip(document["sequences"], made, strict=True):
        assert found["labels"] == one.labels(SS3)
        columns = np.array([found["probabilities"][letter] for letter in "HEC"]).T
        assert np.abs(columns - one.reduced(SS3)).max() < 6e-5
        own = labelled(one, SS3).segments()
        assert [(s["start"], s["end"]) for s in found["segments"]] == [
            (s.start, s.end) for s in own
        ]
    document["sequences"][0]["confidence"][0] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_the_published_schema_is_that_of_the_code() -> None:
    published = REPOSITORY / "grubio/writers/predictions.schema.json"
    assert published.read_text() == predictions_schema(), "run python scripts/write_config_docs.py"


def test_tables_of_segments_and_sequences(tmp_path: Path) -> None:
    made = [prediction("a", "MKTAYIAKQRQISFVK" * 4, 1), prediction("b", "G" * 30, 2)]
    write(tmp_path / "s.tsv", "segments", made, min_segment=2, max_gap=1)
    write(tmp_path / "u.tsv", "summary", made, min_segment=2, max_gap=1)
    table = pd.read_csv(tmp_path / "s.tsv", sep="\t")
    per_sequence = pd.read_csv(tmp_path / "u.tsv", sep="\t").set_index("id")
    assert list(table["length"]) == list(table["end"] - table["start"] + 1)
    assert table["length"].min() >= 2
    longest = table[table["label"] == "H"].groupby("id")["length"].max()
    for one in made:
        row = per_sequence.loc[one.record.id]
        assert row["length"] == len(one.record)
        assert row["fraction_H"] == pytest.approx(
            one.labels(SS3).count("H") / len(one.record), abs=1e-4
        )
        assert row[[f"fraction_{c}" for c in "HEC?"]].sum() == pytest.approx(1, abs=4e-4)
        assert row["longest_H"] == longest.get(one.record.id, 0)


def test_gff3_of_proteins_by_gffutils(tmp_path: Path) -> None:
    made = [prediction("sp|P1", "MKTAYIAKQRQISFVK" * 4, 1), prediction("b", "G" * 30, 2)]
    write(tmp_path / "o.gff3", "gff3", made, min_segment=2)
    database = gffutils.create_db(
        str(tmp_path / "o.gff3"), ":memory:", merge_strategy="create_unique"
    )
    expected = [
        (one.record.id, s.start, s.end, [s.class_name])
        for one in made
        for s in labelled(one, SS3, CallSettings(min_segment=2)).segments()
        if s.label != "C"
    ]
    found = [(f.seqid, f.start, f.end, f.attributes["Name"]) for f in database.all_features()]
    assert sorted(found) == sorted(expected)
    assert {f.featuretype for f in database.all_features()} <= {"alpha_helix", "beta_strand"}


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("genome")
    save_genome_model(folder / "model")
    (folder / "genome.fna").write_text("".join(f">{k}\n{v}\n" for k, v in CONTIGS.items()))
    names = ["o.bed", "o.gff3", "o.bedgraph", "o.bw", "o.igv/", "o.html"]
    predict_file(
        str(folder / "genome.fna"),
        [Output(f"{folder}/{n}", PREDICTED[n]) for n in names],
        folder / "model",
        PredictionSettings(
            device="cpu",
            threads=1,
            genome=GenomeSettings(min_score=0.3, min_contig=1),
            calls=CallSettings(min_segment=4),
        ),
    )
    return folder


PREDICTED: dict[str, PredictionFormat] = {
    "o.bed": "bed",
    "o.gff3": "gff3",
    "o.bedgraph": "bedgraph",
    "o.bw": "bigwig",
    "o.igv/": "igv",
    "o.html": "html",
}


@pytest.fixture(scope="module")
def called(genome: Path) -> list[CalledFeature]:
    predictor = Predictor(load_bundle(genome / "model"), "cpu", 1)
    sites = predictor.bundle.sites or {}
    caller = FeatureCaller(SCHEME, sites, min_score=0.3, min_segment=4)
    records = [Record(name, "", text) for name, text in CONTIGS.items()]
    found = [f for region in predictor.regions(records) for f in caller.feed(region)]
    assert len(found) > 20
    return found


def test_bed_by_bioframe_and_biopython(genome: Path, called: list[CalledFeature]) -> None:
    table = bioframe.read_table(genome / "o.bed", schema="bed6")
    rows = table[["chrom", "start", "end", "strand"]].itertuples(index=False, name=None)
    places = [(f.locus.contig, f.locus.start, f.locus.end, f.locus.strand) for f in called]
    assert list(rows) == places
    assert [round(f.score * 1000) for f in called] == list(table["score"])
    aligned = Align.parse(str(genome / "o.bed"), "bed")
    assert [(a.target.id, int(a.coordinates[0].min())) for a in aligned] == [p[:2] for p in places]


def test_gff3_of_genomes_by_gffutils(genome: Path, called: list[CalledFeature]) -> None:
    database = gffutils.create_db(
        str(genome / "o.gff3"), ":memory:", merge_strategy="create_unique"
    )
    found = [(f.seqid, f.start - 1, f.end, f.strand) for f in database.all_features()]
    expected = [(f.locus.contig, f.locus.start, f.locus.end, f.locus.strand) for f in called]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("class_name", "term"),
    [
        ("cds", "CDS"),
        ("coding", "CDS"),
        ("donor", "five_prime_cis_splice_site"),
        ("splice_acceptor", "three_prime_cis_splice_site"),
        ("acceptor_splice_site", "three_prime_cis_splice_site"),
        ("minus10", "minus_10_signal"),
        ("tss", "TSS"),
        ("start", "start_codon"),
        ("TATA-box", "TATA_box"),
        ("polya", "polyA_site"),
        ("tfbs", "TF_binding_site"),
        ("five_prime_utr", "five_prime_UTR"),
        ("AP1", "sequence_feature"),
        ("site", "sequence_feature"),
    ],
)
def test_types_are_terms_of_the_sequence_ontology(class_name: str, term: str) -> None:
    assert term_of(class_name) == term


def test_bedgraph_and_bigwig_hold_the_same(genome: Path) -> None:
    graphs = sorted(genome.glob("o.*.bedgraph"))
    assert len(graphs) == 2 * (SCHEME.size - 1)
    for graph in graphs:
        table = bioframe.read_table(graph, schema="bedGraph")
        with pybigtools.open(str(graph.with_suffix(".bw"))) as track:
            for contig, text in CONTIGS.items():
                rows = table[table["chrom"] == contig]
                expected = np.zeros(len(text))
                for start, end, value in rows[["start", "end", "value"]].itertuples(index=False):
                    expected[start:end] = value
                if len(rows):
                    own = np.array(track.values(contig, 0, len(text), fillna=0))
                    assert np.abs(own - expected).max() < 1e-6


def test_the_session_of_igv_names_files_that_are_there(
    genome: Path, called: list[CalledFeature]
) -> None:
    folder = genome / "o.igv"
    session = ElementTree.parse(folder / "igv_session.xml").getroot()
    named = [resource.get("path", "") for resource in session.iter("Resource")]
    tracks = [track.get("id") for track in session.iter("Track")]
    assert named == tracks
    assert {session.get("genome"), *named} | {"igv_session.xml", "genome.fa.fai"} == {
        path.name for path in folder.iterdir()
    }
    assert session.get("locus") == "chr:1-2500"
    records = {r.id: str(r.seq) for r in SeqIO.parse(folder / "genome.fa", "fasta")}
    assert records == CONTIGS
    content = (folder / "genome.fa").read_bytes()
    for line in (folder / "genome.fa.fai").read_text().splitlines():
        name, length, place, bases, width = line.split("\t")
        last = int(length) - 1
        assert CONTIGS[name][0] == chr(content[int(place)])
        at = int(place) + last // int(bases) * int(width) + last % int(bases)
        assert CONTIGS[name][last] == chr(content[at])
        assert content[at + 1 : at + 2] == b"\n"
    table = bioframe.read_table(folder / "features.bed", schema="bed9")
    assert len(table) == len(called)
    assert table["itemRgb"].str.fullmatch(r"\d+,\d+,\d+").all()
    assert pybigtools.open(str(folder / named[-1])).chroms()["chr"] == 2500


def test_the_page_of_a_genome_has_all_features(genome: Path, called: list[CalledFeature]) -> None:
    text = (genome / "o.html").read_text()
    data = text.split('id="data">\n')[1].split("</script>")[0].splitlines()
    lines = [json.loads(line) for line in data]
    assert [line["contig"] for line in lines if isinstance(line, dict)] == list(CONTIGS)
    own = [(f.letter, f.locus.start + 1, f.locus.end, f.locus.strand) for f in called]
    assert [tuple(line[:4]) for line in lines if isinstance(line, list)] == own


def test_eight_states_have_segments_of_their_own(tmp_path: Path) -> None:
    one = prediction("a", "MKTAYIAKQRQISFVK" * 4, 1)
    found = labelled(one, SS8)
    assert found.probabilities.shape[1] == 8
    assert {s.label for s in found.segments()} == set(found.labels)


@pytest.mark.parametrize("kind", ["bedgraph", "bigwig", "igv"])
def test_formats_of_several_files_make_none_beside_a_device(
    genome: Path, kind: PredictionFormat
) -> None:
    before = set(Path("/dev").iterdir())
    with pytest.raises(GrubioError, match=r"is not a file or folder"):
        predict_file(str(genome / "genome.fna"), [Output("/dev/null", kind)], genome / "model")
    assert set(Path("/dev").iterdir()) == before
