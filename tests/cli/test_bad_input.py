"""Bad input, each kind named after its defect: exit code 2, one message, nothing left behind."""

from __future__ import annotations

import gzip
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

Runner = Callable[..., subprocess.CompletedProcess[str]]

GOOD = ">a one\nMKTAYIAKQR\n>b\nGSHMGLEDPV\n"
MANY = "".join(f">r{i}\nMKTAYIAKQR\n" for i in range(1000))
LABELS = ">a\nCCHHHHHHCC\n>b\nCCEEEEEECC\n"

# Content of the FASTA file, and what the message has to name.
BAD_SEQUENCES: dict[str, tuple[bytes, list[str]]] = {
    "fasta_empty": (b"", ["holds no records"]),
    "fasta_blank": (b"\n\n", ["holds no records"]),
    "fasta_no_header": (b"MKTAYIAKQR\n", ["line 1", "before the first header"]),
    "fasta_no_id": (b">\nMKT\n", ["no id"]),
    "fasta_duplicate_id": (b">a\nMKT\n>b\nMKT\n>a\nGGG\n", ["'a'", "records 1 and 3"]),
    "fasta_empty_record": (b">a\nMKTAY\n>b\n>c\nMKT\n", ["'b'", "no sequence"]),
    "fasta_gap": (b">a\nMKT-AY\n", ["'a'", "position 4", "'-'"]),
    "fasta_stop_inside": (b">a\nMKT*AY\n", ["'a'", "position 4", "'*'"]),
    "fasta_digit": (b">a\nMK7AY\n", ["'a'", "position 3", "'7'"]),
    "fasta_non_ascii_residue": (">a\nMK\u00c9AY\n".encode(), ["'a'", "position 3"]),
    "fasta_non_ascii_id": (">\u00e9\nMKAY\n".encode(), ["ASCII"]),
    "fasta_latin1": (b">a caf\xe9\nMKAY\n", ["line 1", "0xe9"]),
    "fasta_mixed_line_ends": (b">a\nMKT\rMKT\n", ["line 2", "line end of another kind", "tr "]),
    "fasta_invisible_letter": (">a\nMK\u200bT\n".encode(), ["line 2", "ZERO WIDTH SPACE"]),
    "pir": (b">P1;HBA\nalpha chain\nMQIFVKTLTG*\n", ["line 1", "PIR", "SeqIO.convert"]),
    "pir_without_end": (b">P1;HBA\nalpha chain\nMQIFVKTLTG\n", ["line 1", "PIR", "end each"]),
    "three_line": (b">a\nMKTAYIAKQRGW\nCCHHHHHHHHCC\n", ["line 3", "three-line", "awk"]),
    "three_line_wrapped": (
        b">a\nMKTAYIAK\nQRGW\nCCHHHHHH\nHHCC\n",
        ["line 4", "three-line"],
    ),
    "swiss_prot": (b"ID   A_HUMAN     Reviewed;   20 AA.\n", ["line 1", "ID   A_HUMAN", "'swiss'"]),
    "old_comment": (b"; a comment\n>a\nMKTAY\n", ["line 1", "'; a comment'"]),
    "utf16_no_mark": (">a\nMKTAY\n".encode("utf-16-be"), ["UTF-16", "iconv -f UTF-16BE"]),
    "tar": (b"x.fa".ljust(257, b"\0") + b"ustar\0" + b"00\n>a\nMK\n", ["tar archive", "tar -xf"]),
    "tar_gz": (
        gzip.compress(b"x.fa".ljust(257, b"\0") + b"ustar  \0\n>a\nMK\n"),
        ["tar archive", "tar -xf"],
    ),
    "genbank": (b"LOCUS       AB1   10 aa\n", ["line 1", "genbank", "SeqIO.convert"]),
    "excel": (b"\xd0\xcf\x11\xe0rest", ["Excel"]),
    "fasta_binary": (b">a\nMK\x00\x01AY\n", ["line 2", "binary"]),
    "fasta_truncated_gz": (gzip.compress(MANY.encode())[:-20], ["cut off or damaged"]),
    "fasta_truncated_xz": (lzma.compress(MANY.encode())[:-20], ["cut off or damaged"]),
    "fasta_truncated_zstd": (
        pyarrow.compress(MANY.encode(), "zstd", asbytes=True)[:-4],
        ["cut off or damaged"],
    ),
    "fasta_damaged_bz2": (b"BZh9" + b"x" * 90, ["cut off or damaged"]),
    "fasta_zip": (b"PK\x03\x04rest", ["ZIP archive", "--member"]),
    "dna_for_protein": (b">a\n" + b"ACGT" * 30 + b"\n", ["looks like DNA"]),
}

