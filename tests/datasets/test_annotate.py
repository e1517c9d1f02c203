from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.config import ClassRule
from grubio.datasets.annotate import Painted, paint, painted_loci
from grubio.errors import GrubioError
from grubio.readers.annotation import Feature, read_features
from grubio.sequences.locus import STRANDS

LENGTH = 60


def fail(error: GrubioError) -> None:
    raise error


def painted(text: str, rules: dict[str, dict[str, object]], folder: Path) -> dict[str, Painted]:
    path = folder / "features"
    path.write_text(text)
    classes = {name: ClassRule.model_validate(rule) for name, rule in rules.items()}
    lengths = {"c": LENGTH, "d": 20}
    return painted_loci(read_features(path, lengths, fail), classes, lengths, fail)


def stretches(found: Painted) -> list[str]:
    return [str(locus) for locus in found.loci]


def gff(kind: str, start: int, end: int, strand: str, attributes: str = ".") -> str:
    return f"c\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def test_minus_10_lies_upstream_on_both_strands(tmp_path: Path) -> None:
    text = "c\t30\t31\tTSS\t0\t+\nc\t30\t31\tTSS\t0\t-\n"
    found = painted(text, {"m": {"feature": "TSS", "offset": [-12, -7]}}, tmp_path)["m"]
    assert stretches(found) == ["c:18-24(+)", "c:37-43(-)"]
    assert (found.width, found.features, found.clipped) == (6, 2, 0)


def test_offsets_are_clipped_at_the_ends_of_a_contig(tmp_path: Path) -> None:
    text = "c\t9\t10\tTSS\t0\t+\nc\t2\t3\tTSS\t0\t+\nc\t50\t51\tTSS\t0\t-\n"
    found = painted(text, {"m": {"feature": "TSS", "offset": [-12, -7]}}, tmp_path)["m"]
    assert stretches(found) == ["c:0-3(+)", "c:57-60(-)"]
    assert (found.width, found.features, found.clipped) == (6, 3, 3)


def test_boundaries_count_from_the_own_ends(tmp_path: Path) -> None:
    text = gff("gene", 11, 20, "+") + gff("gene", 31, 40, "-") + gff("gene", 51, 51, "+")
    rules: dict[str, dict[str, object]] = {
        "first": {"feature": "gene", "boundary": "start", "bases": 3},
        "last": {"feature": "gene", "boundary": "end", "bases": 3},
    }
    found = painted(text, rules, tmp_path)
    assert stretches(found["first"]) == ["c:10-13(+)", "c:37-40(-)"]
    assert stretches(found["last"]) == ["c:17-20(+)", "c:30-33(-)"]
    assert (found["first"].width, found["first"].short) == (3, 1)
    with pytest.raises(GrubioError, match="only features of fewer than 11 bases"):
        painted(text, {"x": {"feature": "gene", "boundary": "start", "bases": 11}}, tmp_path)


def test_peaks_of_any_width_have_a_middle_of_one_width(tmp_path: Path) -> None:
    # BED6+4, as MACS2 and ENCODE write peaks: without a strand.
    text = "".join(
        f"c\t{start}\t{end}\tpeak{start}\t500\t{strand}\t7.1\t12.0\t9.1\t3\n"
        for start, end, strand in [(10, 20, "."), (30, 35, "."), (40, 50, "-")]
    )
    rule = {"feature": "*", "boundary": "center", "bases": 7}
    found = painted(text, {"k": rule, "whole": {"feature": "*"}}, tmp_path)
    places = ["c:11-18(+)", "c:11-18(-)", "c:29-36(+)", "c:29-36(-)", "c:42-49(-)"]
    assert stretches(found["k"]) == places
    assert (found["k"].width, found["whole"].widths) == (7, (5, 10))


