"""DSSP output: the classic format with fixed columns, and mmCIF with DSSP's assignments.

One record for each unbroken stretch of a chain, named ``<entry>_<chain>_<first residue number>``:
a gap in the chain, ``!`` in the classic format, is not closed. Lower-case residues of the classic
format are half-cystines and read as C. Without a structure a residue is coil. Of several residues
at one place the first is read.

Classic format: Kabsch and Sander, Biopolymers 22:2577 (1983), and the long chain names that mkdssp
adds at the end of a line. mmCIF: ``_dssp_struct_summary`` of mkdssp 4.3 and later, with a row for
each residue, and ``_struct_conf`` of mkdssp 4.0 to 4.2, with a row for each run. The latter has one
type for strands and bridges; a run of one residue is taken for a bridge. In both a gap is where the
numbers leave one, or where the atoms do.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from grubio.errors import GrubioError
from grubio.sequences.record import Record
from grubio.text import read_text

if TYPE_CHECKING:
    import gemmi

BACKBONE = ("N", "CA", "C", "O")
FURTHER_RESIDUES = "further residues at one place"
LONE_RESIDUES = "amino acids outside of polymers"
_HEADER = "  #  RESIDUE AA STRUCTURE"
_SUMMARY = "_dssp_struct_summary."
_CONFORMATIONS = {
    "HELX_RH_AL_P": "H",
    "HELX_RH_3T_P": "G",
    "HELX_RH_PI_P": "I",
    "HELX_LH_PP_P": "P",
    "STRN": "E",
    "TURN_TY1_P": "T",
    "BEND": "S",
    "OTHER": "-",
}
_LONGEST_BOND = 2.5
"""Angstrom from C to N; where they are farther apart, mkdssp says that the chain is broken."""
_PROTONATION_STATES = {
    **dict.fromkeys(("HSD", "HSE", "HSP", "HID", "HIE", "HIP"), "H"),
    **dict.fromkeys(("CYX", "CYM"), "C"),
    **{"ASH": "D", "GLH": "E", "LYN": "K"},
}
_GEMMI_LINE = re.compile(r"string:(\d+)(?::\d+\(\d+\))?:? *(.*)", re.DOTALL)


class DsspResidue(NamedTuple):
    """A residue with its label.

    Attributes
    ----------
    chain, number
        Name of the chain, and number of the residue with its insertion code.
    place
        Rises by one along an unbroken stretch.
    letter, label
        One letter each.
    """

    chain: str
    number: str
    place: int
    letter: str
    label: str


def read_dssp(path: str | Path, left_out: Counter[str] | None = None) -> Iterator[Record]:
    """Yield the stretches of a DSSP file.

    Parameters
    ----------
    path
        The file, plain or compressed.
    left_out
        Counts the residues that share a place with another.

    Raises
    ------
    GrubioError
        With the line, if it is not DSSP output, is cut off, has no residues, or has one twice.
    """
    text, left_out = read_text(path), Counter() if left_out is None else left_out
    if f"\n{_HEADER}" in f"\n{text}":
        residues = classic_residues(text, path)
    elif re.search(r"^data_", text, re.MULTILINE | re.IGNORECASE):
        residues = _mmcif_residues(text, path, left_out)
    else:
        raise GrubioError("is not DSSP output", path=path, hint="make it with: mkdssp INPUT OUTPUT")
    yield from stretches_of(residues, path, left_out)


def stretches_of(
    residues: Iterable[DsspResidue], path: str | Path, left_out: Counter[str]
) -> Iterator[Record]:
    """Yield the unbroken stretches of the chains of a file.

    Raises
    ------
    GrubioError
        If there are no residues, or one occurs twice.
    """
    stretch: list[DsspResidue] = []
    seen: set[tuple[str, str]] = set()
    for residue in residues:
        key = residue.chain, residue.number
        if stretch and key == (stretch[-1].chain, stretch[-1].number):
            left_out[FURTHER_RESIDUES] += 1
            continue
        if key in seen:
            raise _occurs_twice(residue.number, residue.chain, path)
        seen.add(key)
        if stretch and (residue.chain, residue.place) != (stretch[-1].chain, stretch[-1].place + 1):
            yield _record(stretch, path)
            stretch = []
        stretch.append(residue)
    if not stretch:
        raise GrubioError("has no residues", path=path)
    yield _record(stretch, path)


def _occurs_twice(number: str, chain: str, path: str | Path) -> GrubioError:
    return GrubioError(
        f"residue {number} of chain {chain or '-'} occurs twice",
        path=path,
        hint="if the file holds several models or entries, give each a file of its own; give each "
        "chain a letter of its own",
    )


def classic_residues(text: str, path: str | Path) -> Iterator[DsspResidue]:
    """Yield the residues of the classic format; see :func:`read_dssp`."""
    announced = re.search(r"^ *(\d+) .* TOTAL NUMBER OF RESIDUES", text, re.MULTILINE)
    lines = enumerate(text.split("\n"), start=1)
    header = next(line for _, line in lines if line.startswith(_HEADER))
    # Chain names of several letters come after the coordinates.
    width = len(header.partition(" CHAIN")[0].rstrip())
    place = found = 0
    previous = ("", "")
    for number, line in lines:
        if not line.strip():
            continue
        if line[13:14] == "!":
            place += 1
            continue
        residue = _classic_residue(line, width, place)
        if residue is None:
            raise GrubioError("is not a line of DSSP output, or is cut off", path=path, line=number)
        found += 1
        place += (residue.chain, residue.number) != previous
        previous = residue.chain, residue.number
        yield residue._replace(place=place)
    if announced and int(announced[1]) > found:
        raise GrubioError(
            f"is cut off: it has {found} residues, and says that there are {announced[1]}",
            path=path,
        )


def _classic_residue(line: str, width: int, place: int) -> DsspResidue | None:
    number, insertion, chain = line[5:10], line[10:11], line[11:12]
    letter, label = line[13:14], line[16:17]
    if len(line) < width or not letter.isalpha() or not re.fullmatch(r" *-?\d+", number):
        return None
    if chain == ">":
        names = line[width:].split()
        if not names:
            return None
        # mmCIF's own name of the chain, and that of the authors, which the classic column has.
        chain = names[1] if len(names) > 1 else names[0]
    letter = "C" if letter.islower() else letter
    label = label.strip() or "-"
    return DsspResidue(
        chain.strip() or "-", f"{number.strip()}{insertion.strip()}", place, letter, label
    )


def letter_of(name: str) -> str:
    """Return the letter of a residue from its name in the PDB; that of its parent if modified.

    Names that AMBER and CHARMM give to states of protonation are read too.

    Examples
    --------
    >>> [letter_of(name) for name in ("MSE", "SEC", "TPO", "HSD", "UNK", "ACE")]
    ['M', 'U', 'T', 'H', 'X', 'X']
    """
    import gemmi
    from Bio.Data.PDBData import protein_letters_3to1_extended

    # Biopython's table has a thousand names, but neither SEC nor PYL.
    known = gemmi.find_tabulated_residue(name)
    letter = known.one_letter_code.upper().strip() if known.is_amino_acid() else ""
    letter = letter or _PROTONATION_STATES.get(name, "X")
    return str(protein_letters_3to1_extended.get(name, letter))


def gemmi_error(error: Exception, path: str | Path) -> GrubioError:
    """Return what gemmi found wrong with a file, with the line."""
    found = _GEMMI_LINE.match(str(error))
    line, problem = (int(found[1]), found[2]) if found else (None, str(error))
    return GrubioError(f"is damaged or cut off: {problem}", path=path, line=line)


def _mmcif_residues(text: str, path: str | Path, left_out: Counter[str]) -> Iterator[DsspResidue]:
    import gemmi

    try:
        blocks = list(gemmi.cif.read_string(text))
    except (RuntimeError, ValueError) as error:
        raise gemmi_error(error, path) from error
    found = False
    for block in blocks:
        table = block.find(
            _SUMMARY, ["label_asym_id", "label_seq_id", "label_comp_id", "secondary_structure"]
        )
        if len(table):
            structure = _structure(block, path)
            yield from _with_gaps(_summary_residues(table, text, path), structure)
        elif "DSSP" in block.find_values("_struct_conf_type.criteria"):
            yield from _residues_of_runs(block, path, left_out)
        else:
            continue
        found = True
    if not found:
        raise GrubioError(
            "is mmCIF without DSSP's assignments",
            path=path,
            hint="read it with --format structure, which runs mkdssp",
        )


def _summary_residues(table: gemmi.cif.Table, text: str, path: str | Path) -> Iterator[DsspResidue]:
    import gemmi

    for row in table:
        chain, number, name, label = (gemmi.cif.as_string(cell) for cell in row)
        if not re.fullmatch(r"\d+", number):
            cells = list(row)
            lines = enumerate(text.split("\n"), start=1)
            line = next((n for n, x in lines if set(cells) <= set(x.split())), None)
            raise GrubioError(
                f"residue {name} of chain {chain} has the number '{row[1]}' (label_seq_id)",
                path=path,
                line=line,
                hint="take out the residues that belong to no chain",
            )
        yield DsspResidue(chain or "-", number, int(number), letter_of(name), label or "-")


def _residues_of_runs(
    block: gemmi.cif.Block, path: str | Path, left_out: Counter[str]
) -> Iterator[DsspResidue]:
    import gemmi

    runs: dict[str, list[tuple[int, int, str]]] = {}
    columns = ["conf_type_id", "beg_label_asym_id", "beg_label_seq_id", "end_label_seq_id"]
    try:
        for kind, chain, first, last in block.find("_struct_conf.", columns):
            label = _CONFORMATIONS.get(kind, "-")
            ends = int(first), int(last)
            label = "B" if label == "E" and ends[0] == ends[1] else label
            runs.setdefault(gemmi.cif.as_string(chain), []).append((*ends, label))
    except (RuntimeError, ValueError) as error:
        raise gemmi_error(error, path) from error
    structure = _structure(block, path)
    yield from _with_gaps(_in_runs(amino_acids(structure, path, left_out), runs), structure)


def _in_runs(
    residues: Iterable[tuple[gemmi.Residue, str]],
    runs: Mapping[str, Sequence[tuple[int, int, str]]],
) -> Iterator[DsspResidue]:
    for residue, _ in residues:
        chain, number = residue.subchain, residue.label_seq
        if number is not None:
            labels = (text for first, last, text in runs.get(chain, ()) if first <= number <= last)
            label = next(labels, "-")
            yield DsspResidue(chain, str(number), number, letter_of(residue.name), label)


def _structure(block: gemmi.cif.Block, path: str | Path) -> gemmi.Structure:
    import gemmi

    try:
        return gemmi.make_structure_from_block(block)
    except (RuntimeError, ValueError) as error:
        raise gemmi_error(error, path) from error


def _with_gaps(
    residues: Iterable[DsspResidue], structure: gemmi.Structure
) -> Iterator[DsspResidue]:
    """Count the places on where the chain is broken.

    In mmCIF made from a PDB file without SEQRES the residues are numbered through all gaps.
    """
    atoms = {
        (residue.subchain, str(residue.label_seq)): residue
        for chain in (structure[0] if len(structure) else ())
        for residue in chain
    }
    gaps = 0
    previous = ("", "")
    for residue in residues:
        key = residue.chain, residue.number
        if key != previous and previous in atoms and key in atoms:
            gaps += _is_broken(atoms[previous], atoms[key])
        yield residue._replace(place=residue.place + gaps)
        previous = key


def _is_broken(before: gemmi.Residue, after: gemmi.Residue) -> bool:
    carbon, nitrogen = before.find_atom("C", "*"), after.find_atom("N", "*")
    return bool(carbon and nitrogen and carbon.pos.dist(nitrogen.pos) > _LONGEST_BOND)


def amino_acids(
    structure: gemmi.Structure, path: str | Path, left_out: Counter[str]
) -> Iterator[tuple[gemmi.Residue, str]]:
    """Yield the residues of the first model whose backbone is complete, and their chains.

    Of several residues at one place the most occupied is taken; ``left_out`` counts the others, and
    amino acids that belong to no polymer.

    Raises
    ------
    GrubioError
        If gemmi has taken two residues of one name and number for one.
    """
    # A modified residue ends no chain, whether or not the file says where its chains end.
    structure.assign_het_flags("A")
    structure.setup_entities()
    for chain in structure[0] if len(structure) else ():
        residues = _in_chain(chain, left_out)
        for _, at_one_place in itertools.groupby(residues, key=lambda one: str(one.seqid)):
            choice = list(at_one_place)
            if len(choice) > 1:
                left_out[FURTHER_RESIDUES] += len(choice) - 1
            residue = max(choice, key=lambda one: one.find_atom("CA", "*").occ)
            alternatives = [atom.altloc for atom in residue if atom.name == "CA"]
            if len(alternatives) > len(set(alternatives)):
                raise _occurs_twice(str(residue.seqid), chain.name, path)
            yield residue, chain.name


def _in_chain(chain: gemmi.Chain, left_out: Counter[str]) -> Iterator[gemmi.Residue]:
    import gemmi

    # A chain of the authors may be several polymers of mmCIF.
    for residue in chain:
        if all(residue.find_atom(name, "*") for name in BACKBONE):
            if residue.entity_type == gemmi.EntityType.Polymer:
                yield residue
            else:
                left_out[LONE_RESIDUES] += 1


def _record(stretch: Sequence[DsspResidue], path: str | Path) -> Record:
    entry, first = Path(path).name.partition(".")[0], stretch[0]
    return Record(
        re.sub(r"\s", "_", f"{entry}_{first.chain}_{first.number}"),
        "",
        "".join(residue.letter for residue in stretch),
        "".join(residue.label for residue in stretch),
    )
