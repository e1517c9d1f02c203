"""PDB and mmCIF files, plain or compressed, labelled by ``mkdssp``.

gemmi reads them. ``mkdssp`` (Debian and Ubuntu: package ``dssp``) is given the backbone alone, each
residue as alanine or proline, which is all that the assignment looks at: whatever residues,
headers and names of chains the file has, mkdssp reads it. Its output is read as in
:mod:`grubio.readers.dssp`. Of several models the first is read.
"""

from __future__ import annotations

import math
import re
import shutil
import string
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grubio.errors import GrubioError
from grubio.readers.dssp import (
    BACKBONE,
    DsspResidue,
    amino_acids,
    classic_residues,
    gemmi_error,
    letter_of,
    stretches_of,
)
from grubio.sequences.record import Record
from grubio.text import read_text

if TYPE_CHECKING:
    import gemmi

_CHAINS = string.ascii_letters + string.digits
_SCHEME_COLUMNS = (
    "asym_id entity_id seq_id mon_id ndb_seq_num pdb_seq_num auth_seq_num pdb_mon_id auth_mon_id "
    "pdb_strand_id pdb_ins_code hetero"
)
_ATOM_COLUMNS = (
    "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id "
    "label_entity_id label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy "
    "B_iso_or_equiv auth_seq_id auth_comp_id auth_asym_id auth_atom_id pdbx_PDB_model_num"
)
_MOST_RESIDUES = 99_999
"""The classic format has five digits for the number of a residue."""


def read_structure(path: str | Path, left_out: Counter[str] | None = None) -> Iterator[Record]:
    """Yield the unbroken stretches of the chains of a structure, with DSSP labels.

    Parameters
    ----------
    path
        The file.
    left_out
        Counts the residues that share a place with another, amino acids outside of polymers, and
        other models.

    Raises
    ------
    GrubioError
        If the file is damaged, a residue occurs twice, or mkdssp is not installed, fails, or finds
        no residues.
    """
    import gemmi

    program, left_out = mkdssp_program(path), Counter() if left_out is None else left_out
    try:
        text = read_text(path)
        structure = gemmi.read_structure_string(text)
        residues = list(amino_acids(structure, path, left_out))
    except (RuntimeError, ValueError) as error:
        raise gemmi_error(error, path) from error
    if not 0 < len(residues) <= _MOST_RESIDUES:
        raise GrubioError(
            f"has {len(residues)} residues with a backbone; 1 to {_MOST_RESIDUES} can be labelled",
            path=path,
        )
    if structure.input_format == gemmi.CoorFormat.Pdb:
        _check_pdb_coordinates(text, path)
    for residue, chain in residues:
        if not all(math.isfinite(x) for atom in residue for x in atom.pos.tolist()):
            raise GrubioError(
                f"residue {residue.seqid} of chain {chain} has a coordinate that is not a number",
                path=path,
            )
    if others := len(structure) - 1 + _models_behind_end(text):
        left_out["other models"] += others
    yield from stretches_of(_labelled(program, residues, path), path, left_out)


def _models_behind_end(text: str) -> int:
    # gemmi reads up to END, with which some programs end each frame of a trajectory.
    _, *others = re.split(r"^END *$", text, flags=re.MULTILINE)
    return sum(re.search(r"^(ATOM  |HETATM)", one, re.MULTILINE) is not None for one in others)


def _check_pdb_coordinates(text: str, path: str | Path) -> None:
    # gemmi reads what is not a number as 0.
    for number, line in enumerate(text.split("\n"), start=1):
        cells = [line[i : i + 8] for i in (30, 38, 46)] if line[:6] in ("ATOM  ", "HETATM") else []
        for cell in cells:
            if not re.fullmatch(r" *-?\d+\.?\d* *", cell):
                raise GrubioError(
                    f"coordinate '{cell.strip()}' is not a number", path=path, line=number
                )


def mkdssp_program(path: str | Path) -> str:
    """Return where mkdssp is; ``path`` is the structure that needs it.

    Raises
    ------
    GrubioError
        If it is not installed.
    """
    program = shutil.which("mkdssp")
    if program is None:
        raise GrubioError(
            "mkdssp is needed to label structures, and is not installed",
            path=path,
            hint="apt install dssp, or conda install -c conda-forge dssp",
        )
    return program


def _labelled(
    program: str, residues: Sequence[tuple[gemmi.Residue, str]], path: str | Path
) -> Iterator[DsspResidue]:
    with tempfile.TemporaryDirectory(prefix="grubio-dssp-") as name:
        plain, result = Path(name) / "structure.cif", Path(name) / "result.dssp"
        plain.write_text(_backbone_mmcif(residues))
        command = [program, "--output-format", "dssp", str(plain), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not result.exists():
            message = done.stderr.replace(str(plain), str(path)).strip() or "no message"
            raise GrubioError(f"mkdssp failed: {message}", path=path)
        text = read_text(result)
    for row in classic_residues(text, path):
        residue, chain = residues[int(row.number) - 1]
        number = str(residue.seqid)
        yield row._replace(chain=chain, number=number, letter=letter_of(residue.name))


def _backbone_mmcif(residues: Sequence[tuple[gemmi.Residue, str]]) -> str:
    """Return an mmCIF file that numbers the residues through all chains, from 1."""
    import gemmi

    document = gemmi.cif.Document()
    block = document.add_new_block("backbone")
    block.set_pair("_entry.id", "backbone")
    block.set_pair("_entity.id", "1")
    block.set_pair("_entity.type", "polymer")
    block.set_pair("_entity_poly.entity_id", "1")
    block.set_pair("_entity_poly.type", "polypeptide(L)")
    scheme = block.init_loop("_pdbx_poly_seq_scheme.", _SCHEME_COLUMNS.split())
    atoms = block.init_loop("_atom_site.", _ATOM_COLUMNS.split())
    # Names of several letters do not fit mkdssp's output. Only neighbours need different ones.
    names = list(dict.fromkeys(chain for _, chain in residues))
    letters = {name: _CHAINS[index % len(_CHAINS)] for index, name in enumerate(names)}
    for number, (residue, name) in enumerate(residues, start=1):
        place, chain = str(number), letters[name]
        kind = "PRO" if letter_of(residue.name) == "P" else "ALA"
        scheme.add_row([chain, "1", place, kind, place, place, place, kind, kind, chain, ".", "n"])
        alternative = max((a for a in residue if a.name == "CA"), key=lambda a: a.occ).altloc
        for index, atom_name in enumerate(BACKBONE):
            atom = residue.find_atom(atom_name, alternative) or residue.find_atom(atom_name, "*")
            x, y, z = (f"{value:.3f}" for value in atom.pos.tolist())
            atom_of = ["ATOM", str(4 * number + index), atom_name[0], atom_name, ".", kind]
            at = [chain, "1", place, "?", x, y, z, "1.00", "0.00"]
            atoms.add_row([*atom_of, *at, place, kind, chain, atom_name, "1"])
    return document.as_string()
