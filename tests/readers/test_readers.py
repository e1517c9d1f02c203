from __future__ import annotations

import inspect
import json
import pkgutil
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from grubio.config import PrepareSettings, TargetSettings
from grubio.config.input_formats import INPUT_FORMATS, InputFormat, described_input_formats
from grubio.datasets.parquet import read_header, read_records
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.readers import fasta
from grubio.readers.dssp import read_dssp
from grubio.readers.fasta import read_fasta
from grubio.readers.structure import read_structure
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from ideal_helix import helix_as_pdb

SHARED = REPOSITORY.parent / "shared" / "data" / "ss"
needs_mkdssp = pytest.mark.skipif(shutil.which("mkdssp") is None, reason="mkdssp is not installed")

records_strategy = st.lists(
    st.tuples(
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12),
        st.text(alphabet=PROTEIN.codes + PROTEIN.codes.lower(), min_size=1, max_size=130),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda pair: pair[0],
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records_strategy, st.integers(1, 80), st.sampled_from(["\n", "\r\n"]))
def test_fasta_comes_back_whatever_its_wrapping(
    tmp_path: Path, records: list[tuple[str, str]], width: int, newline: str
) -> None:
    lines = []
    for name, sequence in records:
        lines += [f">{name} some words"]
        lines += [sequence[i : i + width] for i in range(0, len(sequence), width)]
    path = tmp_path / "x.fasta"
    path.write_bytes((newline.join(lines) + newline).encode())
    read = list(read_fasta(path))
    assert [(r.id, r.sequence, r.description) for r in read] == [
        (*r, "some words") for r in records
    ]


def test_a_long_line_is_read_in_pieces_and_its_letters_are_those_of_short_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fasta, "_PIECE", 7)
    path = tmp_path / "x.fasta"
    path.write_bytes(
        b"\xef\xbb\xbf>one the first of two\nMKTA YIAKQR\tAA>QR\r\nGG\n\n"
        + ">two with ünïcödé\r\nWWWWWWWWWWWWWWWWW".encode()
    )
    assert list(read_fasta(path)) == [
        Record("one", "the first of two", "MKTAYIAKQRAA>QRGG"),
        Record("two", "with ünïcödé", "W" * 17),
    ]
    path.write_bytes(b">one\n         >two\nAC\n")
    assert list(read_fasta(path)) == [Record("one", "", ">twoAC")]
    path.write_bytes(b">one\nMKTAYI\nMKTAYIAKQ\xff\n")
    with pytest.raises(GrubioError, match="byte 0xff is not UTF-8") as refused:
        list(read_fasta(path))
    assert refused.value.line == 3


def test_masking_and_skipping_are_counted() -> None:
    records = [
        Record("a", "", "MKXTU", "HHHH?"),
        Record("b", "", "MK-T*", "HHxHC"),
        Record("c", "", "MKT", "HH"),
    ]
    tally = Tally()
    kept = list(checked_records(records, PROTEIN, "mask", scheme=SS8, tally=tally))
    assert [(r.sequence, r.labels, r.mask) for r in kept] == [
        ("MKXTU", "HHHH?", "11110"),
        ("MKXT", "HH?H", "1101"),
    ]
    assert (tally.read, tally.kept, tally.residues, tally.stops, tally.masked) == (3, 2, 9, 1, 2)
    assert tally.labels == {"H": 7}
    assert tally.replaced == {"X": 1, "U": 1, "-": 1}
    assert [name for name, _ in tally.refused] == ["c"]


def test_labels_under_a_mask_may_be_anything_and_become_unknown() -> None:
    (record,) = checked_records(
        [Record("a", "", "MKT", "HzP", "101")], PROTEIN, "error", scheme=SS8
    )
    assert (record.labels, record.mask) == ("H?C", "101")


def test_protein_given_as_dna_is_hinted() -> None:
    with pytest.raises(GrubioError, match="this looks like protein"):
        list(checked_records([Record("a", "", "MKTAYIAK")], DNA, "error"))


def test_a_short_peptide_of_dna_letters_stays_a_peptide() -> None:
    assert len(list(checked_records([Record("a", "", "GATTACA")], PROTEIN, "error"))) == 1