GOOD_SEQUENCES: dict[str, bytes] = {
    "fasta_old_mac": GOOD.replace("\n", "\r").encode(),
    "fasta_utf16": GOOD.encode("utf-16"),
    "fasta_crlf": GOOD.replace("\n", "\r\n").encode(),
    "fasta_bom": b"\xef\xbb\xbf" + GOOD.encode(),
    "fasta_lowercase": GOOD.replace("MKTAYIAKQR", "mktayiakqr").encode(),
    "fasta_wrapped": GOOD.replace("MKTAYIAKQR", "MKTAY\nIAKQ R").encode(),
    "fasta_blank_lines": GOOD.replace("\n", "\n\n").encode(),
    "fasta_no_final_newline": GOOD.rstrip().encode(),
    "fasta_gz": gzip.compress(GOOD.encode()),
    "fasta_zstd": pyarrow.compress(GOOD.encode(), "zstd", asbytes=True),
    "fasta_xz": lzma.compress(GOOD.encode()),
    "fasta_non_ascii_description": GOOD.replace("one", "\u03b1-helix").encode(),
}


def assert_refused(done: subprocess.CompletedProcess[str], names: list[str], folder: Path) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    for name in names:
        assert name in done.stderr
    assert not [path.name for path in folder.iterdir() if path.name.startswith((".out", "out"))]


def prepare_options(folder: Path) -> list[str]:
    (folder / "labels.fasta").write_text(LABELS)
    return ["--labels", "labels.fasta", "--output", "out.parquet"]


@pytest.mark.parametrize("defect", BAD_SEQUENCES)
def test_predict_refuses(defect: str, grubio: Runner, run_folder: Path, tmp_path: Path) -> None:
    content, names = BAD_SEQUENCES[defect]
    (tmp_path / "in.fasta").write_bytes(content)
    arguments = ["in.fasta", "--model", run_folder / "model", "--output", "out.tsv"]
    assert_refused(grubio("predict", *arguments), ["in.fasta", *names], tmp_path)


@pytest.mark.parametrize(
    "defect", ["fasta_empty", "fasta_no_header", "fasta_gap", "fasta_truncated_gz"]
)
def test_prepare_refuses(defect: str, grubio: Runner, tmp_path: Path) -> None:
    content, names = BAD_SEQUENCES[defect]
    (tmp_path / "in.fasta").write_bytes(content)
    options = prepare_options(tmp_path)
    if defect == "fasta_gap":
        (tmp_path / "labels.fasta").write_text(">a\nCCCCCC\n")
    elif defect.startswith("fasta_truncated"):
        (tmp_path / "labels.fasta").write_text(MANY.replace("MKTAYIAKQR", "CCHHHHHHCC"))
    done = grubio("prepare", "in.fasta", *options)
    assert_refused(done, ["in.fasta", *names], tmp_path)


@pytest.mark.parametrize("kind", GOOD_SEQUENCES)
def test_harmless_variants_are_read(
    kind: str, grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_bytes(GOOD_SEQUENCES[kind])
    (tmp_path / "plain.fasta").write_text(GOOD)
    done = grubio("predict", "in.fasta", "-m", run_folder / "model", "-f", "fasta")
    plain = grubio("predict", "plain.fasta", "-m", run_folder / "model", "-f", "fasta")
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain.stdout
    assert done.stdout.startswith(">a\n")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (LABELS.replace("CCHHHHHHCC", "CCHHHHHHC"), ["'a'", "10 residues but 9"]),
        (LABELS.replace("CCHHHHHHCC", "CCHHHHHHCCC"), ["'a'", "10 residues but 11"]),
        (LABELS.replace("CCHHHHHHCC", "CCHxHHHHCC"), ["'a'", "position 4", "'x'", "HGIEBTSC"]),
        (">a\nCCHHHHHHCC\n", ["labels.fasta", "'b'"]),
        (LABELS + ">c\nCC\n", ["labels.fasta", "'c'"]),
    ],
    ids=[
        "labels_too_short",
        "labels_too_long",
        "labels_unknown_letter",
        "labels_missing",
        "labels_extra",
    ],
)
def test_prepare_refuses_labels(
    labels: str, names: list[str], grubio: Runner, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(GOOD)
    options = prepare_options(tmp_path)
    (tmp_path / "labels.fasta").write_text(labels)
    assert_refused(grubio("prepare", "in.fasta", *options), names, tmp_path)


@pytest.mark.parametrize(
    ("grammar", "names"),
    [
        ('{"least": {"X": 3}}', ["'X'", "H, G, I, E, B, T, S, C"]),
        ('{"longest": {"H": 3}}', ["'longest'", "states, next, least, most, first, last"]),
        ('{"next": {"H": "H"}, "first": "H", "last": "E"}', ["no path leads through"]),
        ("{least: {H: 3}", ["grammar", "not YAML"]),
    ],
    ids=["unknown_label", "unknown_key", "no_path", "no_yaml"],
)
def test_grammars_that_are_none_are_refused(
    grammar: str, names: list[str], grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(GOOD)
    (tmp_path / "labels.fasta").write_text(LABELS)
    options = [*prepare_options(tmp_path), "--grammar", grammar]
    assert_refused(grubio("prepare", "in.fasta", *options), names, tmp_path)
    model = ["--model", run_folder / "model", "--output", "out.tsv"]
    assert_refused(grubio("predict", "in.fasta", *model, "--grammar", grammar), names, tmp_path)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("id\tsequence\nx\tMK\n", ["line 1", "no column labels"]),
        ("id\tsequence\tss8\nx\tMK\n", ["line 2", "2 cells"]),
        ("id\tsequence\tss8\nx\tMK\tCC\nx\tMK\tCC\n", ["'x'", "lines 2 and 3"]),
        ("id\tsequence\tss8\tsplit\nx\tMK\tCC\tdev\n", ["line 2", "'dev'"]),
        ("id\tsequence\tss8\tmask\nx\tMK\tCC\t1\n", ["'x'", "2 residues but 1"]),
        ("id\tsequence\tss8\tmask\nx\tMK\tCC\t12\n", ["'x'", "position 2", "'2'"]),
        ("id\tsequence\tss8\n", ["holds no records"]),
    ],
    ids=[
        "no_labels",
        "short_row",
        "duplicate_id",
        "bad_split",
        "mask_length",
        "mask_digit",
        "empty",
    ],
)
def test_prepare_refuses_tables(
    table: str, names: list[str], grubio: Runner, tmp_path: Path
) -> None:
    (tmp_path / "in.tsv").write_text(table)
    done = grubio("prepare", "in.tsv", "--format", "tsv", "--output", "out.parquet")
    assert_refused(done, ["in.tsv", *names], tmp_path)


