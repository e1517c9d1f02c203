from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.config import ClassRule
from grubio.datasets.annotate import ClassPlaces, class_of_each_base, find_places
from grubio.datasets.annotated_genome import AnnotatedGenome
from grubio.errors import GrubioError
from grubio.readers.annotation import read_annotation
from grubio.readers.bed import BedLine
from grubio.sequences.locus import STRANDS

LENGTH = 60


def fail(error: GrubioError) -> None:
    raise error


def places(text: str, rules: dict[str, dict[str, object]], folder: Path) -> dict[str, ClassPlaces]:
    path = folder / "features"
    path.write_text(text)
    classes = {name: ClassRule.model_validate(rule) for name, rule in rules.items()}
    genome = AnnotatedGenome({"c": LENGTH, "d": 20})
    return find_places(read_annotation(path, fail, fail), classes, genome, fail)


def stretches(found: ClassPlaces) -> list[str]:
    return [str(locus) for locus in found.loci]


def gff(kind: str, start: int, end: int, strand: str, attributes: str = ".") -> str:
    return f"c\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def test_minus_10_lies_upstream_on_both_strands(tmp_path: Path) -> None:
    text = "c\t30\t31\tTSS\t0\t+\nc\t30\t31\tTSS\t0\t-\n"
    found = places(text, {"m": {"feature": "TSS", "offset": [-12, -7]}}, tmp_path)["m"]
    assert stretches(found) == ["c:18-24(+)", "c:37-43(-)"]
    assert (found.width, found.features, found.clipped) == (6, 2, 0)


def test_offsets_are_clipped_at_the_ends_of_a_contig(tmp_path: Path) -> None:
    text = "c\t9\t10\tTSS\t0\t+\nc\t2\t3\tTSS\t0\t+\nc\t50\t51\tTSS\t0\t-\n"
    found = places(text, {"m": {"feature": "TSS", "offset": [-12, -7]}}, tmp_path)["m"]
    assert stretches(found) == ["c:0-3(+)", "c:57-60(-)"]
    assert (found.width, found.features, found.clipped) == (6, 3, 3)


def test_boundaries_count_from_the_own_ends(tmp_path: Path) -> None:
    text = gff("gene", 11, 20, "+") + gff("gene", 31, 40, "-") + gff("gene", 51, 51, "+")
    rules: dict[str, dict[str, object]] = {
        "first": {"feature": "gene", "boundary": "start", "bases": 3},
        "last": {"feature": "gene", "boundary": "end", "bases": 3},
    }
    found = places(text, rules, tmp_path)
    assert stretches(found["first"]) == ["c:10-13(+)", "c:37-40(-)"]
    assert stretches(found["last"]) == ["c:17-20(+)", "c:30-33(-)"]
    assert (found["first"].width, found["first"].short) == (3, 1)
    with pytest.raises(GrubioError, match="only features of fewer than 11 bases"):
        places(text, {"x": {"feature": "gene", "boundary": "start", "bases": 11}}, tmp_path)


def test_peaks_of_any_width_have_a_middle_of_one_width(tmp_path: Path) -> None:
    # BED6+4, as MACS2 and ENCODE write peaks: without a strand.
    text = "".join(
        f"c\t{start}\t{end}\tpeak{start}\t500\t{strand}\t7.1\t12.0\t9.1\t3\n"
        for start, end, strand in [(10, 20, "."), (30, 35, "."), (40, 50, "-")]
    )
    rule = {"feature": "*", "boundary": "center", "bases": 7}
    found = places(text, {"k": rule, "whole": {"feature": "*"}}, tmp_path)
    expected = ["c:11-18(+)", "c:11-18(-)", "c:29-36(+)", "c:29-36(-)", "c:42-49(-)"]
    assert stretches(found["k"]) == expected
    assert (found["k"].width, found["whole"].widths) == (7, (5, 10))