def test_prepare_reads_tagged_fasta(tmp_path: Path) -> None:
    (tmp_path / "x.fasta").write_text(
        ">a SET=train VALIDATION=False TARGET=HHC MASK=110\nMKT\n"
        ">b SET=train VALIDATION=true TARGET=EEC kinase\nMKT\n>c SET=test TARGET=CCC\nMKT\n"
    )
    out = tmp_path / "out.parquet"
    prepare_dataset([tmp_path / "x.fasta"], out, PrepareSettings(format="tagged", scheme="ss3"))
    records = list(read_records(out))
    assert [r.split for r in records] == ["train", "valid", "test"]
    assert (records[0].labels, records[0].mask, records[1].description) == ("HH?", "110", "kinase")


@pytest.mark.parametrize("form", ["tagged", "fasta"])
def test_a_validation_that_is_neither_true_nor_false_is_refused(tmp_path: Path, form: str) -> None:
    path, labels = tmp_path / "x.fasta", None
    path.write_text(">a SET=train VALIDATION=yes TARGET=HHC\nMKT\n")
    if form == "fasta":
        labels = tmp_path / "l.fasta"
        labels.write_text(">a SET=train VALIDATION=yes\nHHC\n")
    wanted = PrepareSettings.model_validate({"format": form})
    with pytest.raises(GrubioError, match="VALIDATION=yes; True or False was expected") as refused:
        prepare_dataset([path], tmp_path / "o.parquet", wanted, labels=labels)
    assert (refused.value.path, refused.value.record) == (labels or path, "a")


def test_prepare_reads_labels_and_masks_in_any_order_with_their_splits(tmp_path: Path) -> None:
    (tmp_path / "s.fasta").write_text(">a\nMKT\n>b\nGG\n")
    (tmp_path / "l.fasta").write_text(">b SET=test\nCC\n>a SET=train VALIDATION=True\nHHC\n")
    (tmp_path / "m.fasta").write_text(">a\n101\n>b\n11\n")
    out, summary = tmp_path / "out.parquet", tmp_path / "out.json"
    tally = prepare_dataset(
        [tmp_path / "s.fasta"],
        out,
        PrepareSettings(),
        labels=tmp_path / "l.fasta",
        masks=tmp_path / "m.fasta",
        summary=summary,
    )
    records = list(read_records(out))
    assert [(r.id, r.labels, r.mask, r.split) for r in records] == [
        ("a", "H?C", "101", "valid"),
        ("b", "CC", "11", "test"),
    ]
    header = read_header(out)
    assert (header.alphabet, header.scheme) == (PROTEIN, SS8)
    assert set(header.sources) == {"s.fasta", "l.fasta", "m.fasta"}
    content = json.loads(summary.read_text())
    assert (content["residues"], content["masked"], tally.kept) == (5, 1, 2)
    assert content["labels"]["C"] == 3


def test_prepare_reads_the_whole_pdb_set(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    source = REPOSITORY / "data" / "pdb_chains.tsv.xz"
    tally = prepare_dataset([source], out, PrepareSettings(format="tsv"))
    assert (tally.kept, tally.residues) == (21_119, 4_561_225)
    assert tally.labels["H"] == 1_538_506


def test_prepare_reads_standard_input(
    grubio: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "l.fasta").write_text(">a\nHHC\n")
    done = grubio("prepare", "-", "--labels", "l.fasta", "-o", "o.parquet", input=">a\nMKT\n")
    assert done.returncode == 0, done.stderr
    assert "1 record, 3 residues" in done.stdout
    assert next(read_records(tmp_path / "o.parquet")).labels == "HHC"


def test_a_custom_scheme_is_kept_with_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("id\tsequence\tlabels\na\tMKT\tODD\n")
    settings_ = PrepareSettings(format="tsv", scheme="disorder=O:ordered,D:disordered")
    prepare_dataset([tmp_path / "x.tsv"], tmp_path / "o.parquet", settings_)
    assert read_header(tmp_path / "o.parquet").scheme.class_names == ("ordered", "disordered")


@needs_mkdssp
@pytest.mark.parametrize("compressed", [False, True])
def test_a_structure_is_labelled_by_mkdssp(tmp_path: Path, compressed: bool) -> None:
    import gzip

    text = helix_as_pdb(16).encode()
    path = tmp_path / ("1tst.pdb.gz" if compressed else "1tst.pdb")
    path.write_bytes(gzip.compress(text) if compressed else text)
    (record,) = read_structure(path)
    assert (record.id, record.sequence) == ("1tst_A_1", "A" * 16)
    assert record.labels == "-" + "H" * 14 + "-"
    out = tmp_path / "o.parquet"
    prepare_dataset([path], out, PrepareSettings(format="structure"))
    assert next(read_records(out)).labels == "C" + "H" * 14 + "C"


@needs_mkdssp
def test_a_gap_in_a_chain_is_not_closed(tmp_path: Path) -> None:
    lines = helix_as_pdb(24).splitlines()
    kept = [x for x in lines if not (x.startswith("ATOM") and 11 <= int(x[22:26]) <= 13)]
    path = tmp_path / "1tst.pdb"
    path.write_text("\n".join(kept) + "\n")
    assert [(r.id, len(r)) for r in read_structure(path)] == [("1tst_A_1", 10), ("1tst_A_14", 11)]


@needs_mkdssp
def test_what_is_no_structure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pdb"
    path.write_text("nothing here\n")
    with pytest.raises(GrubioError, match=r"x\.pdb"):
        list(read_structure(path))


def test_missing_mkdssp_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GrubioError, match=r"mkdssp is needed.*is not installed"):
        list(read_structure(tmp_path / "x.pdb"))


