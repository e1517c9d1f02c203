"""Annotation as gffread, gffutils and bioframe read it: the same starts, introns and counts."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import bioframe
import gffutils
import pytest

from conftest import REPOSITORY
from grubio.config import ClassRule
from grubio.datasets.annotate import find_places
from grubio.datasets.annotated_genome import AnnotatedGenome
from grubio.errors import GrubioError
from grubio.readers.annotation import read_annotation
from spliced_genome import write_spliced_genome

CASES = REPOSITORY.parent / "shared" / "cases"
E_COLI = REPOSITORY.parent / "shared" / "data" / "dna"
CASE_NAMES = [
    *("cds_without_id.gff3", "semicolon_in_note.gff3", "two_parents_and_a_repeated_key.gff3"),
    *("line_without_strand.gtf", "unused_line_out_of_range.gff3"),
]
START = ClassRule(feature=["CDS"], boundary="start", bases=3)


def fail(error: GrubioError) -> None:
    raise error


def starts_of(path: Path, rule: ClassRule) -> set[tuple[str, int, str]]:
    """Where the places of a rule start; empty if there are none."""
    refused: list[GrubioError] = []
    genome = AnnotatedGenome({f"chr{n}": 100_000 for n in range(1, 10)} | {"NC_000913.3": 4641652})
    lines = read_annotation(path, fail, fail)
    try:
        loci = find_places(lines, {"k": rule}, genome, refused.append)["k"].loci
    except GrubioError as error:
        if "finds no" not in error.problem:
            raise
        return set()
    return {(locus.contig, locus.start, locus.strand) for locus in loci}


@pytest.fixture(params=[*CASE_NAMES, "genes.gff3", "genes.gtf"])
def annotation(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name: str = request.param
    path = tmp_path / name
    if name not in CASE_NAMES:
        write_spliced_genome(tmp_path)
    elif not CASES.is_dir():
        pytest.skip("the cases are not on this machine")
    else:
        # gffread takes the second of two parents for one only if it has a line.
        mrna = "chr1\tx\tmRNA\t101\t600\t.\t+\t.\tID={}\n"
        lines = "".join(map(mrna.format, ("t1", "t2"))) if name.startswith("two_parents") else ""
        path.write_text(lines + (CASES / name).read_text())
    return path


@pytest.mark.skipif(shutil.which("gffread") is None, reason="gffread is not installed")
def test_starts_and_introns_are_those_of_gffread(annotation: Path) -> None:
    done = subprocess.run(
        ["gffread", "-F", "--bed", annotation], capture_output=True, text=True, check=True
    )
    starts, donors, acceptors = set(), set(), set()
    for line in done.stdout.splitlines():
        contig, start, _, _, _, strand, low, high, _, _, sizes, offsets, *more = line.split("\t")
        if strand not in "+-":
            continue
        if "CDS=" in "".join(more):
            starts.add((contig, int(low) if strand == "+" else int(high) - 3, strand))
        blocks = [
            (int(start) + int(offset), int(start) + int(offset) + int(size))
            for offset, size in zip(
                offsets.strip(",").split(","), sizes.strip(",").split(","), strict=True
            )
        ]
        for (_, left), (right, _) in pairwise(blocks):
            first, last = (contig, left, strand), (contig, right - 2, strand)
            donors.add(first if strand == "+" else last)
            acceptors.add(last if strand == "+" else first)
    assert starts_of(annotation, START) == starts
    kind = "exon" if "exon" in annotation.read_text() else "CDS"
    for boundary, expected in (("introns_start", donors), ("introns_end", acceptors)):
        rule = ClassRule.model_validate({"feature": kind, "boundary": boundary, "bases": 2})
        assert starts_of(annotation, rule) == expected
    assert starts or donors


@pytest.mark.skipif(not E_COLI.is_dir(), reason="the E. coli files are not on this machine")
def test_e_coli_has_the_starts_and_counts_of_gffutils_and_bioframe() -> None:
    (path,) = E_COLI.glob("*.gff.gz")
    table = bioframe.read_table(path, schema="gff", comment="#")
    lines = list(read_annotation(path, fail, fail))
    assert Counter(line.kind for line in lines) == Counter(table["feature"])
    with gzip.open(path, "rt") as raw:
        theirs = [
            gffutils.feature.feature_from_line(line, strict=False)
            for line in raw
            if not line.startswith("#")
        ]
    assert [line.attributes for line in lines] == [dict(one.attributes.items()) for one in theirs]
    ends: dict[str, tuple[int, int, str]] = {}
    for one in theirs:
        if one.featuretype == "CDS":
            (name,) = one.attributes["ID"]
            low, high, _ = ends.get(name, (one.start, one.end, one.strand))
            ends[name] = (min(low, one.start), max(high, one.end), one.strand)
    expected = {(low - 1 if s == "+" else high - 3, s) for low, high, s in ends.values()}
    ours = {(start, strand) for _, start, strand in starts_of(path, START)}
    assert ours == expected