def test_features_of_a_circular_contig_go_on_at_its_start(tmp_path: Path) -> None:
    region = gff("region", 1, LENGTH, "+", "ID=c;Is_circular=true")
    over = gff("gene", 51, LENGTH + 5, "-") + gff("tss", 4, 4, "+") + gff("tss", 55, 55, "-")
    rules: dict[str, dict[str, object]] = {
        "gene": {"feature": "gene"},
        "box": {"feature": "tss", "offset": [-8, -3]},
    }
    found = places(region + over, rules, tmp_path)
    assert stretches(found["gene"]) == ["c:0-5(-)", "c:50-60(-)"]
    assert stretches(found["box"]) == ["c:0-1(+)", "c:0-3(-)", "c:55-60(+)", "c:57-60(-)"]
    assert [(f.width, f.clipped) for f in found.values()] == [(15, 0), (6, 0)]
    with pytest.raises(GrubioError, match=r"5 bases past the end of 'c'[^$]*Is_circular=true"):
        places(over, rules, tmp_path)
    with pytest.raises(GrubioError, match="past the end"):
        places(region + gff("gene", 51, 2 * LENGTH + 1, "-"), rules, tmp_path)


def test_parts_of_one_cds_are_painted_each_but_have_one_start(tmp_path: Path) -> None:
    parts = [gff("CDS", 11, 20, "-", "ID=p;Parent=t"), gff("CDS", 31, 40, "-", "ID=p;Parent=t")]
    rules: dict[str, dict[str, object]] = {
        "start": {"feature": "CDS", "offset": [0, 2]},
        "cds": {"feature": "CDS"},
    }
    found = places("".join(parts), rules, tmp_path)
    assert stretches(found["cds"]) == ["c:10-20(-)", "c:30-40(-)"]
    assert stretches(found["start"]) == ["c:37-40(-)"]
    gtf = [part.replace("ID=p;Parent=t", 'transcript_id "t";') for part in parts]
    assert stretches(places("".join(gtf), rules, tmp_path)["start"]) == ["c:37-40(-)"]


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
    found = places(text, rules, tmp_path)
    low, high = ["c:10-12", "c:30-32"], ["c:18-20", "c:43-45"]
    donors, acceptors = (low, high) if strand == "+" else (high, low)
    assert stretches(found["donor"]) == [f"{place}({strand})" for place in donors]
    assert stretches(found["acceptor"]) == [f"{place}({strand})" for place in acceptors]
    assert found["donor"].width == 2


def test_exons_of_different_transcripts_make_no_intron(tmp_path: Path) -> None:
    text = gff("exon", 1, 5, "+", "Parent=t") + gff("exon", 11, 15, "+", "Parent=u")
    rule: dict[str, object] = {"feature": "exon", "boundary": "introns_start", "bases": 2}
    with pytest.raises(GrubioError, match="class 'donor' finds no introns") as caught:
        places(text, {"donor": rule}, tmp_path)
    assert "Parent=" in str(caught.value)


def test_attributes_narrow_the_features(tmp_path: Path) -> None:
    text = gff("gene", 1, 5, "+", "kind=a,b") + gff("gene", 11, 15, "+", "kind=c")
    for wanted, expected in (("b", ["c:0-5(+)"]), (["b", "c"], ["c:0-5(+)", "c:10-15(+)"])):
        rule: dict[str, object] = {"feature": "*", "where": {"kind": wanted}}
        assert stretches(places(text, {"k": rule}, tmp_path)["k"]) == expected
    with pytest.raises(GrubioError, match="fits 'where'"):
        places(text, {"k": {"feature": "gene", "where": {"kind": "d"}}}, tmp_path)
    bed = "c\t0\t5\tn\t900\t+\nc\t10\t15\tn\t1000\t+\n"
    rule = {"feature": "n", "where": {"score": 1000}}
    assert stretches(places(bed, {"k": rule}, tmp_path)["k"]) == ["c:10-15(+)"]


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
    found = places(gff("x", 5, 9, own), {"k": {"feature": "x", "strand": strand}}, tmp_path)["k"]
    assert stretches(found) == expected
    assert found.features == 1


@pytest.mark.parametrize("rule", [{"offset": [0, 1]}, {"boundary": "start", "bases": 1}])
def test_a_rule_with_a_direction_refuses_features_without_one(
    rule: dict[str, object], tmp_path: Path
) -> None:
    text = gff("x", 1, 5, "+") + gff("x", 5, 9, ".")
    with pytest.raises(GrubioError, match="line 2: the feature has no strand"):
        places(text, {"k": {"feature": "x", **rule}}, tmp_path)


def test_a_class_without_features_names_the_types_that_there_are(tmp_path: Path) -> None:
    text = gff("CDS", 1, 5, "+") + 2 * gff("gene", 1, 5, "+")
    with pytest.raises(GrubioError, match="class 'k' finds no feature 'cds' or 'ORF'") as caught:
        places(text, {"k": {"feature": ["cds", "ORF"]}}, tmp_path)
    assert "gene (2), CDS (1)" in str(caught.value)


