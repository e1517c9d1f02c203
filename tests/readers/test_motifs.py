"""Files of motifs, as their makers write them, and what is wrong with some."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from Bio import motifs as bio_motifs
from Bio.motifs import jaspar, transfac

from conftest import REPOSITORY
from grubio.errors import GrubioError
from grubio.readers.motifs import read_database

CASES = REPOSITORY.parent / "shared" / "cases"
SHARES = np.array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.5, 0.5, 0.0], [0.1, 0.2, 0.3, 0.4]])
ROWS = "".join(" ".join(map(str, row)) + "\n" for row in SHARES)
COUNTED = (SHARES * 10).round().astype(int)
MEME = f"MEME version 4\n\nALPHABET= ACGT\n\nMOTIF x\nletter-probability matrix:\n{ROWS}"
LETTERED = "".join(
    f"{letter} [ {' '.join(map(str, row))} ]\n"
    for letter, row in zip("ACGT", COUNTED.T, strict=True)
)
BARE = "".join(" ".join(map(str, row)) + "\n" for row in COUNTED.T)
TABLE = "".join(f"{n:02d}  {' '.join(map(str, row))}  N\n" for n, row in enumerate(COUNTED, 1))
TRANSFAC = f"AC  M1\nXX\nID  x\nXX\nP0  A C G T\n{TABLE}XX\n//\n"
GOOD = {
    "meme": MEME,
    "meme_without_background_of_few_sites": MEME.replace("matrix:", "matrix: w= 3 nsites= 1"),
    "meme_with_more_after_it": MEME + "URL http://x\n",
    "meme_of_rna": MEME.replace("ACGT", "ACGU"),
    "meme_like_dna": MEME.replace("ALPHABET= ACGT", 'ALPHABET "mine" DNA-LIKE\nEND ALPHABET'),
    "jaspar": f">M1 x\n{LETTERED}",
    "jaspar_of_rna": f">M1\tx\n{LETTERED.replace('T [', 'U [')}",
    "jaspar_bare": f">M1 x\n{BARE}",
    "jaspar_other_order": ">M1 x\n" + "".join(sorted(LETTERED.splitlines(True), reverse=True)),
    "four_rows_with_bars": f"> x\n{LETTERED.replace('[', '|').replace(']', '')}",
    "homer": f">ACG\tx\t6.0\t-1e3\t0\t9.0,5.0\n{ROWS}",
    "columns": f"# a comment\n>x\n{ROWS}",
    "transfac": TRANSFAC,
    "transfac_po_of_rna": TRANSFAC.replace("P0  A C G T", "PO\tA\tC\tG\tU"),
    "transfac_other_order": "ID x\nP0 T G C A\n"
    + "".join(f"{n} {' '.join(map(str, row[::-1]))}\n" for n, row in enumerate(COUNTED)),
    "cis_bp": f"Motif\tx\nPos\tA\tC\tG\tT\n{TABLE}",
}


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_the_same_matrix(name: str, tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_text(GOOD[name])
    (found,) = read_database(path).items()
    assert found[0] == "x"
    assert found[1] == pytest.approx(SHARES)
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + GOOD[name].replace("\n", "\r\n").encode()))
    assert list(read_database(path)) == ["x"]


BAD = {
    "empty": ("", "cannot be read as motifs"),
    "fasta": (">x\nACGT\n", "line 2: 'ACGT' is not a number"),
    "sites": ("ACGT\nACGA\n", "cannot be read as motifs: the format is not known"),
    "no_motif": ("MEME version 4\n\nALPHABET= ACGT\n", "holds no motifs"),
    "no_matrix": (MEME.replace("MOTIF x", "MOTIF y\n\nMOTIF x"), "line 5: motif 'y' has no matrix"),
    "scores_alone": (MEME.replace("letter-probability", "log-odds"), "'x' has no matrix"),
    "protein": (MEME.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY"), "line 3: the motifs are not of DNA"),
    "protein_like": (MEME.replace("= ACGT", ' "P" PROTEIN-LIKE'), "line 3: the motifs are not of"),
    "meme_cut": (MEME.replace("matrix:", "matrix: w= 9"), "has 3 rows of four numbers; w= says 9"),
    "meme_wide": (MEME.replace("0.7 0.1", "0.7 0.1 0.1"), "line 7: 5 numbers at a place"),
    "jaspar_three_rows": (f">a\n{LETTERED[:20]}\n>b\n{LETTERED}", "'a' lacks the row of a base"),
    "jaspar_twice_a": (f">a\n{LETTERED.replace('C [', 'A [')}", "'a' lacks the row of a base"),
    "jaspar_ragged": (f">a\n{LETTERED.replace('7 ', '')}", "rows of motif 'a' differ in length"),
    "jaspar_header_alone": (">a b\n", "line 1: motif 'b' has no matrix"),
    "neither": (">a\n1 2 3\n1 2 3\n", "neither four rows"),
    "scores": (f">a\tb\t1\n{ROWS.replace('0.7', '-0.7')}", "line 2: -0.7 is neither a count nor"),
    "nan": (f">a\n{LETTERED.replace('7', 'nan')}", "line 2: nan is neither"),
    "transfac_columns": (TRANSFAC.replace("A C G T", "A C D E"), "line 5: the columns of the"),
    "transfac_short": (TRANSFAC.replace("01  7 1 1 1  N", "01  7 1"), "line 6: 2 numbers at a"),
    "transfac_empty": (TRANSFAC.replace(TABLE, ""), "line 5: motif 'x' has no matrix"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "database"
    text, expected = BAD[name]
    path.write_text(text)
    with pytest.raises(GrubioError) as caught:
        read_database(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_two_motifs_of_one_name_and_identifier_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_text(f">M1 x\n{LETTERED}>M1 x\n{LETTERED}>M2 x\n{LETTERED}")
    assert list(read_database(path)) == ["x (motif 1)", "x (motif 2)", "x (M2)"]


@pytest.mark.parametrize("form", ["jaspar", "transfac", "clusterbuster"])
def test_what_biopython_writes_is_read(form: str, tmp_path: Path) -> None:
    sites = ["TATAAT", "TATACT", "TAGAAT", "GATACT"]
    motif = bio_motifs.create(sites)
    motif.name = "pribnow"
    if form == "jaspar":
        motif = jaspar.Motif("MA0001.1", "pribnow", alphabet="ACGT", counts=motif.counts)
    if form == "transfac":
        motif = transfac.Motif(alphabet="ACGT", counts=motif.counts)
        motif["ID"] = "pribnow"
    path = tmp_path / "database"
    path.write_text(bio_motifs.write([motif], form))
    (found,) = read_database(path).items()
    expected = np.array([motif.counts[letter] for letter in "ACGT"], dtype=float).T / len(sites)
    assert found[0] == "pribnow"
    assert found[1] == pytest.approx(expected)


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not on this machine")
def test_the_homer_case_is_read() -> None:
    (found,) = read_database(CASES / "homer.motif").items()
    assert (found[0], found[1].shape) == ("CRP", (22, 4))
    assert found[1][0] == pytest.approx([0.85, 0.05, 0.05, 0.05])
