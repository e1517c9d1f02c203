"""Predictions on whole contigs, with a tiny model of random weights."""

from __future__ import annotations

import contextlib
import csv
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pybigtools
import pytest

from conftest import REPOSITORY
from genome_model import SCHEME, SITES, dna, save_genome_model
from grubio.config import CallSettings, GenomeSettings, Output, PredictionSettings
from grubio.config.formats import outputs_of
from grubio.errors import GrubioError
from grubio.inference.called_features import FeatureCaller, _SiteScan
from grubio.inference.labelled_region import LabelledRegion
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.prediction.predict_file import predict_file
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import STRANDS, Locus, Strand, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import peaks, site_scores
from grubio.sequences.windows import CORE, OVERLAP

Runner = Callable[..., subprocess.CompletedProcess[str]]

CHUNKS = {"core": 90, "overlap": 40}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_genome_model(folder)
    return folder


@pytest.fixture(scope="module")
def predictor(model: Path) -> Predictor:
    return Predictor(load_bundle(model), "cpu", 1)


@pytest.fixture(scope="module")
def contigs() -> list[Record]:
    gapped = dna(2500, 1)
    return [
        Record(
            "chr", "", gapped[:700] + "N" * 1100 + gapped[700:1500].lower() + "NNR" + dna(431, 7)
        ),
        Record("one", "", "A"),
        Record("short", "", dna(60, 2)),
        Record("like", "", dna(90 + 80, 3)),
        Record("all_n", "", "n" * 400),
        Record("odd", "", dna(1001, 4)),
    ]


Whole = dict[str, dict[Strand, np.ndarray]]


def whole(regions: Iterator[LabelledRegion]) -> Whole:
    parts: dict[str, list[LabelledRegion]] = {}
    for region in regions:
        parts.setdefault(region.contig, []).append(region)
    for contig in parts.values():
        assert [s.start for s in contig] == [0, *(s.end for s in contig[:-1])]
        assert contig[-1].end == contig[0].length
    return {
        name: {
            strand: np.concatenate([s.probabilities[strand] for s in contig])
            for strand in contig[0].probabilities
        }
        for name, contig in parts.items()
    }


def assert_same(one: Whole, other: Whole) -> None:
    for name in one:
        for strand in one[name]:
            assert np.abs(one[name][strand] - other[name][strand]).max() < 1e-6


def region_of(probabilities: dict[Strand, np.ndarray], start: int, end: int) -> LabelledRegion:
    length = len(next(iter(probabilities.values())))
    parts = {strand: p[start:end] for strand, p in probabilities.items()}
    return LabelledRegion("c", length, start, end, "A" * (end - start), parts, SCHEME)


def test_the_answer_is_the_same_alone_with_others_and_in_any_order(
    predictor: Predictor, contigs: list[Record]
) -> None:
    together = whole(predictor.regions(contigs, **CHUNKS))
    assert set(together) == {c.id for c in contigs}
    assert_same(together, whole(predictor.regions(contigs[::-1], **CHUNKS)))
    for contig in contigs:
        alone = whole(predictor.regions([contig], **CHUNKS))
        assert_same(alone, together)
        for strand in STRANDS:
            only = whole(predictor.regions([contig], [strand], **CHUNKS))
            assert np.abs(only[contig.id][strand] - alone[contig.id][strand]).max() < 1e-6
            assert only[contig.id][strand].shape == (len(contig), SCHEME.size)
            assert only[contig.id][strand].dtype == np.float32


def test_the_reverse_complement_gives_mirrored_tracks(
    predictor: Predictor, contigs: list[Record]
) -> None:
    turned = [Record(c.id, "", reverse_complement(c.sequence)) for c in contigs]
    ahead = whole(predictor.regions(contigs, **CHUNKS))
    back = whole(predictor.regions(turned, **CHUNKS))
    assert_same(ahead, {name: {"+": t["-"][::-1], "-": t["+"][::-1]} for name, t in back.items()})


def test_windows_agree_with_the_unwindowed_answer_where_the_model_forgets(
    predictor: Predictor,
) -> None:
    contig = Record("c", "", dna(2000, 5))
    one = whole(predictor.regions([contig], core=2000))["c"]
    many = whole(predictor.regions([contig], core=150, overlap=120))["c"]
    bare = whole(predictor.regions([contig], core=150, overlap=0))["c"]
    for strand in STRANDS:
        assert np.abs(one[strand] - many[strand]).max() < 1e-3
        assert np.abs(one[strand] - bare[strand]).max() > 1e-2