def test_the_first_class_wins(tmp_path: Path) -> None:
    text = gff("a", 1, 10, "+") + gff("b", 6, 15, "+") + gff("a", 30, 31, "-")
    for names in ("ab", "ba"):
        found = places(text, {name: {"feature": name} for name in names}, tmp_path)
        classes = class_of_each_base("c", LENGTH, list(found.values()))
        both = names.index("a") if names == "ab" else names.index("b")
        assert classes["+"][5:10].tolist() == [both] * 5
        assert classes["+"][0] == names.index("a")
        assert classes["+"][14] == names.index("b")
        assert classes["+"][15] == 2
        assert classes["-"][29] == names.index("a")
        assert (class_of_each_base("d", 20, list(found.values()))["+"] == 2).all()


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
def test_classes_are_what_each_base_says_by_itself(
    genome: tuple[list[tuple[int, int, str]], tuple[int, int]], side: str
) -> None:
    features, (first, last) = genome
    lines = [
        BedLine("f.bed", number, ["c", str(start), str(end), "x", "0", strand])
        for number, (start, end, strand) in enumerate(features)
    ]
    classes = {
        "near": ClassRule(feature=["x"], offset=(first, last), strand=side),  # type: ignore[arg-type]
        "tail": ClassRule(feature=["x"], boundary="end", bases=1),
        "all": ClassRule(feature=["*"]),
    }
    found = find_places(lines, classes, AnnotatedGenome({"c": LENGTH}), fail)
    result = class_of_each_base("c", LENGTH, list(found.values()))
    for strand in STRANDS:
        for base in range(LENGTH):
            expected = 3
            for start, end, own in features:
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


START: dict[str, object] = {"feature": "CDS", "boundary": "start", "bases": 3}
DONOR: dict[str, object] = {"feature": "exon", "boundary": "introns_start", "bases": 2}


def cds(places: Sequence[tuple[int, int]], attributes: Sequence[str], strand: str = "+") -> str:
    return "".join(
        gff("CDS", start, end, strand, text)
        for (start, end), text in zip(places, attributes, strict=True)
    )


THREE = [(11, 20), (31, 40), (51, 58)]
GENE = gff("gene", 1, 59, "+", "ID=g")
MRNA = gff("mRNA", 1, 59, "+", "ID=m;Parent=g")
OVERLAPPING = [(11, 40), (31, 58)]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (cds(THREE, ["Parent=m"] * 3), [10]),
        (cds(THREE[::-1], ["Parent=m"] * 3), [10]),
        (cds(THREE, ["Parent=m,m-Protein;"] * 3), [10]),
        (cds(THREE, ["Parent=m", "Parent=m", "Parent=n"]), [10, 50]),
        (cds(THREE, ["ID=c;Parent=m"] * 3), [10]),
        (GENE + MRNA + cds(THREE, [f"ID=m.CDS{n};Parent=m" for n in range(3)]), [10]),
        (cds(THREE, ["ID=c;Parent=m"] * 2 + ["ID=d;Parent=m"]), [10, 50]),
        (cds(THREE, ["ID=cds;Parent=m"] * 2 + ["ID=cds;Parent=n"]), [10, 50]),
        (cds(THREE, ["ID=c;Parent=m,n", "ID=c;Parent=m", "ID=c;Parent=n"]), [10]),
        (MRNA + cds(OVERLAPPING, ["ID=c;Parent=m", "ID=d;Parent=m"]), [10, 30]),
        (GENE + cds(THREE, [f"ID=c{n};Parent=g" for n in range(3)]), [10, 30, 50]),
        (cds(THREE, ["ID=c1,x;Parent=m", "ID=c1,x;Parent=m", "ID=c1,y;Parent=n"]), [10, 50]),
        (cds(THREE, ['gene_id "g"; transcript_id "t";'] * 3), [10]),
        (cds(THREE, [f'gene_id "{g}"; transcript_id "unknown_1";' for g in "abb"]), [10, 30]),
        (cds(THREE, [f'gene_id "g{n}"; transcript_id "";' for n in range(3)]), [10, 30, 50]),
        (cds(THREE, ["."] * 3), [10, 30, 50]),
        (cds(THREE, [f"gene_id={n}" for n in range(3)]), [10, 30, 50]),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_the_pieces_of_a_cds_have_one_start(text: str, starts: list[int], tmp_path: Path) -> None:
    found = places(text, {"start": START}, tmp_path)["start"]
    assert [locus.start for locus in found.loci] == starts


