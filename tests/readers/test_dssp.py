from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import gemmi
import pytest

from grubio.errors import GrubioError
from grubio.readers.dssp import letter_of, read_dssp
from grubio.readers.structure import read_structure
from ideal_helix import helix_as_pdb

HEADER = "  #  RESIDUE AA STRUCTURE BP1 BP2  ACC     X-CA   Y-CA   Z-CA"
SUMMARY = (
    "data_X\nloop_\n_dssp_struct_summary.label_comp_id\n_dssp_struct_summary.label_asym_id\n"
    "_dssp_struct_summary.label_seq_id\n_dssp_struct_summary.secondary_structure\n"
)
RUNS = (
    "_struct_conf_type.id STRN\n_struct_conf_type.criteria DSSP\nloop_\n_struct_conf.conf_type_id\n"
    "_struct_conf.beg_label_asym_id\n_struct_conf.beg_label_seq_id\n_struct_conf.end_label_seq_id\n"
    "HELX_RH_AL_P {0} 2 4\nHELX_RH_3T_P {0} 5 7\nHELX_RH_PI_P {0} 8 8\nSTRN {0} 9 10\n"
    "STRN {0} 11 11\nTURN_TY1_P {0} 12 12\nBEND {0} 13 13\nHELX_LH_PP_P {0} 14 15\n"
)
needs_mkdssp = pytest.mark.skipif(shutil.which("mkdssp") is None, reason="mkdssp is not installed")


def row(number: str, chain: str, letter: str, label: str, behind: str = "") -> str:
    return f"    1{number:>5}{chain:>2} {letter}  {label}".ljust(len(HEADER), "0") + behind


def classic(folder: Path, *rows: str) -> Path:
    path = folder / "1abc.dssp"
    path.write_text("\n".join((HEADER + "            CHAIN AUTHCHAIN", *rows)) + "\n")
    return path


def cif(folder: Path, text: str) -> Path:
    path = folder / "1abc.cif"
    path.write_text(text)
    return path


def found(path: Path) -> list[tuple[str, str, str]]:
    return [(r.id, r.sequence, r.labels or "") for r in read_dssp(path)]


def test_chains_of_several_letters_are_told_apart(tmp_path: Path) -> None:
    rows = [row("1", ">", "M", "H", f"   {c}   {c}") for c in ("AA", "BB")]
    path = classic(tmp_path, *rows, row("1", ">", "G", "E", "   C   DD"))
    assert found(path) == [
        ("1abc_AA_1", "M", "H"),
        ("1abc_BB_1", "M", "H"),
        ("1abc_DD_1", "G", "E"),
    ]