def test_half_cystines_of_classic_dssp_are_cysteines(tmp_path: Path) -> None:
    rows = [("M", " "), ("a", "E"), ("P", "P"), ("b", "T")]
    body = "".join(
        f"{i:5d}{i:5d} A {letter}  {label}" + " " * 11 + "0   0  100"
        + "      0, 0.0     0, 0.0     0, 0.0     0, 0.0"
        + "   0.000 360.0 360.0 360.0 130.0    0.0    0.0    0.0\n"
        for i, (letter, label) in enumerate(rows, start=1)
    )  # fmt: skip
    path = tmp_path / "1abc.dssp"
    path.write_text("  #  RESIDUE AA STRUCTURE BP1 BP2  ACC\n" + body)
    (record,) = checked_records(read_dssp(path), PROTEIN, "error", scheme=SS8)
    assert (record.id, record.sequence, record.labels) == ("1abc_A_1", "MCPC", "CECT")


def test_dssp_in_mmcif_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1abc.cif"
    path.write_text(
        "data_1ABC\nloop_\n_dssp_struct_summary.entry_id\n_dssp_struct_summary.label_comp_id\n"
        "_dssp_struct_summary.label_asym_id\n_dssp_struct_summary.label_seq_id\n"
        "_dssp_struct_summary.secondary_structure\n"
        "1ABC MET A 5 .\n1ABC MSE A 6 H\n1ABC LYS A 9 E\n1ABC GLY BA 1 P\n"
    )
    records = list(checked_records(read_dssp(path), PROTEIN, "error", scheme=SS8))
    assert [(r.id, r.sequence, r.labels) for r in records] == [
        ("1abc_A_5", "MM", "CH"),
        ("1abc_A_9", "K", "E"),
        ("1abc_BA_1", "G", "C"),
    ]


def test_further_sets_are_left_out_and_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "x.fasta", tmp_path / "o.parquet"
    path.write_text(">a SET=train TARGET=HHC\nMKT\n>b SET=test2 TARGET=EEC\nMKT\n>c SET=pred\nMK\n")
    tally = prepare_dataset([path], out, PrepareSettings(format="tagged", scheme="ss3"))
    assert [r.id for r in read_records(out)] == ["a"]
    assert tally.left_out == {"records of set 'test2'": 1, "records of set 'pred'": 1}


@pytest.mark.parametrize(
    ("form", "scheme", "text"),
    [("fasta", "none", ">a\nMKT\n"), ("tagged", "ss3", ">a TARGET=HHC\nMKT\n")],
)
def test_an_id_of_two_files_is_refused(tmp_path: Path, form: str, scheme: str, text: str) -> None:
    files = [tmp_path / "1.fasta", tmp_path / "2.fasta"]
    for path in files:
        path.write_text(text)
    (tmp_path / "t.tsv").write_text("id\tx\na\t1,2,3\n")
    target = TargetSettings.model_validate(f"x=value@{tmp_path / 't.tsv'}")
    wanted = PrepareSettings.model_validate({"format": form, "scheme": scheme})
    with pytest.raises(GrubioError, match=r"the id is in .*1\.fasta as well") as refused:
        prepare_dataset(files, tmp_path / "o.parquet", wanted, targets=[target])
    assert (refused.value.path, refused.value.record) == (files[1], "a")