def test_utr_pieces_belong_together_and_exons_do_not(tmp_path: Path) -> None:
    text = "".join(
        gff(kind, start, end, "-", "Parent=t")
        for kind in ("five_prime_UTR", "exon")
        for start, end in THREE
    )
    rules = {kind: {**START, "feature": kind} for kind in ("five_prime_UTR", "exon")}
    found = places(text, rules, tmp_path)
    assert [locus.start for locus in found["five_prime_UTR"].loci] == [55]
    assert [locus.start for locus in found["exon"].loci] == [17, 37, 55]


@pytest.mark.parametrize(
    "attributes",
    [
        ["ID=e1;Parent=t", "ID=e2;Parent=t;Note=alternative; curated by hand", "ID=e3;Parent=t"],
        ["ID=e1;Parent=t", "ID=e2;Note=an alpha; a=b at (x; y = 2);Parent=t", "ID=e3;Parent=t"],
        ["ID=e1;partial;Parent=t", "Parent = t", ";Parent=t;"],
        ['ID="e;1";Parent="t"', "Parent=t;Dbxref=a;Dbxref=b", "Parent=%74"],
        ["Parent=t;Parent=t", "Note=gene_id; transcript_id;Parent=t", "Parent=t"],
        [
            'gene_id "g"; transcript_id "t"; note "a; b=c"; ',
            "gene_id g; transcript_id t; exon_number 2",
            'transcript_id "t";note "it""s"',
        ],
    ],
)
def test_each_line_is_read_by_itself(attributes: list[str], tmp_path: Path) -> None:
    text = "".join(
        gff("exon", start, end, "+", one)
        for (start, end), one in zip(THREE, attributes, strict=True)
    )
    assert stretches(places(text, {"donor": DONOR}, tmp_path)["donor"]) == [
        "c:20-22(+)",
        "c:40-42(+)",
    ]


def test_parents_that_are_listed_or_repeated_are_all_parents(tmp_path: Path) -> None:
    for both in ("Parent=t1,t2;Dbxref=a;Dbxref=b", "Parent=t1;Parent=t2"):
        text = (
            gff("exon", 1, 10, "+", both)
            + gff("exon", 21, 30, "+", "Parent=t1")
            + gff("exon", 41, 50, "+", "Parent=t2")
        )
        rules = {"donor": DONOR, "acceptor": {**DONOR, "boundary": "introns_end"}}
        found = places(text, rules, tmp_path)
        assert stretches(found["donor"]) == ["c:10-12(+)"]
        assert stretches(found["acceptor"]) == ["c:18-20(+)", "c:38-40(+)"]


@pytest.mark.parametrize(
    ("strand", "pieces", "start", "end"),
    [
        ("+", [(51, LENGTH), (1, 6)], 50, 3),
        ("-", [(1, 6), (51, LENGTH)], 3, 50),
        ("+", [(41, 45), (51, LENGTH), (1, 6), (9, 12)], 40, 9),
        ("+", [(31, 36), (41, 46)], 30, 43),
    ],
)
def test_pieces_on_both_sides_of_the_origin_are_one_feature(
    strand: str, pieces: list[tuple[int, int]], start: int, end: int, tmp_path: Path
) -> None:
    text = cds(pieces, ["ID=c"] * len(pieces), strand)
    # Where the line of the region stands does not matter.
    text += gff("region", 1, LENGTH, "+", "ID=r;Is_circular=true")
    found = places(text, {"start": START, "end": {**START, "boundary": "end"}}, tmp_path)
    assert [locus.start for locus in found["start"].loci] == [start]
    assert [locus.start for locus in found["end"].loci] == [end]


def test_only_lines_that_a_class_uses_are_checked(tmp_path: Path) -> None:
    unused = (
        "c\tx\ttmRNA\t-17\t541\t.\t-\t.\tID=a\n"
        "elsewhere\tx\tgene\t1\t5\t.\t+\t.\tID=g\n"
        "c\tx\tgene\tone\tfive\t.\tplus\t.\tID=h\n" + gff("CDS", 90, 100, "+", "ID=z;pseudo=true")
    )
    rule: dict[str, object] = {"feature": "CDS", "where": {"pseudo": {"not": True}}}
    found = places(unused + gff("CDS", 11, 20, "+"), {"cds": rule}, tmp_path)
    assert stretches(found["cds"]) == ["c:10-20(+)"]
    with pytest.raises(GrubioError, match="line 1: the feature starts before the first base"):
        places(unused, {"cds": {"feature": "*"}}, tmp_path)


