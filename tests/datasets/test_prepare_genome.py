from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import REPOSITORY
from grubio.config import PrepareSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.datasets.prepare_genome import prepare_genome
from grubio.errors import GrubioError
from grubio.sequences.locus import Locus, block_of, reverse_complement

SHARED = REPOSITORY.parent / "shared" / "data" / "dna"


def random_dna(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def settings(classes: dict[str, Any], **changes: Any) -> PrepareSettings:
    return PrepareSettings.model_validate({"format": "genome", "classes": classes, **changes})


def prepared(
    tmp_path: Path,
    sequences: dict[str, str],
    annotation: str,
    classes: dict[str, Any],
    **changes: Any,
) -> Path:
    genome, features = tmp_path / "genome.fna", tmp_path / "features"
    genome.write_text("".join(f">{name} text\n{bases}\n" for name, bases in sequences.items()))
    features.write_text(annotation)
    output = tmp_path / "prepared.parquet"
    prepare_genome(
        [genome],
        [features],
        output,
        settings(classes, block_length=100, **changes),
        summary=tmp_path / "summary.json",
    )
    return output


def test_blocks_of_both_strands_hold_the_genome_and_its_labels(tmp_path: Path) -> None:
    contigs = {"chr:1": random_dna(250, 1), "2": random_dna(40, 2)}
    annotation = "chr:1\t90\t110\tx\t0\t-\n2\t0\t1\tsite\t0\t+\n2\t39\t40\tsite\t0\t-\n"
    classes = {"site": {"feature": "site", "letter": "S"}, "box": {"feature": "x"}}
    path = prepared(tmp_path, contigs, annotation, classes)
    records = list(read_records(path))
    loci = [Locus.from_id(record.id) for record in records]
    assert [str(locus) for locus in loci] == [
        "chr:1:0-100(+)",
        "chr:1:0-100(-)",
        "chr:1:100-250(+)",
        "chr:1:100-250(-)",
        "2:0-40(+)",
        "2:0-40(-)",
    ]
    for record, locus in zip(records, loci, strict=True):
        plus = contigs[locus.contig][locus.start : locus.end]
        assert record.sequence == (plus if locus.strand == "+" else reverse_complement(plus))
        assert record.group == block_of(locus)
        assert (record.split, record.mask, record.description) == (None, None, "text")
    labels = [record.labels for record in records]
    assert labels[0] == "." * 100
    assert labels[1] == "B" * 10 + "." * 90
    assert labels[3] == "." * 140 + "B" * 10
    assert labels[4] == labels[5] == "S" + "." * 39
    header = read_header(path)
    assert header.sites == {"S": 1, "B": 20}
    assert (header.scheme.letters, header.scheme.background) == ("SB.", ".")
    assert header.scheme.class_names == ("site", "box", "background")
    assert set(header.sources) == {"genome.fna", "features"}


def test_runs_of_n_are_not_counted(tmp_path: Path) -> None:
    bases = "ACGT" * 5 + "nnNN" + "RYacg"
    path = prepared(tmp_path, {"c": bases}, "c\t18\t23\tx\t0\t+\n", {"x": {"feature": "x"}})
    plus, minus = read_records(path)
    assert plus.labels == "." * 18 + "XX" + "????" + "." * 5
    assert plus.mask == "1" * 20 + "0000" + "1" * 5
    assert minus.labels == "." * 5 + "????" + "." * 20
    assert minus.mask == "1" * 5 + "0000" + "1" * 20
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["residues"], summary["masked"], summary["labels"]["X"]) == (58, 8, 2)