@pytest.mark.parametrize("lines", ["MKTAY\nCHHHC\n\n", "MKT\nAY\nCHH\nHC\n"])
def test_three_line_fasta_is_read(lines: str, tmp_path: Path) -> None:
    path, out = tmp_path / "x.3line", tmp_path / "o.parquet"
    path.write_text(f">a one\n{lines}>b\nGG\nEE")
    prepare_dataset([path], out, PrepareSettings(format="three-line", scheme="ss3"))
    assert [(r.sequence, r.labels, r.description) for r in read_records(out)] == [
        ("MKTAY", "CHHHC", "one"),
        ("GG", "EE", ""),
    ]
    path.write_text(">a\nMKTAY\nCHHHC\n>b\nGG\n")
    with pytest.raises(GrubioError, match="and one of labels were expected") as refused:
        prepare_dataset([path], out, PrepareSettings(format="three-line", scheme="ss3"))
    assert refused.value.line == 4


@pytest.mark.parametrize(
    "text",
    [
        # Labels alone, a low-complexity half, other lengths, three lines.
        ">a\nCCHHHHCCEEEECC\nCCHHHHCCEEEECC\n",
        ">a\nMKTAYIAKQRGW\nSSPPTTSSPPTT\n>b\nMKTAYIAKQRGW\nMK\n",
        ">a\nMKTAYIAKQRGW\nCCHHHHHHHH\n",
        ">a\nMKTAYIAKQRGW\nCCHHHHHHHHCC\nCCHHHHHHHHCC\n",
        ">P1;size=4\nMKTAYIAKQRGW*\n",
        # Residues that are not known, and repeats.
        ">a\nMKTAYIAKQRGW\nXXXXXXXXXXXX\n",
        ">a\nMKTAYIAKQRGW\nXXXXXXXXXXXX\n>b\nMKTAYIAKQRGW\nXXXXXXXXXXXX\n",
        ">a\nMKTAYIAKQRGW\nGSGSGSGSGSGS\n",
        ">a\nMKTAYIAKQRGW\nGGGGSGGGGSGG\n",
        ">a\nMKTAYIAKQRGW\nLPLPLPLPLPLP\n",
        ">a\nMKTAYIAKQRGW\nNNNNNNSNNNNN\n",
    ],
)
def test_fasta_that_only_resembles_another_layout_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.fasta").write_text(text)
    assert len(list(read_fasta(tmp_path / "x.fasta"))) == text.count(">")


@pytest.mark.skipif(not SHARED.exists(), reason="the benchmark files are not on this machine")
@pytest.mark.parametrize(("name", "scored"), [("cb513", 84_100), ("ts115", 27_501)])
def test_benchmark_tables_are_read(name: str, scored: int, tmp_path: Path) -> None:
    tally = prepare_dataset(
        [SHARED / f"{name}.tsv"],
        tmp_path / "o.parquet",
        PrepareSettings(format="tsv", columns="id,sequence,labels,mask"),
    )
    assert sum(tally.labels.values()) == scored


def test_a_chromosome_is_held_in_few_copies(tmp_path: Path) -> None:
    size = 6_000_000
    path = tmp_path / "long.fna"
    path.write_text(">long\n" + ("ACGTN" * 12 + "\n") * (size // 60))
    tracemalloc.start()
    try:
        for record in checked_records(read_fasta(path), DNA, "error"):
            assert len(record) == size
            held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Biopython keeps the lines of a record, of 60 letters and 49 bytes more, beside its text.
    assert held < 3.5 * size
    assert peak < 4.5 * size


@pytest.mark.parametrize("name", [n for n, known in INPUT_FORMATS.items() if known.reader])
def test_the_table_of_input_formats_names_their_readers(name: str) -> None:
    known = INPUT_FORMATS[name]
    reader = pkgutil.resolve_name(f"grubio.readers.{known.reader}")
    arguments = inspect.signature(reader).parameters
    assert next(iter(arguments)) == "path"
    assert ("left_out" in arguments) == known.counts


def test_an_entry_of_the_table_is_all_that_an_input_format_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = InputFormat("two lines below the header", "three_line_fasta.read_three_line_fasta")
    monkeypatch.setitem(INPUT_FORMATS, "new", entry)
    settings = PrepareSettings(scheme="ss3").model_copy(update={"format": "new"})
    path, out = tmp_path / "x", tmp_path / "o.parquet"
    path.write_text(">a\nMKTAY\nCHHHC\n")
    prepare_dataset([path], out, settings)
    assert [r.labels for r in read_records(out)] == ["CHHHC"]
    assert "`new` (two lines below the header)" in described_input_formats()