def test_a_line_that_several_classes_use_is_refused_once(tmp_path: Path) -> None:
    path = tmp_path / "a.gtf"
    told = 'gene_id "M"; transcript_id "M.1";'
    path.write_text(
        cds([(1, 9)], [told]).replace("CDS", "exon")
        + gff("exon", 21, 30, "+", told)
        + gff("exon", 1, 9, ".", 'transcript_id "N";')
        + gff("exon", 1, 99, ".", 'transcript_id "N";')
    )
    rules = {
        name: ClassRule.model_validate({**DONOR, "boundary": f"introns_{name}"})
        for name in ("start", "end")
    }
    refused: list[GrubioError] = []
    lines = read_annotation(path, fail, fail)
    find_places(lines, rules, AnnotatedGenome({"c": LENGTH}), refused.append)
    assert [error.line for error in refused] == [3, 4]


def test_attributes_of_parents_and_not(tmp_path: Path) -> None:
    text = (
        gff("pseudogene", 1, 9, "+", "ID=p;pseudo=true")
        + gff("gene", 11, 19, "+", "ID=g;gene_biotype=protein_coding")
        + gff("mRNA", 1, 9, "+", "ID=m;Parent=p")
        + gff("CDS", 1, 9, "+", "ID=c1;Parent=m")
        + gff("CDS", 11, 19, "+", "ID=c2;Parent=g")
        + gff("CDS", 21, 29, "+", "ID=c3;Parent=g;pseudo=true")
        + gff("CDS", 31, 39, "+", "ID=c4;Parent=nowhere")
        + gff("CDS", 41, 49, "+", "ID=c5;Parent=m;pseudo=false")
    )
    for where, expected in (
        ({"pseudo": {"not": True}}, [10, 30, 40]),
        ({"pseudo": True}, [0, 20]),
        ({"pseudo": "*"}, [0, 20, 40]),
        ({"pseudo": {"not": "*"}}, [10, 30]),
        ({"gene_biotype": "protein_coding"}, [10, 20]),
        ({"gene_biotype": "protein_coding", "pseudo": {"not": ["true", "yes"]}}, [10]),
    ):
        found = places(text, {"k": {"feature": "CDS", "where": where}}, tmp_path)["k"]
        assert [locus.start for locus in found.loci] == expected, where
    gtf = (
        gff("gene", 1, 9, "+", 'gene_id "g"; gene_type "rRNA";')
        + gff("transcript", 1, 9, "+", 'gene_id "g"; transcript_id "t";')
        + gff("exon", 1, 9, "+", 'gene_id "g"; transcript_id "t";')
    )
    rule: dict[str, object] = {"feature": "exon", "where": {"gene_type": "rRNA"}}
    assert stretches(places(gtf, {"k": rule}, tmp_path)["k"]) == ["c:0-9(+)"]
    rule["where"] = {"gene_type": {"not": "rRNA"}}
    with pytest.raises(GrubioError, match="fits 'where'") as caught:
        places(gtf, {"k": rule}, tmp_path)
    assert "gene_type not rRNA" in str(caught.value)


def test_an_intron_belongs_to_the_transcripts_that_fit(tmp_path: Path) -> None:
    text = (
        gff("mRNA", 1, 50, "+", "ID=t1;biotype=protein_coding")
        + gff("mRNA", 1, 50, "+", "ID=t2;biotype=retained_intron")
        + gff("exon", 1, 10, "+", "Parent=t1,t2")
        + gff("exon", 21, 30, "+", "Parent=t1")
        + gff("exon", 41, 50, "+", "Parent=t2")
    )
    acceptor = {**DONOR, "boundary": "introns_end", "where": {"biotype": "protein_coding"}}
    assert stretches(places(text, {"a": acceptor}, tmp_path)["a"]) == ["c:18-20(+)"]


def test_parents_in_a_circle_end(tmp_path: Path) -> None:
    text = gff("mRNA", 1, 9, "+", "ID=a;Parent=b") + gff("gene", 1, 9, "+", "ID=b;Parent=a")
    rule: dict[str, object] = {"feature": "mRNA", "where": {"pseudo": {"not": True}}}
    assert stretches(places(text, {"k": rule}, tmp_path)["k"]) == ["c:0-9(+)"]


