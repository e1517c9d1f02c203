"""Readers of alignments: what each format holds, compared with Biopython where it reads it."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pytest

from grubio.config.alignment_formats import ALIGNMENT_FORMATS
from grubio.errors import GrubioError
from grubio.profiles.archive import Archive, open_archive
from grubio.profiles.source import Profiles, with_profiles
from grubio.profiles.weighting import own_profile, profile_of_rows
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import Profile
from grubio.sequences.record import Record

ROWS = ["MKTAYIAK", "MRTA-IAR", "MKSGYLAK"]
QUERY = Record("sp|P1|A", "", ROWS[0])
WANTED = profile_of_rows(ROWS)

A3M = f"#comment\n>ss_pred\nCCCC\n>{QUERY.id} first\n{ROWS[0]}\n>b\nMRtttTA-IAR\n>b\nMKSG.YLAK\n"
STOCKHOLM = """# STOCKHOLM 1.0
#=GF ID test
sp|P1|A/1-8   MKTA.YI
b/1-7         MRTAa-I
c/1-8         MKSG.YL
#=GC RF       xxxx.xx

sp|P1|A/1-8   AK
b/1-7         AR
c/1-8         AK
#=GC RF       xx
//
"""
FASTA = f">{QUERY.id}\nMKTA-YIAK\n>b\nMRTAA-IAR\n>c\nMKSG-YLAK\n"
ORDER = "ARNDCQEGHILKMFPSTWYV"


def pssm(*rows: str) -> str:
    """A matrix as PSI-BLAST writes it of an alignment, with the scores of BLOSUM62."""
    from Bio.Align import substitution_matrices

    matrix = substitution_matrices.load("BLOSUM62")
    lines = ["", "Last position-specific scoring matrix computed, weighted observed percentages"]
    lines.append("            " + "   ".join(ORDER) + "   " + "   ".join(ORDER))
    for number, column in enumerate(zip(*rows, strict=True), 1):
        letter = column[0]
        scores = "".join(f"{int(matrix[letter, other]):4d}" for other in ORDER)
        shares = "".join(f"{100 * column.count(other) // len(rows):4d}" for other in ORDER)
        lines.append(f"{number:5d} {letter}  {scores}  {shares}  0.53 0.22")
    lines += ["", "                      K         Lambda", "PSI Ungapped  0.1334     0.3176"]
    return "\n".join(lines) + "\n"


def hhm(sequence: str, neff: float = 1.0) -> str:
    """A model as hhmake writes it, in which each residue is the one of the sequence."""
    letters = "ACDEFGHIKLMNPQRSTVWY"
    lines = ["HHsearch 1.5", f"NAME  {QUERY.id} first", f"LENG  {len(sequence)} match states"]
    lines += ["FILT  12 out of 40 sequences passed filter", f"NEFF  {neff}", "SEQ", ">q", sequence]
    lines += ["#", "NULL   3706 5728 4211", "HMM    " + "\t".join(letters)]
    lines += ["       M->M\tM->I\tM->D\tI->M\tI->I\tD->M\tD->D\tNeff\tNeff_I\tNeff_D"]
    lines += ["       0\t*\t*\t0\t*\t0\t*\t*\t*\t*"]
    for number, letter in enumerate(sequence, 1):
        cells = "\t".join("1000" if x in (letter, "W") else "*" for x in letters)
        lines.append(f"{letter} {number}    {cells}\t{number}")
        lines.append(f"       0\t*\t*\t*\t*\t*\t*\t{int(1000 * neff)}\t0\t0\t")
        lines.append("")
    return "\n".join([*lines, "//", ""])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="ascii")
    return path


def same(one: Profile | None, other: Profile) -> bool:
    assert one is not None
    return (one.sequence, one.depth, one.neff) == (
        other.sequence,
        other.depth,
        other.neff,
    ) and np.array_equal(one.stored, other.stored)


@pytest.mark.parametrize(("ending", "text"), [(".a3m", A3M), (".sto", STOCKHOLM), (".afa", FASTA)])
@pytest.mark.parametrize("folder", [False, True])
def test_an_alignment_is_read_alone_and_in_a_folder(
    ending: str, text: str, folder: bool, tmp_path: Path
) -> None:
    path = write(tmp_path / f"sp_P1_A{ending}", text)
    assert same(Profiles(tmp_path if folder else path).of(QUERY), WANTED)
    assert Profiles(tmp_path if folder else path).of(Record("other", "", "MKTAYIAR")) is None
    packed = tmp_path / "packed" / f"sp|P1|A{ending}.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(text.encode()))
    assert same(Profiles(packed.parent if folder else packed).of(QUERY), WANTED)


def test_rows_are_those_of_biopython() -> None:
    from Bio import Align, SeqIO

    (alignment,) = Align.parse(io.StringIO(FASTA), "fasta")
    assert same(profile_of_rows([alignment[number] for number in range(3)]), WANTED)
    entries = SeqIO.parse(io.StringIO(A3M[A3M.index(f">{QUERY.id}") :]), "fasta")
    rows = [re.sub("[a-z.]", "", str(entry.seq)) for entry in entries]
    assert same(profile_of_rows(rows), WANTED)


def test_many_alignments_are_in_one_file(tmp_path: Path) -> None:
    other = Record("o", "", "GSGSGSGS")
    for ending, text in {
        ".a3m": f"{A3M}\0>o\nGSGSGSGS\n\0",
        ".sto": f"{STOCKHOLM}# STOCKHOLM 1.0\no GSGSGSGS\n//\n",
        ".hhm": hhm(QUERY.sequence) + hhm(other.sequence).replace(QUERY.id, "o"),
        ".pssm": pssm(QUERY.sequence) + pssm(other.sequence),
    }.items():
        profiles = Profiles(write(tmp_path / f"many{ending}", text))
        for record in (QUERY, other):
            found = profiles.of(record)
            assert found is not None
            assert found.sequence == record.sequence
        if ending in (".a3m", ".sto"):
            assert same(profiles.of(other), own_profile(other.sequence))


@pytest.mark.parametrize("name", ["ss_1", "sa_pred_2", "aa_x"])
def test_rows_of_hh_suite_are_known_by_their_whole_names(name: str, tmp_path: Path) -> None:
    text = A3M.replace(QUERY.id, name).replace(">ss_pred", ">ss_conf by PSIPRED\n99\n>ss_pred")
    found = Profiles(write(tmp_path / "x.a3m", text)).of(Record(name, "", QUERY.sequence))
    assert same(found, WANTED)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_alignment_is_text_like_any_other(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "x.a3m"
    path.write_bytes(f"{A3M}\0>o\nGSGSGSGS\n\0".replace("\n", end).encode(encoding))
    profiles = Profiles(path)
    assert same(profiles.of(QUERY), WANTED)
    assert same(profiles.of(Record("o", "", "GSGSGSGS")), own_profile("GSGSGSGS"))
    path.write_bytes(b">a\xff\nMK\n")
    with pytest.raises(GrubioError, match="byte 0xff is not UTF-8") as refused:
        Profiles(path)
    assert refused.value.line == 1


def test_a_matrix_becomes_frequencies(tmp_path: Path) -> None:
    def read(text: str) -> Profile:
        found = Profiles(write(tmp_path / "x.pssm", text)).of(QUERY)
        assert found is not None
        assert (found.depth, found.neff) == (None, None)
        return found

    # PSI-BLAST writes no percentages where it found nothing.
    alone = own_profile(QUERY.sequence)
    for text in (pssm(QUERY.sequence), pssm(QUERY.sequence).replace(" 100", "   0")):
        assert np.allclose(read(text).frequencies, alone.frequencies, atol=2e-3)
    rows = [QUERY.sequence, "MRTAWIAR"]
    expected = profile_of_rows(rows).frequencies
    assert np.abs(expected - alone.frequencies).max() > 0.1
    assert np.allclose(read(pssm(*rows)).frequencies, expected, atol=1e-3)
    # Without percentages at all, and with scores that touch.
    touching = "    1 M    -1-10  3   0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0\n"
    text = "   ".join(ORDER) + "\n" + touching
    assert Profiles(write(tmp_path / "t.pssm", text)).of(Record("x", "", "M")) is not None


def test_a_model_keeps_depth_and_effective_number(tmp_path: Path) -> None:
    found = Profiles(write(tmp_path / "x.hhm", hhm(QUERY.sequence, 5.0))).of(QUERY)
    assert found is not None
    assert (found.depth, found.neff) == (12, 5.0)
    # Half of each column is tryptophan: 4 of 5 parts observed, 1 expected.
    column = found.frequencies[:, PROTEIN.letters.index("W")]
    assert (column > 4 / 5 / 2).all()
    alone = Profiles(write(tmp_path / "y.hhm", hhm(QUERY.sequence, 1.0))).of(QUERY)
    assert alone is not None
    assert (alone.frequencies[:, PROTEIN.letters.index("W")] < column).all()


def test_the_file_of_profiles_keeps_them_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    odd = Record("a/b\\c:d%20", "", "GSGSG")
    for target in (path, tmp_path / "again.npz"):
        with open_archive(target, {"database": "x"}) as add:
            add(QUERY.id, WANTED)
            add(odd.id, own_profile(odd.sequence))
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()
    for place in (path, tmp_path):
        assert same(Profiles(place).of(QUERY), WANTED)
        assert same(Profiles(place).of(odd), own_profile(odd.sequence))
    assert Archive(path).made == Profiles(path).made == {"database": "x"}
    # NumPy alone reads it.
    with np.load(path, allow_pickle=False) as plain:
        assert np.array_equal(plain[QUERY.id], WANTED.stored)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("x.a3m", "", "the alignment is empty"),
        ("x.a3m", ">sp|P1|A\nMK\n>b\nMKV\n", "sequence 2 of the alignment has 3 columns; 2 were"),
        ("x.a3m", ">sp|P1|A\nMK\n", "has 2 residues; 8 were expected"),
        ("x.afa", ">sp|P1|A\nMKTAYIAR\n", "has 'R' here; 'K' was expected"),
        ("x.afa", "MKTAYIAK\n", "is no FASTA: '>' was expected"),
        ("x.sto", "", "the alignment is empty"),
        ("x.sto", "# STOCKHOLM 1.0\na MK\nb M\n//\n", "is no Stockholm alignment"),
        ("x.pssm", "nothing\n", "the alignment is empty"),
        (
            "x.pssm",
            pssm("MK").replace("    2 K", "    3 K"),
            "position 2 with 40 numbers",
        ),
        ("x.sto", STOCKHOLM.replace("//", ""), "is cut off: an alignment does not end with //"),
        ("x.sto", STOCKHOLM.replace("//", "") + STOCKHOLM, "is cut off"),
        ("x.pssm", pssm("MK").rpartition("\n\n")[0], "is cut off after residue 2: 'Lambda'"),
        ("x.pssm", pssm("MK").partition("Lambda")[0] + pssm("MK"), "is cut off after residue 2"),
        ("x.pssm", pssm("MK").partition(" 2 K")[0] + " 2 ", "position 2 with 0 was found"),
        ("x.hhm", hhm("MK").replace("//", ""), "is cut off after residue 2: a model ends with //"),
        ("x.hhm", hhm("MK").replace("NEFF  1", "NEFF  x"), "line 5.*: NEFF 'x.0' is not a"),
        ("x.hhm", "nothing\n", "the alignment is empty"),
        ("x.hhm", hhm("MK").replace("\t1000\t0\t0", ""), "a match state was expected"),
        ("x.hhm", hhm("MK").replace("1000", "-9999999"), "a match state was expected"),
        ("x.txt", "x", "is in no known format of alignments"),
        ("x.npz", "x", "is damaged, or no file of profiles"),
    ],
)
def test_what_is_wrong_with_an_alignment_is_said(
    name: str, text: str, problem: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(GrubioError, match=problem) as caught:
        Profiles(path).of(QUERY)
    assert str(caught.value.path) == str(path)
    if "expected" in problem and "here" in problem:
        assert (caught.value.record, caught.value.position) == (QUERY.id, 8)


def test_faults_of_folders_and_of_given_frequencies(tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="holds no alignment"):
        Profiles(tmp_path)
    with pytest.raises(GrubioError, match="no such file"):
        Profiles(tmp_path / "missing.a3m")
    write(tmp_path / "a.a3m", A3M)
    write(tmp_path / "a.afa", FASTA)
    with pytest.raises(GrubioError, match="is for the same record as"):
        Profiles(tmp_path)
    with pytest.raises(GrubioError, match="two alignments are for this record"):
        Profiles(write(tmp_path / "b.a3m", f"{A3M}\0{A3M}\0"))
    with pytest.raises(GrubioError, match="its profile: frequencies"):
        Profiles({QUERY.id: np.ones((7, 20))}).of(QUERY)
    with pytest.raises(GrubioError, match="a row of frequencies is empty"):
        Profiles({QUERY.id: np.zeros((8, 20))}).of(QUERY)
    assert Profiles({QUERY.id: np.ones((8, 20))}).of(QUERY) is not None


def test_a_record_without_an_alignment_gets_its_own_profile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    records, profiles = [QUERY, Record("b", "", "GSG")], Profiles({QUERY.id: WANTED})
    found = [record.profile for record in with_profiles(records, profiles)]
    assert same(found[0], WANTED)
    assert same(found[1], own_profile("GSG"))
    assert "1 of 2 records have no alignment" in caplog.text
    assert [r.profile.depth for r in with_profiles(records, None) if r.profile] == [1, 1]
    with pytest.raises(GrubioError, match="has no alignment for any of the 1 records"):
        list(with_profiles(records[1:], profiles))


def test_letters_that_search_tools_replace_are_no_fault() -> None:
    given = {"a": own_profile("MCKXV")}
    assert Profiles(given).of(Record("a", "", "MUOXV")) is not None
    assert Profiles(given).of(Record("a", "", "MCKGV")) is not None


def test_endings_are_those_of_one_format() -> None:
    endings = [ending for known in ALIGNMENT_FORMATS.values() for ending in known.endings]
    assert len(endings) == len({*endings})