def test_blocks_are_labelled_as_their_strand_of_a_contig_of_the_same_length(
    predictor: Predictor, contigs: list[Record]
) -> None:
    long = Record("long", "", dna(11_003, 6))
    records = [*contigs, long, Record("back", "", reverse_complement(long.sequence))]
    predictions = list(predictor.predict(records))
    assert [p.record for p in predictions] == records
    found = whole(predictor.regions(records))
    for prediction in predictions:
        assert np.abs(prediction.probabilities - found[prediction.record.id]["+"]).max() < 1e-6
    assert np.abs(predictions[-1].probabilities[::-1] - found["long"]["-"]).max() < 1e-6


def test_gaps_are_background_and_cost_nothing(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    contig = Record("c", "", dna(200, 1) + "N" * 100_000 + dna(200, 2) + "N" * 9)
    computed = 0
    answers = predictor._answers

    def watched(sequences: list[np.ndarray], **options: Any) -> list:
        nonlocal computed
        computed += sum(map(len, sequences))
        return answers(sequences, **options)

    monkeypatch.setattr(predictor, "_answers", watched)
    tracks = whole(predictor.regions([contig], **CHUNKS))["c"]
    assert 0 < computed < 15_000
    background = np.array([0, 0, 0, 1], dtype=np.float32)
    for track in tracks.values():
        assert (track[200:100_200] == background).all()
        assert (track[:200] != background).any(axis=1).all()
        assert (track[100_200:] != background).any(axis=1).all()


def test_soft_masking_changes_nothing_but_the_letters(predictor: Predictor) -> None:
    text = dna(500, 8)
    (upper, *_), (lower, *_) = (
        list(predictor.regions([Record("c", "", t)], core=100, overlap=10))
        for t in (text, text.lower())
    )
    assert (upper.residues, lower.residues) == (text[: len(upper)], text[: len(upper)].lower())
    assert np.array_equal(upper.probabilities["+"], lower.probabilities["+"])


def test_a_long_contig_is_held_by_the_batch(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = most = 0
    main = predictor.bundle.targets[0].name

    def answers(sequences: list[np.ndarray], **_: Any) -> list:
        nonlocal held, most
        held += sum(map(len, sequences))
        most = max(most, held)
        return [{main: np.zeros((len(s), SCHEME.size), dtype=np.float32)} for s in sequences]

    monkeypatch.setattr(predictor, "_answers", answers)
    contig = Record("c", "", dna(1000, 1) * 3000)
    waiting = bases = 0
    caller = FeatureCaller(SCHEME, SITES)
    for region in predictor.regions([contig]):
        bases += len(region)
        held = 0
        caller.feed(region)
        held_by_scans = [len(scan.held) for scan in caller._scans if isinstance(scan, _SiteScan)]
        assert held_by_scans
        waiting = max(waiting, *held_by_scans)
    assert bases == 3_000_000
    assert most <= 32 * (CORE + 2 * OVERLAP + 2)
    assert waiting < 100


def called(probabilities: dict[Strand, np.ndarray], borders: list[int]) -> list[CalledFeature]:
    caller = FeatureCaller(SCHEME, SITES, min_segment=3)
    found = []
    for start, end in itertools.pairwise(borders):
        found += caller.feed(region_of(probabilities, start, end))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_features_do_not_depend_on_the_borders_of_regions(seed: int) -> None:
    generator = np.random.default_rng(seed)
    length = int(generator.integers(1, 400))
    probabilities: dict[Strand, np.ndarray] = {}
    for strand in STRANDS:
        # Coarse values make many ties.
        scores = generator.integers(1, 5, (length, SCHEME.size)).astype(np.float32) ** 2
        favourite = np.repeat(generator.integers(SCHEME.size, size=length), 9)[:length]
        scores[np.arange(length), favourite] += 8
        probabilities[strand] = scores / scores.sum(axis=1, keepdims=True)
    at_once = called(probabilities, [0, length])
    cuts = sorted(set(generator.integers(1, length + 1, 20).tolist()) - {length})
    in_pieces = called(probabilities, [0, *cuts, length])
    assert [(f.locus, f.letter) for f in in_pieces] == [(f.locus, f.letter) for f in at_once]
    assert np.allclose([f.score for f in in_pieces], [f.score for f in at_once], atol=1e-12)
    assert [f.locus.start for f in at_once] == sorted(f.locus.start for f in at_once)

    expected = set()
    for strand in STRANDS:
        own = probabilities[strand][:: 1 if strand == "+" else -1]
        record = Locus("c", 0, length, strand)
        for column, (letter, site) in enumerate(SITES.items()):
            scores = site_scores(own[:, column], site.width)
            for offset in peaks(scores, max(site.width, 10)).tolist():
                if scores[offset] >= site.threshold:
                    expected.add((record.part(offset, offset + site.width), letter))
        coding = "".join("C" if i == 2 else "." for i in own.argmax(axis=1))
        for first in range(length):
            if coding[first] == "C" and (first == 0 or coding[first - 1] == "."):
                last = (coding + ".").index(".", first)
                if last - first >= 3:
                    expected.add((record.part(first, last), "C"))
    assert {(f.locus, f.letter) for f in at_once} == expected
    assert len(at_once) == len(expected)


def predicted(
    model: Path,
    contigs: list[Record],
    folder: Path,
    names: list[str],
    min_segment: int = 1,
    **settings: object,
) -> None:
    folder.mkdir(exist_ok=True)
    text = "".join(f">{c.id}\n{c.sequence}\n" for c in contigs)
    (folder / "genome.fna").write_text(text)
    predict_file(
        str(folder / "genome.fna"),
        outputs_of(f"{folder}/{name}" for name in names),
        model,
        PredictionSettings(
            device="cpu",
            threads=1,
            genome=GenomeSettings(**settings),
            calls=CallSettings(min_segment=min_segment),
        ),
    )


@pytest.fixture(scope="module")
def written(model: Path, contigs: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    names = ["o.bed", "o.gff3", "o.tsv", "o.parquet", "o.bedgraph", "o.bw", "tracks.bigwig/"]
    predicted(model, contigs, folder, names, min_score=0.3, min_segment=4)
    return folder


def test_each_base_and_strand_has_one_row(
    written: Path, contigs: list[Record], predictor: Predictor
) -> None:
    table = pq.read_table(written / "o.parquet").to_pydict()
    rows = list(zip(table["id"], table["position"], table["strand"], table["residue"], strict=True))
    expected = [
        (c.id, at + 1, strand, letter if strand == "+" else reverse_complement(letter))
        for c in contigs
        for at, letter in enumerate(c.sequence)
        if letter not in "Nn"
        for strand in STRANDS
    ]
    assert rows == expected
    assert any(letter.islower() for *_, letter in rows)
    tracks = whole(predictor.regions(contigs))
    p = np.array([table[f"p_{letter}"] for letter in SCHEME.letters]).T
    exact = np.array([tracks[name][strand][at - 1] for name, at, strand, _ in rows])
    assert np.abs(p - exact).max() < 1e-6
    assert table["label"] == list(SCHEME.decode(p.argmax(axis=1)))

    with open(written / "o.tsv", newline="") as lines:
        header, *text = csv.reader(lines, delimiter="\t")
    assert header == list(table)
    assert [(r[0], int(r[1]), r[2], r[3]) for r in text] == rows
    assert [r[4] for r in text] == table["label"]
    assert np.abs(np.array([r[5:] for r in text], dtype=float) - p).max() < 6e-5


def test_bed_and_gff3_hold_the_same_features_as_the_table(
    written: Path, contigs: list[Record]
) -> None:
    bed = [line.split("\t") for line in (written / "o.bed").read_text().splitlines()]
    gff = (written / "o.gff3").read_text().splitlines()
    regions = [line.split(" ")[1:] for line in gff if line.startswith("##sequence-region")]
    assert regions == [[c.id, "1", str(len(c))] for c in contigs]
    features = [line.split("\t") for line in gff if not line.startswith("#")]
    assert len(bed) == len(features) > 20
    names = [c.id for c in contigs]
    places = [(names.index(b[0]), int(b[1])) for b in bed]
    assert places == sorted(places)
    table = pq.read_table(written / "o.parquet").to_pandas()
    by_base = table.set_index(["id", "strand", "position"])
    for b, f in zip(bed, features, strict=True):
        assert (f[0], int(f[3]) - 1, int(f[4]), f[6]) == (b[0], int(b[1]), int(b[2]), b[5])
        attributes = dict(part.split("=") for part in f[8].split(";"))
        assert attributes["Name"].replace(" ", "_") == b[3]
        letter = attributes["label"]
        assert SCHEME.class_names[SCHEME.letters.index(letter)] == attributes["Name"]
        assert f[2] == {"T": "TSS", "C": "CDS"}.get(letter, "sequence_feature")
        bases = [(b[0], b[5], at + 1) for at in range(int(b[1]), int(b[2]))]
        known = by_base.loc[by_base.index.intersection(bases)]
        if len(known) == len(bases):
            assert known[f"p_{letter}"].mean() == pytest.approx(int(b[4]) / 1000, abs=6e-4)
        assert 300 <= int(b[4]) <= 1000
        assert abs(float(f[5]) - int(b[4]) / 1000) < 1e-9
        if letter in SITES:
            assert len(bases) == SITES[letter].width
        else:
            assert len(bases) >= 4
            assert set(known["label"]) == {letter}
    assert {b[5] for b in bed} == {"+", "-"}
    assert {b[3] for b in bed} == {"tss", "minus_10", "coding"}


def test_tracks_hold_the_probabilities_of_the_table(written: Path, contigs: list[Record]) -> None:
    table = pq.read_table(written / "o.parquet").to_pandas()
    for letter, name in (("T", "tss"), ("M", "minus_10"), ("C", "coding")):
        for strand, word in (("+", "plus"), ("-", "minus")):
            path = written / f"o.{name}.{word}.bw"
            assert (written / f"tracks.bigwig/{name}.{word}.bw").read_bytes() == path.read_bytes()
            lines = (written / f"o.{name}.{word}.bedgraph").read_text().splitlines()
            graph = [(c, int(s), int(e), float(v)) for c, s, e, v in map(str.split, lines)]
            with pybigtools.open(str(path)) as reader:
                lengths = reader.chroms()
                assert lengths == {c.id: len(c) for c in contigs if c.id in lengths}
                intervals = [
                    (c.id, start, end, value)
                    for c in contigs
                    if c.id in lengths
                    for start, end, value in reader.records(c.id)
                ]
            assert [i[:3] for i in intervals] == [g[:3] for g in graph]
            assert np.allclose([i[3] for i in intervals], [g[3] for g in graph], atol=1e-7)
            for before, after in itertools.pairwise(graph):
                assert before[0] != after[0] or before[2] <= after[1]
                assert before[0] != after[0] or before[2] < after[1] or before[3] != after[3]
            found = {(c, at + 1): v for c, s, e, v in graph for at in range(s, e)}
            rows = table[table.strand == strand]
            rounded = np.rint(rows[f"p_{letter}"].to_numpy(dtype=float) * 1000) / 1000
            expected = {
                key: value
                for key, value in zip(
                    zip(rows.id, rows.position, strict=True), rounded, strict=True
                )
                if value > 0
            }
            assert found == pytest.approx(expected)
    assert not list(written.glob("*.none.*"))


def test_a_track_of_nothing_is_still_a_bigwig(model: Path, tmp_path: Path) -> None:
    predicted(model, [Record("n", "", "N" * 40)], tmp_path, ["o.bw", "o.bedgraph", "o.parquet"])
    with pybigtools.open(str(tmp_path / "o.tss.plus.bw")) as reader:
        assert list(reader.records("n")) == [(0, 1, 0.0)]
    assert (tmp_path / "o.tss.plus.bedgraph").read_text() == ""
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 0


def test_one_strand_on_request(model: Path, contigs: list[Record], tmp_path: Path) -> None:
    predicted(model, contigs[:1], tmp_path, ["o.bed", "o.bw", "o.tsv"], strand="-")
    assert {line.split("\t")[5] for line in (tmp_path / "o.bed").read_text().splitlines()} == {"-"}
    assert sorted(p.name for p in tmp_path.glob("*.bw")) == [
        "o.coding.minus.bw",
        "o.minus_10.minus.bw",
        "o.tss.minus.bw",
    ]
    assert "\t+\t" not in (tmp_path / "o.tsv").read_text()


@pytest.mark.parametrize("name", ["o.ss2", "o.horiz", "o.fasta", "folder/"])
def test_formats_that_are_not_for_genomes_are_refused(
    model: Path, contigs: list[Record], tmp_path: Path, name: str
) -> None:
    with pytest.raises(GrubioError, match=r"not for genome models|is a folder"):
        predicted(model, contigs, tmp_path, ["o.bed", name])
    assert [p.name for p in tmp_path.iterdir()] == ["genome.fna"]


def test_nothing_is_left_half_written(model: Path, contigs: list[Record], tmp_path: Path) -> None:
    bad = [*contigs, Record("bad", "", "AC!")]
    names = ["o.bed", "o.gff3", "o.bw", "o.bedgraph", "o.tsv", "o.parquet", "t.bigwig/", "o.igv/"]
    with pytest.raises(GrubioError, match="'!' is not a dna residue"):
        predicted(model, bad, tmp_path, names)
    assert [p.name for p in tmp_path.iterdir()] == ["genome.fna"]


def test_the_genome_of_a_session_is_not_overwritten_by_its_next_session(
    model: Path, contigs: list[Record], tmp_path: Path
) -> None:
    predicted(model, contigs, tmp_path, ["session.igv/"])
    genome = tmp_path / "session.igv" / "genome.fa"
    before = genome.read_bytes()
    output = Output(f"{genome.parent}/", "igv")
    with pytest.raises(GrubioError, match="is read as the input"):
        predict_file(str(genome), [output], model, PredictionSettings(device="cpu", threads=1))
    assert genome.read_bytes() == before


def test_command_line(grubio: Runner, model: Path, contigs: list[Record], tmp_path: Path) -> None:
    (tmp_path / "g.fna").write_text(f">c\n{contigs[-1].sequence}\n")
    base = ("predict", "g.fna", "--model", model, "--threads", "1", "--strand", "-")
    done = grubio(*base, "--format", "bed", "--min-score", "0.3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert {line.split("\t")[5] for line in lines} == {"-"}
    done = grubio(*base, "--output", "a.bw", "--format", "bigwig")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.tss.minus.bw").exists()
    done = grubio(*base, "--format", "bigwig")
    assert done.returncode == 2
    assert "needs a file name" in done.stderr


def test_other_models_have_no_tracks(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\nMKTAYIAKQR\n")
    done = grubio("predict", "a.fa", "--output", "a.bed")
    assert done.returncode == 2
    assert "format bed is for genome models" in done.stderr
    done = grubio("predict", "a.fa", "--strand", "+")
    assert done.returncode == 2
    assert "min_score, introns and the like are for genome models" in done.stderr


def test_an_interrupted_bigwig_is_no_bigwig(
    model: Path, contigs: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(BaseException):
        pass

    class Writer:
        def write(self, lengths: dict[str, int], values: Iterator[tuple]) -> None:
            next(values)
            with contextlib.suppress(Stopped):
                values.throw(Stopped)

    opened = pybigtools.open
    monkeypatch.setattr(pybigtools, "open", lambda *a: Writer() if "w" in a else opened(*a))
    with pytest.raises(Stopped):
        predicted(model, contigs[:1], tmp_path, ["o.bw"])
    assert [p.name for p in tmp_path.iterdir()] == ["genome.fna"]


def test_memory_grows_by_a_few_bytes_for_a_base_of_a_contig(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of it is a gap, which takes no time to label."""
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    from measured_command import cost_of

    megabytes = {}
    for size in (2_000_000, 14_000_000):
        fasta = tmp_path / f"{size}.fna"
        lines = [dna(60, 1), *["N" * 60] * (size // 60 - 1)]
        fasta.write_text(">long\n" + "\n".join(lines) + "\n")
        command = ["predict", str(fasta), "--model", str(model), "--threads", "1"]
        command += ["--output", str(tmp_path / f"{size}.bed")]
        program = "from grubio.cli import main; main()"
        megabytes[size] = cost_of([sys.executable, "-c", program, *command]).megabytes
    grown = megabytes[14_000_000] - megabytes[2_000_000]
    assert grown < 4 * 12, "four bytes for each further base: text, lines, a copy in passing"


def test_short_contigs_have_no_called_sites_and_are_named(
    model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "g.fna").write_text(f">tiny\n{dna(99, 2)}\n>long\n{dna(2000, 3)}\n")
    called = {}
    for least in (1, 100):
        settings = PredictionSettings(genome=GenomeSettings(min_contig=least, min_score=0.2))
        predict_file(
            str(tmp_path / "g.fna"), [Output(str(tmp_path / "s.bed"), "bed")], model, settings
        )
        lines = (tmp_path / "s.bed").read_text().splitlines()
        called[least] = [line.split("\t") for line in lines]
    of_tiny = {least: [c[3] for c in lines if c[0] == "tiny"] for least, lines in called.items()}
    assert {"tss", "minus 10"} & set(of_tiny[1])
    assert not {"tss", "minus 10"} & set(of_tiny[100])
    assert [c for c in called[1] if c[0] == "long"] == [c for c in called[100] if c[0] == "long"]
    assert "no sites are called on 1 contigs of fewer than 100 bases: 'tiny'" in caplog.text