def test_features_of_a_circular_contig_go_on_at_its_start(tmp_path: Path) -> None:
    region = gff("region", 1, LENGTH, "+", "ID=c;Is_circular=true")
    over = gff("gene", 51, LENGTH + 5, "-") + gff("tss", 4, 4, "+") + gff("tss", 55, 55, "-")
    rules: dict[str, dict[str, object]] = {
        "gene": {"feature": "gene"},
        "box": {"feature": "tss", "offset": [-8, -3]},
    }
    found = painted(region + over, rules, tmp_path)
    assert stretches(found["gene"]) == ["c:0-5(-)", "c:50-60(-)"]
    assert stretches(found["box"]) == ["c:0-1(+)", "c:0-3(-)", "c:55-60(+)", "c:57-60(-)"]
    assert [(f.width, f.clipped) for f in found.values()] == [(15, 0), (6, 0)]
    with pytest.raises(GrubioError, match=r"5 bases past the end of 'c'[^$]*Is_circular=true"):
        painted(over, rules, tmp_path)
    with pytest.raises(GrubioError, match="past the end"):
        painted(region + gff("gene", 51, 2 * LENGTH + 1, "-"), rules, tmp_path)


def test_parts_of_one_cds_are_painted_each_but_have_one_start(tmp_path: Path) -> None:
    parts = [gff("CDS", 11, 20, "-", "ID=p;Parent=t"), gff("CDS", 31, 40, "-", "ID=p;Parent=t")]
    rules: dict[str, dict[str, object]] = {
        "start": {"feature": "CDS", "offset": [0, 2]},
        "cds": {"feature": "CDS"},
    }
    found = painted("".join(parts), rules, tmp_path)
    assert stretches(found["cds"]) == ["c:10-20(-)", "c:30-40(-)"]
    assert stretches(found["start"]) == ["c:37-40(-)"]
    gtf = [part.replace("ID=p;Parent=t", 'transcript_id "t";') for part in parts]
    assert stretches(painted("".join(gtf), rules, tmp_path)["start"]) == ["c:37-40(-)"]


@pytest.mark.parametrize("form", ["gff3", "gtf", "bed"])
@pytest.mark.parametrize("strand", STRANDS)
def test_introns_lie_between_exons(form: str, strand: str, tmp_path: Path) -> None:
    exons = [(5, 10), (20, 30), (45, 50)]
    if form == "bed":
        text = f"c\t5\t50\tt\t0\t{strand}\t5\t50\t0\t3\t5,10,5,\t0,15,40,\n"
    else:
        attributes = "Parent=t,u" if form == "gff3" else 'gene_id "g"; transcript_id "t";'
        text = "".join(
            gff("exon", start + 1, end, strand, attributes) for start, end in reversed(exons)
        )
    rules: dict[str, dict[str, object]] = {
        name: {"feature": ["exon", "t"], "boundary": boundary, "bases": 2}
        for name, boundary in (("donor", "introns_start"), ("acceptor", "introns_end"))
    }
    found = painted(text, rules, tmp_path)
    low, high = ["c:10-12", "c:30-32"], ["c:18-20", "c:43-45"]
    donors, acceptors = (low, high) if strand == "+" else (high, low)
    assert stretches(found["donor"]) == [f"{place}({strand})" for place in donors]
    assert stretches(found["acceptor"]) == [f"{place}({strand})" for place in acceptors]
    assert found["donor"].width == 2


def test_exons_of_different_transcripts_make_no_intron(tmp_path: Path) -> None:
    text = gff("exon", 1, 5, "+", "Parent=t") + gff("exon", 11, 15, "+", "Parent=u")
    rule: dict[str, object] = {"feature": "exon", "boundary": "introns_start", "bases": 2}
    with pytest.raises(GrubioError, match="class 'donor' finds no introns") as caught:
        painted(text, {"donor": rule}, tmp_path)
    assert "Parent=" in str(caught.value)


def test_attributes_narrow_the_features(tmp_path: Path) -> None:
    text = gff("gene", 1, 5, "+", "kind=a,b") + gff("gene", 11, 15, "+", "kind=c")
    for wanted, expected in (("b", ["c:0-5(+)"]), (["b", "c"], ["c:0-5(+)", "c:10-15(+)"])):
        rule: dict[str, object] = {"feature": "*", "where": {"kind": wanted}}
        assert stretches(painted(text, {"k": rule}, tmp_path)["k"]) == expected
    with pytest.raises(GrubioError, match="fits 'where'"):
        painted(text, {"k": {"feature": "gene", "where": {"kind": "d"}}}, tmp_path)
    bed = "c\t0\t5\tn\t900\t+\nc\t10\t15\tn\t1000\t+\n"
    rule = {"feature": "n", "where": {"score": 1000}}
    assert stretches(painted(bed, {"k": rule}, tmp_path)["k"]) == ["c:10-15(+)"]