def test_only_classes_of_one_width_up_to_100_are_sites(tmp_path: Path) -> None:
    annotation = (
        "c\t0\t100\ta\t0\t+\nc\t0\t101\tb\t0\t+\nc\t0\t5\td\t0\t+\nc\t7\t13\td\t0\t+\n"
        "c\t2\t3\te\t0\t+\n"
    )
    classes: dict[str, Any] = {name: {"feature": name} for name in "abd"}
    classes["e"] = {"feature": "e", "offset": [-5, 0]}
    path = prepared(tmp_path, {"c": random_dna(150, 3)}, annotation, classes)
    assert read_header(path).sites == {"A": 100, "E": 6}


def test_introns_of_a_synthetic_genome_begin_with_gt_and_end_with_ag(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    genes, annotation = [], ""
    start = 0
    for number in range(12):
        exon, intron = "C" * int(rng.integers(9, 30)), "GT" + "C" * int(rng.integers(5, 20)) + "AG"
        strand = "+-"[number % 2]
        gene = exon + intron + exon
        genes.append(gene if strand == "+" else reverse_complement(gene))
        for first in (start, start + len(exon) + len(intron)):
            annotation += (
                f"c\tx\texon\t{first + 1}\t{first + len(exon)}\t.\t{strand}\t.\tParent=t{number}\n"
            )
        start += len(gene)
    classes = {
        "donor": {"feature": "exon", "boundary": "introns_start", "bases": 2},
        "acceptor": {"feature": "exon", "boundary": "introns_end", "bases": 2},
    }
    path = prepared(tmp_path, {"c": "".join(genes)}, annotation, classes)
    painted: dict[str, str] = {"D": "", "A": ""}
    for record in read_records(path):
        for base, label in zip(record.sequence, record.labels or "", strict=True):
            if label != ".":
                painted[label] += base
    assert painted == {"D": "GT" * 12, "A": "AG" * 12}
    assert read_header(path).sites == {"D": 2, "A": 2}


def test_bad_lines_and_contigs_are_skipped_and_counted(tmp_path: Path) -> None:
    contigs = {"c": random_dna(50, 1), "bad": "AC-GT"}
    annotation = "c\t2\t5\tx\t0\t+\nd\t2\t5\tx\t0\t+\nc\t2\t500\tx\t0\t+\nc\t30\t31\tx\t0\t.\n"
    classes = {"k": {"feature": "x", "offset": [0, 0]}}
    prepared(tmp_path, contigs, annotation, classes, on_invalid="skip")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["genome"]["lines_refused"] == 3
    assert summary["genome"]["contigs_refused"] == 1
    assert summary["genome"]["features"] == {"k": 1}
    assert [entry["id"].rpartition(" ")[2] for entry in summary["refused"]] == [
        "bad",
        "2",
        "3",
        "4",
    ]
    with pytest.raises(GrubioError, match="position 3"):
        prepared(tmp_path, contigs, annotation, classes)
    with pytest.raises(GrubioError, match=r"2 lines .* line 1: contig '1' is not in the genome"):
        text = "1\t2\t5\tx\t0\t+\n1\t7\t9\tx\t0\t+\n"
        prepared(tmp_path, contigs, text, classes, on_invalid="skip")


def test_the_command_prepares_splits_and_says_what_it_painted(
    grubio: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "g.fna").write_text(f">c\n{random_dna(1000, 7)}\n>d\n{random_dna(1000, 8)}\n")
    (tmp_path / "tss.bed").write_text("c\t500\t501\tTSS\t0\t+\nd\t500\t501\tTSS\t0\t-\n")
    (tmp_path / "cds.gff").write_text("c\tx\tCDS\t601\t700\t.\t+\t0\tID=a\n")
    rules = {"minus10": {"feature": "TSS", "offset": [-12, -7]}, "cds": {"feature": "CDS"}}
    done = grubio(
        *("prepare", "g.fna", "--format", "genome", "--block-length", 100, "-o", "p.parquet"),
        *("--annotation", "tss.bed", "--annotation", "cds.gff", "--classes", json.dumps(rules)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "2 contigs, 2,000 bases; 40 records of both strands, 0 of 4,000 bases masked",
        "  M  minus10              12    0.3 %",
        "  C  cds                 100    2.5 %",
        "  .  background         3888   97.2 %",
        "minus10: 2 features of 6 bases each, called as sites",
        "cds: coding sequences that do not divide by three, kept as labels (1): 'a'",
        "cds: 1 feature of 100 bases each, called as sites",
    ]
    done = grubio("split", "p.parquet", "-o", "s.parquet", "--gap", 10, "--audit", "a.tsv")
    assert done.returncode == 0, done.stderr
    assert "bases of both strands cut off next to another split" in done.stdout


CONTIGS = {"a": random_dna(300, 1), "b": random_dna(200, 2), "c": random_dna(500, 3)}
ON_A = "a\t0\t9\tx\t0\t+\n"


def test_contigs_without_annotation_are_told_or_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The line of a region says nothing about what is on it.
    regions = "".join(
        f"{name}\tx\tregion\t1\t{len(bases)}\t.\t+\t.\tID={name}\n"
        for name, bases in CONTIGS.items()
    )
    annotation = regions + "a\tx\tCDS\t1\t9\t.\t+\t0\tID=c1\nb\tx\tgene\t1\t9\t.\t+\t.\tID=g\n"
    classes = {"cds": {"feature": "CDS"}}
    prepared(tmp_path, CONTIGS, annotation, classes)
    assert "no annotation for 1 of 3 contigs, 50.0 % of the bases" in caplog.text
    assert "background: 'c'; --annotated only" in caplog.text
    summary = json.loads((tmp_path / "summary.json").read_text())["genome"]
    assert (summary["not_annotated"], summary["contigs_left_out"]) == ({"c": 500}, 0)
    caplog.clear()
    path = prepared(tmp_path, CONTIGS, annotation, classes, annotated="only")
    assert {Locus.from_id(record.id).contig for record in read_records(path)} == {"a", "b"}
    summary = json.loads((tmp_path / "summary.json").read_text())["genome"]
    assert (summary["contigs"], summary["bases"], summary["contigs_left_out"]) == (2, 500, 1)
    assert caplog.text == ""


@pytest.mark.parametrize("chosen", ["a", ["a"], "a,"])
def test_contigs_are_chosen_and_lines_on_the_others_pass(chosen: Any, tmp_path: Path) -> None:
    annotation = ON_A + "b\t0\t999\tx\t0\t+\nc\t5\t5\tx\t0\t+\n"
    path = prepared(tmp_path, CONTIGS, annotation, {"k": {"feature": "x"}}, contigs=chosen)
    assert {Locus.from_id(record.id).contig for record in read_records(path)} == {"a"}
    with pytest.raises(GrubioError, match="contig 'z' of --contigs is not in the genome") as caught:
        prepared(tmp_path, CONTIGS, annotation, {"k": {"feature": "x"}}, contigs="a,z")
    assert "'a', 'b', 'c'" in str(caught.value)


def test_lines_on_a_refused_contig_are_not_refused_as_well(tmp_path: Path) -> None:
    annotation = ON_A + "bad\t0\t3\tx\t0\t+\n"
    contigs = {**CONTIGS, "bad": "AC-GT"}
    prepared(tmp_path, contigs, annotation, {"k": {"feature": "x"}}, on_invalid="skip")
    summary = json.loads((tmp_path / "summary.json").read_text())["genome"]
    assert (summary["contigs_refused"], summary["lines_refused"]) == (1, 0)


def test_a_bed_header_counts_as_one_line_under_every_policy(tmp_path: Path) -> None:
    for policy in ("error", "skip"):
        text = "chr\tstart\tend\tpeak\tscore\tstrand\n" + ON_A
        prepared(tmp_path, CONTIGS, text, {"k": {"feature": "x"}}, on_invalid=policy)
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert summary["genome"]["lines_refused"] == 1
        assert summary["refused"][0]["reason"] == "a header line"


def test_a_class_that_earlier_ones_cover_is_told_as_such(
    grubio: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "g.fna").write_text(f">c\n{random_dna(300, 7)}\n")
    (tmp_path / "f.bed").write_text("".join(f"c\t{n}\t{n + 9}\tCDS\t0\t+\n" for n in (9, 50, 90)))
    rules = {
        "cds": {"feature": "CDS"},
        "start": {"feature": "CDS", "boundary": "start", "bases": 3},
        "box": {"feature": "CDS", "offset": [-2, 0]},
    }
    done = grubio(
        *("prepare", "g.fna", "--format", "genome", "--annotation", "f.bed"),
        *("--classes", json.dumps(rules), "-o", "p.parquet"),
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (
        "start: 3 features of 3 bases each, called as sites, 3 of 3 covered by earlier"
        in done.stdout
    )
    assert lines[-1] == "box: 3 features of 3 bases each, called as sites"
    assert "class 'start' labels nothing: all that it finds is covered by classes" in done.stderr
    assert "'box'" not in done.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--format", "genome"], "format 'genome' needs classes"),
        (["--classes", "{"], "is not YAML"),
        (["--classes", '{"a": {"feature": "x"}}'], "takes no classes"),
        (
            ["--format", "genome", "--classes", '{"a": {"feature": "x"}}'],
            "format genome needs annotation",
        ),
        (
            ["--format", "genome", "--classes", '{"a": {"feature": "x", "ofset": [1, 2]}}'],
            "did you mean 'offset'",
        ),
        (
            [
                *("--format", "genome", "--classes"),
                '{"a": {"feature": "x", "where": {"pseudo": {"nto": true}}}}',
            ],
            "pseudo takes a value, a list of values, or {not: value}",
        ),
        (["--format", "tsv", "--annotation", "x"], "takes no --annotation"),
        (["--contigs", "c"], "takes no contigs"),
        (["--annotated", "only"], "takes no annotated"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], expected: str, grubio: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "g.fna").write_text(">c\nACGT\n")
    done = grubio("prepare", "g.fna", "-o", "p.parquet", *options)
    assert done.returncode == 2
    assert expected in done.stderr


@pytest.mark.skipif(not SHARED.is_dir(), reason="the E. coli files are not here")
def test_e_coli_promoters_lie_where_their_table_shows_them(tmp_path: Path) -> None:
    with open(SHARED / "tss_NC_000913.3.tsv", newline="") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t") if r["sigma"] == "sigma70"]
    bed = tmp_path / "tss.bed"
    bed.write_text(
        "".join(
            f"NC_000913.3\t{int(r['tss']) - 1}\t{r['tss']}\tTSS\t0\t{r['strand']}\n" for r in rows
        )
    )
    (genome,) = SHARED.glob("*.fna.gz")
    (genes,) = SHARED.glob("*.gff.gz")
    classes = {
        "minus10": {"letter": "M", "feature": "TSS", "offset": [-12, -7]},
        "cds": {"feature": "CDS"},
    }
    tally = prepare_genome([genome], [genes, bed], tmp_path / "p.parquet", settings(classes))
    assert tally.places["cds"].features == 4337
    assert read_header(tmp_path / "p.parquet").sites == {"M": 6}
    records = [(Locus.from_id(r.id), r) for r in read_records(tmp_path / "p.parquet")]
    seen = 0
    for row in rows:
        for locus, record in records:
            place = int(row["tss"]) - 1
            if locus.strand != row["strand"] or not locus.start <= place < locus.end:
                continue
            at = place - locus.start if locus.strand == "+" else locus.end - 1 - place
            if 60 <= at < len(record) - 20:
                assert record.sequence[at - 60 : at + 21].upper() == row["window81_5to3"].upper()
                assert record.labels is not None
                assert record.labels[at - 12 : at - 6] == "MMMMMM"
                seen += 1
    assert seen > 0.99 * len(rows)