def test_files_that_cannot_be_read_or_written(
    grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(GOOD)
    model = ["--model", run_folder / "model"]
    cases = [
        (["missing.fasta", *model, "-o", "out.tsv"], ["missing.fasta", "no such file"]),
        ([tmp_path, *model, "-o", "out.tsv"], ["is a folder"]),
        (
            ["in.fasta", *model, "-o", "/proc/nowhere/out.tsv"],
            ["/proc/nowhere", "cannot be written"],
        ),
        (["in.fasta", *model, "-o", "in.fasta/out.tsv"], ["cannot be written"]),
        (["in.fasta", *model, "-o", "/dev/full", "-f", "tsv"], ["/dev/full", "No space left"]),
        (["in.fasta", *model, "-o", "out.tsv", "-o", "./out.tsv"], ["given twice"]),
        (["in.fasta", *model, "-o", "out.tsv.gz"], ["not compressed", "leave out .gz"]),
        (["in.fasta", *model, "-o", "out.xlsx"], ["no format has the ending .xlsx", "--format"]),
        (["in.fasta", "-m", "nothing", "-o", "out.tsv"], ["no model 'nothing'"]),
        (["in.fasta", "-m", tmp_path, "-o", "out.tsv"], ["is not a model bundle"]),
        (["in.fasta", *model, "-o", "out.parquet", "--scheme", "ss9"], ["no scheme 'ss9'"]),
    ]
    for arguments, names in cases:
        assert_refused(grubio("predict", *arguments), names, tmp_path)


def test_nothing_is_said_of_an_input_that_cannot_be_read(
    grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMK7AY\n")
    for name in ("missing.fasta", "in.fasta"):
        done = grubio("predict", name, "--model", run_folder / "model")
        assert (done.returncode, done.stdout) == (2, "")


def test_a_full_disk_on_standard_output_is_told(
    grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(GOOD)
    command = (
        f"python -c 'from grubio.cli import main; main()' predict in.fasta -m {run_folder}/model"
    )
    done = subprocess.run(
        ["bash", "-c", f"{command} > /dev/full"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["train", "split"])
def test_steps_refuse_what_is_no_dataset(command: str, grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"not parquet")
    done = grubio(command, "in.parquet", "--output", "out")
    assert_refused(done, ["in.parquet", "not a Parquet file"], tmp_path)


def test_settings_out_of_bounds_are_refused(grubio: Runner, tmp_path: Path) -> None:
    done = grubio("train", "in.parquet", "--output", "out", "--dropout", "2")
    assert_refused(done, ["dropout", "less than 1"], tmp_path)


def test_skip_and_mask_keep_every_other_record_and_report(
    grubio: Runner, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKTAY\n>b\nMK-AY\n>c\nGG*GG\n>d\nMKTAY*\n>e\n")
    for policy, kept, refused in (("skip", "ad", "bce"), ("mask", "abcd", "e")):
        arguments = ["in.fasta", "-m", run_folder / "model", "-f", "fasta", "--on-invalid", policy]
        done = grubio("predict", *arguments)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.split()
        assert [name[1:] for name in lines[::2]] == list(kept)
        assert {len(labels) for labels in lines[1::2]} == {5}
        for name in refused:
            assert f"'{name}'" in done.stderr