def test_insertion_codes_breaks_and_residues_at_one_place(tmp_path: Path) -> None:
    rows = ("1", "M"), ("1", "K"), ("2", "T"), ("2", "W"), ("", "!"), ("-3", "A")
    lines = [row(number, "A", letter, "H") for number, letter in rows]
    lines[3] = lines[3][:10] + "B" + lines[3][11:]
    left_out: Counter[str] = Counter()
    records = list(read_dssp(classic(tmp_path, *lines), left_out))
    assert [(r.id, r.sequence) for r in records] == [("1abc_A_1", "MTW"), ("1abc_A_-3", "A")]
    assert left_out == {"further residues at one place": 1}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("nothing\n", None, "is not DSSP output"),
        (HEADER + "\n", None, "has no residues"),
        (f"{HEADER}\n{row('1', 'A', 'M', 'H')}\n{row('2', 'A', 'M', 'H')[:40]}", 3, "cut off"),
        (f"{HEADER}\n{row('x', 'A', 'M', 'H')}\n", 2, "not a line of DSSP"),
        (f"{HEADER}\n{row('1', '>', 'M', 'H')}\n", 2, "not a line of DSSP"),
        (f"{HEADER}\n{row('1', 'A', 'M', 'H')}\n{row('2', 'A', 'K', 'H')}\n" * 2, 4, "not a line"),
        (
            f"    3  1  0  0  0 TOTAL NUMBER OF RESIDUES\n{HEADER}\n{row('1', 'A', 'M', 'H')}\n",
            None,
            "it has 1 residues, and says that there are 3",
        ),
        (
            "\n".join([HEADER, *(row(n, "A", "M", "H") for n in "121")]),
            None,
            "1 of chain A occurs twice",
        ),
        (SUMMARY + "ALA A 1 H\nALA A . H\n", 8, r"ALA of chain A has the number '\.'"),
        (SUMMARY + "ALA A 1 H\nALA A\n", 2, "Wrong number of values"),
        (SUMMARY + "ALA A 1 'H\n", 7, "unterminated"),
        (SUMMARY + "ALA A 1 H\nALA A 2 H\nALA A 1 H\n", None, "1 of chain A occurs twice"),
        (
            f"{SUMMARY}ALA A 1 H\nGLY A 2 H\n{SUMMARY.replace('_X', '_Y')}ALA A 1 H\n",
            None,
            "1 of chain A occurs twice",
        ),
        ("data_X\n_a.b 1\n", None, "without DSSP's assignments"),
        ("data_X\n", None, "without DSSP's assignments"),
    ],
)
def test_damaged_files_are_refused(
    tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    with pytest.raises(GrubioError, match=message) as refused:
        list(read_dssp(cif(tmp_path, text)))
    assert refused.value.line == line


def test_mmcif_with_comments_and_two_residues_at_one_place(tmp_path: Path) -> None:
    text = f"# by X\n{SUMMARY}ALA A 1 H\nPRO A 2 .\nSER A 2 H\nGLY A 3 ?\nSEC 'B b' 1 E # last\n"
    assert found(cif(tmp_path, text)) == [("1abc_A_1", "APG", "H--"), ("1abc_B_b_1", "U", "E")]


def test_all_blocks_of_mmcif_are_read(tmp_path: Path) -> None:
    text = f"data_W\n_a.b 1\n{SUMMARY}ALA A 1 H\n{SUMMARY.replace('_X', '_Y')}GLY B 1 E\n"
    assert found(cif(tmp_path, text)) == [("1abc_A_1", "A", "H"), ("1abc_B_1", "G", "E")]


def test_runs_of_mkdssp_4_0_to_4_2_are_read(tmp_path: Path) -> None:
    structure = gemmi.read_structure_string(helix_as_pdb(16))
    structure.setup_entities()
    structure.assign_label_seq_id(force=True)
    structure[0][0][5].name = "MSE"
    chain = structure[0][0][0].subchain
    text = structure.make_mmcif_document().as_string() + RUNS.format(chain)
    path = cif(tmp_path, text)
    assert found(path) == [(f"1abc_{chain}_1", "AAAAAMAAAAAAAAAA", "-HHHGGGIEEBTSPP-")]
    # The end of a run is no number of residues to count through.
    path.write_text(text.replace(" 14 15", " 14 99999999999999999999"))
    assert found(path)[0][2] == "-HHHGGGIEEBTSPPP"


@pytest.mark.parametrize("kind", ["summary", "runs"])
def test_a_gap_that_the_numbers_of_mmcif_close_is_not_closed(tmp_path: Path, kind: str) -> None:
    # mkdssp numbers so what a PDB file without SEQRES has.
    structure = gemmi.read_structure_string(helix_as_pdb(20))
    chain = structure[0][0]
    for _ in range(3):
        del chain[10]
    structure.setup_entities()
    for number, residue in enumerate(chain, start=1):
        residue.label_seq = number
    name = chain[0].subchain
    rows = "".join(f"ALA {name} {number} H\n" for number in range(1, 18))
    labels = SUMMARY.removeprefix("data_X\n") + rows if kind == "summary" else RUNS.format(name)
    path = cif(tmp_path, structure.make_mmcif_document().as_string() + labels)
    assert [(r.id, len(r)) for r in read_dssp(path)] == [
        (f"1abc_{name}_1", 10),
        (f"1abc_{name}_11", 7),
    ]


@pytest.mark.parametrize(
    ("name", "letter"), [("MSE", "M"), ("SEC", "U"), ("PYL", "O"), ("SEP", "S"), ("TPO", "T"),
    ("PTR", "Y"), ("HYP", "P"), ("CSO", "C"), ("MLY", "K"), ("UNK", "X"), ("???", "X")],
)  # fmt: skip
def test_modified_residues_are_read_as_their_parents(name: str, letter: str) -> None:
    assert letter_of(name) == letter


def changed_helix(name: str, at: int, *, without: tuple[str, ...] = ()) -> str:
    lines = [
        f"HETATM{line[6:17]}{name:>3}{line[20:]}"
        if line.startswith("ATOM") and int(line[22:26]) == at
        else line
        for line in helix_as_pdb(16).splitlines()
    ]
    return "\n".join(line for line in lines if not line.startswith(without)) + "\n"


@needs_mkdssp
@pytest.mark.parametrize("without", [("NOTHING",), ("HEADER",), ("HEADER", "CRYST1", "TER", "END")])
@pytest.mark.parametrize("name", ["MSE", "SEP", "SEC", "ALA"])
def test_structures_are_labelled_whatever_residues_and_headers_they_have(
    tmp_path: Path, name: str, without: tuple[str, ...]
) -> None:
    path = tmp_path / "1tst.pdb"
    path.write_text(changed_helix(name, 5, without=without))
    (record,) = read_structure(path)
    assert record.sequence == "AAAA" + letter_of(name) + "A" * 11
    assert record.labels == "-" + "H" * 14 + "-"


@needs_mkdssp
def test_chains_of_several_letters_and_further_models_of_a_structure(tmp_path: Path) -> None:
    structure = gemmi.read_structure_string(helix_as_pdb(12))
    second = structure[0].add_chain(structure[0][0])
    second.name = "BBB"
    for residue in second:
        for atom in residue:
            atom.pos += gemmi.Position(50, 0, 0)
    structure.add_model(structure[0])
    structure.renumber_models()
    structure.setup_entities()
    structure.assign_label_seq_id()
    path = tmp_path / "1tst.cif"
    structure.make_mmcif_document().write_file(str(path))
    left_out: Counter[str] = Counter()
    records = list(read_structure(path, left_out))
    assert [(r.id, len(r)) for r in records] == [("1tst_A_1", 12), ("1tst_BBB_1", 12)]
    assert records[0].labels == records[1].labels == "-" + "H" * 10 + "-"
    assert left_out == {"other models": 1}


def atoms_of_helix(chain: str, letters: int = 8) -> list[str]:
    return [line for line in helix_as_pdb(letters, chain).splitlines() if line[:4] == "ATOM"]


@needs_mkdssp
@pytest.mark.parametrize("chain", ["A", " "])
@pytest.mark.parametrize("between", [["TER"], []], ids=["TER", "no TER"])
def test_two_chains_of_one_letter_are_refused(
    tmp_path: Path, chain: str, between: list[str]
) -> None:
    # Programs of molecular dynamics write homodimers so.
    first, path = atoms_of_helix(chain), tmp_path / "1tst.pdb"
    second = [f"{line[:30]}{float(line[30:38]) + 50:8.3f}{line[38:]}" for line in first]
    path.write_text("\n".join([*first, *between, *second, "END"]) + "\n")
    with pytest.raises(
        GrubioError, match=f"residue 1 of chain {chain.strip() or '-'} occurs twice"
    ):
        list(read_structure(path))


@needs_mkdssp
def test_two_polymers_of_one_chain_are_read_and_a_lone_amino_acid_is_counted(
    tmp_path: Path,
) -> None:
    structure = gemmi.read_structure_string(helix_as_pdb(20))
    structure.setup_entities()
    structure.assign_label_seq_id(force=True)
    for residue in structure[0][0]:
        number = residue.seqid.num
        if number == 20:
            residue.subchain, residue.entity_type = "L", gemmi.EntityType.NonPolymer
        elif number > 10:
            residue.subchain = "P"
            for atom in residue:
                atom.pos += gemmi.Position(50, 0, 0)
    ligand = gemmi.Entity("2")
    ligand.subchains, ligand.entity_type = ["L"], gemmi.EntityType.NonPolymer
    structure.entities[0].subchains = [structure[0][0][0].subchain, "P"]
    structure.entities.append(ligand)
    path = tmp_path / "1tst.cif"
    structure.make_mmcif_document().write_file(str(path))
    left_out: Counter[str] = Counter()
    records = list(read_structure(path, left_out))
    assert [(r.id, len(r)) for r in records] == [("1tst_A_1", 10), ("1tst_A_11", 9)]
    assert left_out == {"amino acids outside of polymers": 1}


@needs_mkdssp
def test_what_stands_behind_end_is_counted(tmp_path: Path) -> None:
    frame, path = [*atoms_of_helix("A"), "END"], tmp_path / "1tst.pdb"
    path.write_text("\n".join(frame * 3) + "\n")
    left_out: Counter[str] = Counter()
    assert [len(record) for record in read_structure(path, left_out)] == [8]
    assert left_out == {"other models": 2}


@needs_mkdssp
def test_of_two_residues_at_one_place_the_most_occupied_is_read(tmp_path: Path) -> None:
    lines = helix_as_pdb(12).splitlines()
    at = [i for i, x in enumerate(lines) if x.startswith("ATOM") and int(x[22:26]) == 6]
    one = [f"{lines[i][:16]}A{lines[i][17:56]}0.40{lines[i][60:]}" for i in at]
    two = [f"{lines[i][:16]}BVAL{lines[i][20:56]}0.60{lines[i][60:]}" for i in at]
    path = tmp_path / "1tst.pdb"
    path.write_text("\n".join([*lines[: at[0]], *one, *two, *lines[at[-1] + 1 :]]) + "\n")
    left_out: Counter[str] = Counter()
    (record,) = read_structure(path, left_out)
    assert (record.sequence, record.labels) == ("AAAAAVAAAAAA", "-" + "H" * 10 + "-")
    assert left_out == {"further residues at one place": 1}


@needs_mkdssp
@pytest.mark.parametrize("bad", ["   x.xxx", "********", "  1.2.3 ", " " * 8, "     nan"])
def test_coordinates_that_are_not_numbers_are_refused(tmp_path: Path, bad: str) -> None:
    text = helix_as_pdb(3)
    lines = text.splitlines()
    lines[6] = lines[6][:30] + bad + lines[6][38:]
    path = tmp_path / "1tst.pdb"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(GrubioError, match="is not a number") as refused:
        list(read_structure(path))
    assert refused.value.line == 7
    structure = gemmi.read_structure_string(text)
    structure.setup_entities()
    table = structure.make_mmcif_document().as_string()
    path.write_text(table.replace(" 1.458 ", f" '{bad.strip()}' ", 1))
    with pytest.raises(GrubioError, match="residue 1 of chain A has a coordinate"):
        list(read_structure(path))


@needs_mkdssp
def test_one_bad_structure_among_many_obeys_on_invalid(
    grubio: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "good.pdb").write_text(helix_as_pdb(12))
    (tmp_path / "bad.pdb").write_text("nothing here\n")
    arguments = ["prepare", "good.pdb", "bad.pdb", "--format", "structure", "-o", "o.parquet"]
    done = grubio(*arguments)
    assert done.returncode == 2
    assert "bad.pdb" in done.stderr
    assert "grubio-dssp" not in done.stderr
    done = grubio(*arguments, "--on-invalid", "skip", "--summary", "s.json")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert [refused["id"] for refused in summary["refused"]] == ["bad.pdb"]
    assert (summary["read"], summary["kept"]) == (2, 1)
