"""DSSP output: the classic format with fixed columns, and mmCIF with ``_dssp_struct_summary``.

One record for each unbroken stretch of a chain, named ``<entry>_<chain>_<first residue number>``:
a gap in the chain, ``!`` in the classic format, is not closed. Lower-case residues of the classic
format are half-cystines and read as C. A blank structure is coil.

Classic format: Kabsch and Sander, Biopolymers 22:2577 (1983), read by ``Bio.PDB.DSSP``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.sequences.record import Record


class _Residue(NamedTuple):
    chain: str
    number: str
    # Rises by one along an unbroken stretch.
    place: int
    letter: str
    label: str


def read_dssp(path: str | Path, entry: str | None = None) -> Iterator[Record]:
    """Yield the stretches of a DSSP file.

    Parameters
    ----------
    path
        The file, plain or compressed.
    entry
        First part of the ids; the file's name without its endings by default.

    Raises
    ------
    GrubioError
        If it is no DSSP output or has no residues.
    """
    with open_input(path) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace").read()
    residues = list(_mmcif(text, path) if text.startswith("data_") else _classic(text, path))
    if not residues:
        raise GrubioError("has no residues", path=path)
    for stretch in _stretches(residues):
        first = stretch[0]
        yield Record(
            f"{entry or entry_name(path)}_{first.chain}_{first.number}",
            "",
            "".join(residue.letter for residue in stretch),
            "".join(residue.label for residue in stretch),
        )


def entry_name(path: str | Path) -> str:
    """Return a file's name without its endings.

    Examples
    --------
    >>> entry_name("pdb/1abc.cif.gz")
    '1abc'
    """
    return Path(path).name.partition(".")[0]


def _classic(text: str, path: str | Path) -> Iterator[_Residue]:
    from Bio.PDB.DSSP import _make_dssp_dict

    if "#  RESIDUE AA STRUCTURE" not in text:
        raise GrubioError("is not DSSP output", path=path, hint="make it with: mkdssp INPUT OUTPUT")
    found, keys = _make_dssp_dict(io.StringIO(text))
    for key in keys:
        chain, (_, number, insertion) = key
        letter, label, place = found[key][0], found[key][1], found[key][5]
        letter = "C" if letter.islower() else letter
        yield _Residue(chain, f"{number}{insertion.strip()}", int(place), letter, label)


def _mmcif(text: str, path: str | Path) -> Iterator[_Residue]:
    from Bio.Data.PDBData import protein_letters_3to1_extended
    from Bio.PDB.MMCIF2Dict import MMCIF2Dict

    table = MMCIF2Dict(io.StringIO(text))
    prefix = "_dssp_struct_summary."
    names = ("label_asym_id", "label_seq_id", "label_comp_id", "secondary_structure")
    if any(prefix + name not in table for name in names):
        raise GrubioError(
            "is mmCIF without DSSP's assignments",
            path=path,
            hint="read it with --format structure, which runs mkdssp",
        )
    for chain, number, residue, label in zip(*(table[prefix + n] for n in names), strict=True):
        letter = protein_letters_3to1_extended.get(residue, "X")
        yield _Residue(chain, number, int(number), letter, "-" if label in ".?" else label)


def _stretches(residues: Iterable[_Residue]) -> Iterator[Sequence[_Residue]]:
    stretch: list[_Residue] = []
    for residue in residues:
        if stretch and (residue.chain, residue.place) != (stretch[-1].chain, stretch[-1].place + 1):
            yield stretch
            stretch = []
        stretch.append(residue)
    if stretch:
        yield stretch