@pytest.mark.parametrize(
    ("strand", "own", "expected"),
    [
        ("same", "-", ["c:4-9(-)"]),
        ("opposite", "-", ["c:4-9(+)"]),
        ("both", "-", ["c:4-9(+)", "c:4-9(-)"]),
        ("same", ".", ["c:4-9(+)", "c:4-9(-)"]),
        ("opposite", ".", ["c:4-9(+)", "c:4-9(-)"]),
    ],
)
def test_the_strand_is_chosen(strand: str, own: str, expected: list[str], tmp_path: Path) -> None:
    found = painted(gff("x", 5, 9, own), {"k": {"feature": "x", "strand": strand}}, tmp_path)["k"]
    assert stretches(found) == expected
    assert found.features == 1


@pytest.mark.parametrize("rule", [{"offset": [0, 1]}, {"boundary": "start", "bases": 1}])
def test_a_rule_with_a_direction_refuses_features_without_one(
    rule: dict[str, object], tmp_path: Path
) -> None:
    text = gff("x", 1, 5, "+") + gff("x", 5, 9, ".")
    with pytest.raises(GrubioError, match="line 2: the feature has no strand"):
        painted(text, {"k": {"feature": "x", **rule}}, tmp_path)


def test_a_class_without_features_names_the_types_that_there_are(tmp_path: Path) -> None:
    text = gff("CDS", 1, 5, "+") + 2 * gff("gene", 1, 5, "+")
    with pytest.raises(GrubioError, match="class 'k' finds no feature 'cds' or 'ORF'") as caught:
        painted(text, {"k": {"feature": ["cds", "ORF"]}}, tmp_path)
    assert "gene (2), CDS (1)" in str(caught.value)


def test_the_first_class_wins(tmp_path: Path) -> None:
    text = gff("a", 1, 10, "+") + gff("b", 6, 15, "+") + gff("a", 30, 31, "-")
    for names in ("ab", "ba"):
        found = painted(text, {name: {"feature": name} for name in names}, tmp_path)
        classes = paint("c", LENGTH, found.values())
        both = names.index("a") if names == "ab" else names.index("b")
        assert classes["+"][5:10].tolist() == [both] * 5
        assert classes["+"][0] == names.index("a")
        assert classes["+"][14] == names.index("b")
        assert classes["+"][15] == 2
        assert classes["-"][29] == names.index("a")
        assert (paint("d", 20, found.values())["+"] == 2).all()


@st.composite
def genomes(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], tuple[int, int]]:
    features = draw(
        st.lists(
            st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 12), st.sampled_from("+-")),
            min_size=1,
            max_size=6,
        )
    )
    first = draw(st.integers(-15, 15))
    return (
        [(start, min(start + size, LENGTH), strand) for start, size, strand in features],
        (first, first + draw(st.integers(0, 8))),
    )


@given(genomes(), st.sampled_from(["same", "opposite", "both"]))
def test_painting_is_what_each_base_says_by_itself(
    genome: tuple[list[tuple[int, int, str]], tuple[int, int]], side: str
) -> None:
    places, (first, last) = genome
    features = [
        Feature("c", start, end, strand, "x", "f.gff", line)  # type: ignore[arg-type]
        for line, (start, end, strand) in enumerate(places)
    ]
    classes = {
        "near": ClassRule(feature=["x"], offset=(first, last), strand=side),  # type: ignore[arg-type]
        "tail": ClassRule(feature=["x"], boundary="end", bases=1),
        "all": ClassRule(feature=["*"]),
    }
    found = painted_loci(features, classes, {"c": LENGTH}, fail)
    result = paint("c", LENGTH, found.values())
    for strand in STRANDS:
        for base in range(LENGTH):
            expected = 3
            for start, end, own in places:
                ahead = base - start if own == "+" else end - 1 - base
                size = end - start
                on_side = side == "both" or (own == strand) == (side == "same")
                if on_side and first <= ahead <= last:
                    expected = min(expected, 0)
                if own == strand and ahead == size - 1:
                    expected = min(expected, 1)
                if own == strand and start <= base < end:
                    expected = min(expected, 2)
            assert result[strand][base] == expected, (strand, base)
