from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from grubio.datasets.annotated_genome import AnnotatedGenome
from grubio.errors import GrubioError
from grubio.readers.annotation import read_annotation
from grubio.readers.annotation_line import AnnotatedFeature, AnnotationLine

LENGTHS = {"chr1": 1000, "NC_1.2": 500}


def fail(error: GrubioError) -> None:
    raise error


def features_of(
    path: Path, lengths: Mapping[str, int], leave_out: Callable[[GrubioError], None]
) -> Iterator[AnnotatedFeature]:
    """The features of all lines, each checked as one that a class uses."""
    genome = AnnotatedGenome(lengths)
    for line in read_annotation(path, leave_out, leave_out):
        try:
            yield genome.feature(line, genome.contig_of(line) or "")
        except GrubioError as error:
            leave_out(error)


def only_line(path: Path) -> AnnotationLine:
    (line,) = read_annotation(path, fail, fail)
    return line


def write(tmp_path: Path, text: str, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def gff(*cells: object, attributes: str = "ID=a") -> str:
    contig, kind, start, end, strand = cells
    return f"{contig}\tsource\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def places(features: list[AnnotatedFeature]) -> list[tuple[object, ...]]:
    return [(f.contig, f.start, f.end, f.strand, f.line.kind, f.line.number) for f in features]


def test_gff3_is_read_up_to_its_sequences(tmp_path: Path) -> None:
    text = (
        "##gff-version 3\n\n# a comment\n"
        + gff("chr1", "gene", 1, 10, "+", attributes="ID=g;Note=a%3Bb;Alias=x,y")
        + gff("chr1", "exon", 5, 5, "?", attributes="Parent=t1,t2\r")
        + "##FASTA\n>chr1\nACGT\n"
    )
    features = list(features_of(write(tmp_path, text), LENGTHS, fail))
    assert places(features) == [
        ("chr1", 0, 10, "+", "gene", 4),
        ("chr1", 4, 5, ".", "exon", 5),
    ]
    assert features[0].line.attributes == {"ID": ["g"], "Note": ["a;b"], "Alias": ["x", "y"]}
    assert features[1].line.transcripts == ["t1", "t2"]


def test_escaped_names_of_contigs_are_those_that_the_writer_escaped(tmp_path: Path) -> None:
    path = write(tmp_path, gff("chr%201%7Calt", "gene", 1, 10, "+"))
    for name in ("chr 1|alt", "chr%201%7Calt"):
        (feature,) = features_of(path, {name: 10}, fail)
        assert feature.contig == name


def test_gtf_attributes_are_read(tmp_path: Path) -> None:
    line = gff("chr1", "exon", 2, 9, "-", attributes='gene_id "g"; transcript_id "t;1"; tag "b c";')
    read = only_line(write(tmp_path, line))
    assert read.attributes["tag"] == ["b c"]
    assert read.transcripts == ["t;1"]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_bed_is_read(separator: str, tmp_path: Path) -> None:
    lines = ["track name=x", "browser position chr1", "#c", "", "chr1 0 10 TSS 7.5 -"]
    path = write(tmp_path, "\n".join([*lines[:4], lines[4].replace(" ", separator)]))
    (feature,) = features_of(path, LENGTHS, fail)
    assert places([feature]) == [("chr1", 0, 10, "-", "TSS", 5)]
    assert feature.line.attributes == {"name": ["TSS"], "score": ["7.5"]}


def test_bed_of_three_and_of_twelve_columns(tmp_path: Path) -> None:
    (three,) = features_of(write(tmp_path, "chr1\t5\t9\n"), LENGTHS, fail)
    assert (three.strand, three.line.kind, three.line.attributes) == (".", ".", {})
    twelve = "chr1\t100\t200\tt\t0\t+\t100\t200\t0\t2\t10,20,\t0,80,\n"
    (found,) = features_of(write(tmp_path, twelve), LENGTHS, fail)
    assert found.blocks == ((100, 110), (180, 200))


def test_compressed_annotation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_bytes(gzip.compress(b"chr1\t5\t9\n"))
    assert len(list(features_of(path, LENGTHS, fail))) == 1


GOOD_GFF = gff("chr1", "gene", 1, 10, "+")
GOOD_BED = "chr1\t0\t10\tn\t0\t+\n"
GOOD_BED12 = "chr1\t100\t200\tt\t0\t+\t100\t200\t0\t1\t100\t0\n"
BAD_LINES = {
    "gff_contig_unknown": (GOOD_GFF, gff("chr9z", "gene", 1, 10, "+"), "'chr9z' is not in the"),
    "gff_end_before_start": (GOOD_GFF, gff("chr1", "gene", 10, 8, "+"), "ends before it starts"),
    "gff_start_is_zero": (GOOD_GFF, gff("chr1", "gene", 0, 8, "+"), "before the first base"),
    "gff_past_the_end": (GOOD_GFF, gff("chr1", "gene", 1, 1001, "+"), "1 bases past the end"),
    "gff_start_no_number": (GOOD_GFF, gff("chr1", "gene", "x", 8, "+"), "start 'x' is not a whole"),
    "gff_end_no_number": (GOOD_GFF, gff("chr1", "gene", 1, "8.5", "+"), "end '8.5' is not a whole"),
    "gff_wrong_strand": (GOOD_GFF, gff("chr1", "gene", 1, 8, "plus"), "strand 'plus'"),
    "gff_too_few_columns": (GOOD_GFF, "chr1\tx\tgene\t1\t8\n", "5 columns between tabs; 9 were"),
    "gff_too_many_columns": (GOOD_GFF, GOOD_GFF.strip() + "\tx\n", "10 columns between tabs"),
    "bed_contig_unknown": (GOOD_BED, GOOD_BED.replace("chr1", "7"), "'7' is not in the genome"),
    "bed_empty": (GOOD_BED, "chr1\t5\t5\tn\t0\t+\n", "is empty: start equals end (5)"),
    "bed_negative_start": (GOOD_BED, "chr1\t-5\t5\tn\t0\t+\n", "before the first base"),
    "bed_past_the_end": (GOOD_BED, "chr1\t5\t1005\tn\t0\t+\n", "5 bases past the end"),
    "bed_no_number": (GOOD_BED, "chr1\tfive\t10\tn\t0\t+\n", "start 'five' is not a whole number"),
    "bed_wrong_strand": (GOOD_BED, "chr1\t5\t10\tn\t0\t1\n", "strand '1'; one of + - ."),
    "bed_other_columns": (GOOD_BED, "chr1\t5\t10\n", "3 columns; 6 were expected"),
    "bed_block_counts": (GOOD_BED12, GOOD_BED12.replace("\t1\t100", "\t2\t100"), "2 blocks, but"),
    "bed_block_outside": (GOOD_BED12, GOOD_BED12.replace("\t1\t100", "\t1\t101"), "leave the"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_an_error_with_its_number_or_is_refused(name: str, tmp_path: Path) -> None:
    good, bad, expected = BAD_LINES[name]
    path = write(tmp_path, good + "# a comment\n" + bad + good)
    with pytest.raises(GrubioError, match="line 3") as caught:
        list(features_of(path, LENGTHS, fail))
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
    refused: list[GrubioError] = []
    features = list(features_of(path, LENGTHS, refused.append))
    assert [f.line.number for f in features] == [1, 4]
    assert [error.line for error in refused] == [3]


@pytest.mark.parametrize(
    ("contig", "meant"),
    [
        ("1", "chr1"),
        ("CHR1", "chr1"),
        ("chromosome_1", "chr1"),
        ("NC_1", "NC_1.2"),
        ("NC_1.3", "NC_1.2"),
        ("chrNC_1.2", "NC_1.2"),
        ("MT", "chrM"),
        ("chrMT", "chrM"),
        ("mito", "chrM"),
        ("NC_1.2 Escherichia coli, complete genome", "NC_1.2"),
        ("gi|556|ref|NC_1.2|", "NC_1.2"),
        ("cbr1", "chr1"),
    ],
)
def test_a_contig_named_otherwise_is_guessed(contig: str, meant: str, tmp_path: Path) -> None:
    lengths = {**LENGTHS, "chrM": 100}
    with pytest.raises(GrubioError, match=f"did you mean '{meant}'"):
        list(features_of(write(tmp_path, f"{contig}\t0\t5\n"), lengths, fail))


def test_where_nothing_is_similar_the_contigs_are_named(tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match=r"The genome has 'chr1', 'NC_1\.2'"):
        list(features_of(write(tmp_path, "U00096.3\t0\t5\n"), LENGTHS, fail))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds no features"),
        ("##gff-version 3\n", "holds no features"),
        ("chr1\t5\n", "neither GFF3, GTF nor BED"),
        (">chr1 a genome\nACGT\n", "holds no features"),
        ("a b c d\n", "neither GFF3, GTF nor BED"),
        ("\0\0\0", "binary file"),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match=expected):
        list(features_of(write(tmp_path, text), LENGTHS, lambda error: None))


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_bytes(b"chr1\t0\t5\tn\xff\n")
    with pytest.raises(GrubioError, match="line 1: byte 0xff is not UTF-8"):
        list(features_of(path, LENGTHS, fail))


def test_only_the_directive_alone_ends_the_features(tmp_path: Path) -> None:
    gene = gff("chr1", "gene", 1, 10, "+")
    text = f"{gene}##Protein 1\n##MKVLAT\n##FASTARKQL\n##end-Protein\n{gene}>chr1\nACGT\n{gene}"
    assert len(list(features_of(write(tmp_path, text), LENGTHS, fail))) == 3
    for end in ("##FASTA", "##FASTA  "):
        path = write(tmp_path, f"{gene}{end}\n{gene}")
        assert len(list(features_of(path, LENGTHS, fail))) == 1
        # Several files that were joined.
        path = write(tmp_path, f"{gene}{end}\n>chr1\nACGT\n##gff-version 3\n{gene}{gene}")
        assert len(list(features_of(path, LENGTHS, fail))) == 3


@pytest.mark.parametrize(
    "header",
    ["chr\tstart\tend\tpeak\tscore\tstrand", "chrom chromStart chromEnd", '"chr"\t"Start"\t"End"'],
)
def test_a_bed_header_without_a_hash_is_passed_over_and_noted(header: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"#c\n{header}\nchr1\t100\t200\tp1\t5.5\t+\n")
    noted: list[GrubioError] = []
    (line,) = read_annotation(path, fail, noted.append)
    assert (line.number, line.kind) == (3, "p1")
    assert [(error.line, error.problem) for error in noted] == [(2, "a header line")]


def test_tables_that_count_from_one_are_not_bed(tmp_path: Path) -> None:
    for header in ("seqnames\tstart\tend\twidth\tstrand", "chr start end length abs_summit"):
        with pytest.raises(GrubioError, match="line 1: is a table with widths, which counts from"):
            only_line(write(tmp_path, f"{header}\nchr1\t1\t10\t10\t+\n"))


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        (b"#c\rchr1\t0\t5\rchr1\t7\t9\r", [2, 3]),
        (b"#c\r\nchr1\t0\t5\r\nchr1\t7\t9\r\n", [2, 3]),
        (b"chr1\t0\t5\r\n", [1]),
        (b"chr1\t0\t5\r", [1]),
        ("chr1\t0\t5\r\n".encode("utf-16"), [1]),
    ],
)
def test_line_ends_of_windows_and_of_old_macs_are_read(
    content: bytes, numbers: list[int], tmp_path: Path
) -> None:
    path = write(tmp_path, "")
    path.write_bytes(content)
    assert [line.number for line in read_annotation(path, fail, fail)] == numbers


def test_bed_may_have_more_than_twelve_columns(tmp_path: Path) -> None:
    gapped = "chr1\t100\t200\tt\t0\t.\t100\t200\t0\t2\t10,20\t0,80\t1.5\t2.5\t3.5\n"
    (found,) = features_of(write(tmp_path, gapped), LENGTHS, fail)
    assert found.blocks == ((100, 110), (180, 200))