def test_the_summit_of_a_narrow_peak_is_a_site(tmp_path: Path) -> None:
    peak = "c\t10\t30\tp\t500\t.\t7.1\t12.0\t9.1\t{}\n"
    rule: dict[str, object] = {"feature": "*", "boundary": "summit", "bases": 3}
    found = places(peak.format(4), {"k": rule}, tmp_path)["k"]
    assert stretches(found) == ["c:13-16(+)", "c:13-16(-)"]
    for bad, expected in (
        (peak.format(-1), "no summit"),
        (peak.format(20), "summit 20 is not in the peak, which has 20 bases"),
        ("c\t10\t30\tp\n", "column 10 of narrowPeak"),
    ):
        with pytest.raises(GrubioError, match=expected):
            places(bad, {"k": rule}, tmp_path)


@pytest.mark.parametrize("frame", ["any", "whole"])
def test_coding_sequences_out_of_frame_are_named_and_left_out_if_asked(
    tmp_path: Path, frame: str
) -> None:
    text = gff("CDS", 1, 9, "+", "ID=a;Parent=ga") + gff("CDS", 11, 17, "+", "ID=b;Parent=gb")
    # Two pieces that are whole together, one of which is not by itself.
    text += gff("CDS", 21, 25, "-", "ID=c;Parent=gc") + gff("CDS", 31, 34, "-", "ID=c;Parent=gc")
    found = places(text, {"cds": {"feature": "CDS", "frame": frame}}, tmp_path)["cds"]
    kept = ["c:0-9(+)", "c:20-25(-)", "c:30-34(-)"]
    assert found.broken == ["gb"]
    assert stretches(found) == (kept if frame == "whole" else sorted([*kept, "c:10-17(+)"]))


TEN_NINE_EIGHT = [(11, 20), (31, 39), (51, 58)]


@pytest.mark.parametrize(
    ("text", "kept", "broken"),
    [
        # NCBI's transcripts of bacteria, all of one name.
        (
            cds(
                TEN_NINE_EIGHT,
                [f'gene_id "{g}"; transcript_id "unknown_transcript_1";' for g in "abc"],
            ),
            [(30, 39)],
            ["a/unknown_transcript_1", "c/unknown_transcript_1"],
        ),
        # Isoforms that share two pieces: of 18 and of 19 bases.
        (
            cds(
                [(11, 20), (31, 35), (41, 43), (51, 54)],
                [f"Parent={parents}" for parents in ("u,t", "u,t", "t", "u")],
            ),
            [(10, 20), (30, 35), (40, 43)],
            ["u"],
        ),
        (cds([(1, 9), (11, 17)], ["Parent=t;Parent=t", "Parent=u"]), [(0, 9)], ["u"]),
        # Parts of a gene with an ID each are no pieces of one another.
        (
            GENE + cds(TEN_NINE_EIGHT, [f"ID=c{n};Parent=g" for n in range(3)]),
            [(30, 39)],
            ["g", "g"],
        ),
        # Blocks of 5 and 4 bases, and of 5 and 5, both in 15.
        (
            "c\t0\t15\tCDS\t0\t+\t0\t15\t0\t2\t5,4\t0,11\n"
            "c\t20\t35\tCDS\t0\t+\t20\t35\t0\t2\t5,5\t0,10\n",
            [(0, 5), (11, 15)],
            ["line 2"],
        ),
    ],
    ids=["ncbi", "isoforms", "parent twice", "gene", "blocks"],
)
def test_the_frame_is_that_of_the_whole_coding_sequence(
    text: str, kept: list[tuple[int, int]], broken: list[str], tmp_path: Path
) -> None:
    found = places(text, {"cds": {"feature": "CDS", "frame": "whole"}}, tmp_path)["cds"]
    assert [(locus.start, locus.end) for locus in found.loci] == kept
    assert found.broken == broken


def test_the_start_of_an_isoform_out_of_frame_is_left_out(tmp_path: Path) -> None:
    text = cds([(1, 4), (11, 20), (31, 35)], ["Parent=u", "Parent=u,t", "Parent=t"])
    rule = {**START, "frame": "whole"}
    assert stretches(places(text, {"start": rule}, tmp_path)["start"]) == ["c:10-13(+)"]
