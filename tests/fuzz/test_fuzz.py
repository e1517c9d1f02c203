"""Mutated files of every format that grubio reads: nothing but a GrubioError comes out.

``GRUBIO_FUZZ`` is the number of mutations of each format, ``GRUBIO_FUZZ_SEED`` the first seed::

    GRUBIO_FUZZ=20000 pytest tests/fuzz
"""

# ruff: noqa: E501

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import gemmi
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import REPOSITORY
from grubio.config import PrepareSettings
from grubio.config.loading import load_config
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.datasets.validation import checked_records
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.prediction.read_back import PredictionsTable
from grubio.readers import structure
from grubio.readers.annotation import read_annotation
from grubio.readers.dssp import DsspResidue
from grubio.readers.fasta import read_fasta
from grubio.readers.motifs import read_database
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from ideal_helix import helix_as_pdb
from mutations import mutated

MUTATIONS = int(os.environ.get("GRUBIO_FUZZ", "200"))
FIRST = int(os.environ.get("GRUBIO_FUZZ_SEED", "0"))
MODEL = REPOSITORY / "grubio" / "zoo" / "protein-ss-fast"

FASTA = b">a one\nMKTAYIAKQR\nGSHMGL\n>b two words\nmktayiakqx*\n"
GFF3 = (
    b"##gff-version 3\n##sequence-region c 1 900\nc\tx\tgene\t1\t90\t.\t+\t.\tID=g;Name=a%20b\n"
    b"c\tx\tCDS\t1\t90\t.\t+\t0\tID=c1;Parent=g;Note=x; y\nc\tx\tCDS\t200\t300\t1e3\t-\t2\tParent=g,h\n"
)
GTF = b'c\tx\texon\t5\t90\t.\t+\t.\tgene_id "g"; transcript_id "t";\nc\tx\tCDS\t5\t90\t.\t-\t0\tgene_id "h";\n'
BED = b"track name=x\nc\t0\t90\tone\t5\t+\t0\t90\t0\t2\t10,20\t0,70\nc\t100\t200\ttwo\t7\t-\t0\t9\t0\t1\t9\t0\n"
NARROW_PEAK = b"c\t9\t90\tp1\t960\t.\t7.1\t3.2\t-1\t40\nc\t200\t300\tp2\t0\t+\t1\t2\t3\t-1\n"
MATRIX = "0.1 0.2 0.3 0.4\n" * 3
MEME = (
    "MEME version 4\n\nALPHABET= ACGT\n\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n"
    f"MOTIF m1 one\nletter-probability matrix: alength= 4 w= 3 nsites= 9 E= 0\n{MATRIX}\n"
).encode()
JASPAR = b">MA1 one\nA [ 1 2 3 ]\nC [ 3 2 1 ]\nG [ 0 0 1 ]\nT [ 4 4 4 ]\n"
HOMER = f">ACG\tone\t6.5\t-10\t0\n{MATRIX.replace(' ', chr(9))}".encode()
TRANSFAC = b"ID one\nBF x\nP0 A C G T\n01 1 2 3 4 N\n02 0 0 9 0 G\nXX\n//\n"
CIF = (
    b"data_X\n# comment\n_entry.id X\nloop_\n_dssp_struct_summary.label_comp_id\n"
    b"_dssp_struct_summary.label_asym_id\n_dssp_struct_summary.label_seq_id\n"
    b"_dssp_struct_summary.secondary_structure\nALA A 1 H\nMSE A 2 'H'\nGLY B 7 .\n"
)


def parsed_helix() -> bytes:
    parsed = gemmi.read_structure_string(helix_as_pdb(4))
    parsed.setup_entities()
    parsed.assign_label_seq_id(force=True)
    return bytes(parsed.make_mmcif_document().as_string(), "utf-8")


def runs() -> bytes:
    return parsed_helix() + (
        b"_struct_conf_type.id STRN\n_struct_conf_type.criteria DSSP\nloop_\n"
        b"_struct_conf.conf_type_id\n_struct_conf.beg_label_asym_id\n_struct_conf.beg_label_seq_id\n"
        b"_struct_conf.end_label_seq_id\nSTRN Axp 1 2\nBEND Axp 3 3\n"
    )


def classic() -> bytes:
    header = "  #  RESIDUE AA STRUCTURE BP1 BP2  ACC     X-CA   Y-CA   Z-CA"
    rows = ("1 A M  H", "2 A a   ", "2BA K  E", "    !", "1 > T  H")
    lines = [f"{i:5d}    {row}".ljust(len(header), "0") for i, row in enumerate(rows, start=1)]
    announced = "    4  1  0  0  0 TOTAL NUMBER OF RESIDUES, NUMBER OF CHAINS"
    return "\n".join([announced, header + "   CHAIN AUTHCHAIN", *lines]).encode() + b"   AA   AA\n"


def dataset() -> bytes:
    path = io.BytesIO()
    records = [Record("a", "", "MKT", "HHC", "110", "1", "train"), Record("b", "x", "GG", "CC")]
    name = Path(os.environ.get("TMPDIR", "/tmp")) / f"grubio-fuzz-{os.getpid()}.parquet"
    write_dataset(name, DatasetHeader(PROTEIN, SS8, {}), records)
    path.write(name.read_bytes())
    name.unlink()
    return path.getvalue()


def predictions() -> bytes:
    columns = {"id": ["a", "a", "b"], "residue": list("MKT"), "label": list("HEC")}
    columns |= {f"p_{letter}": [0.2, 0.3, 0.5] for letter in "HEC"}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def prepared(form: str, scheme: str = "ss3") -> Callable[[Path], Iterable[object]]:
    def read(path: Path) -> Iterable[object]:
        chosen = PrepareSettings(format=form, scheme=scheme)
        sequences, labels = path, None
        if form == "fasta":
            sequences, labels = path.with_name("sequences"), path
            sequences.write_bytes(FASTA)
        return [prepare_dataset([sequences], path.with_name("o.parquet"), chosen, labels=labels)]

    return read


def annotation(path: Path) -> Iterator[object]:
    for line in read_annotation(path, lambda error: None, lambda error: None):
        try:
            yield [getattr(line, name) for name in dir(line) if not name.startswith("_")]
        except GrubioError:
            continue


def model(path: Path) -> list[object]:
    return [load_bundle(path.parent)]


# For each format: the name of its file, a file, and what reads it to the end.

FORMATS: dict[str, tuple[str, Callable[[], bytes], Callable[[Path], Iterable[object]]]] = {
    "fasta": ("x", lambda: FASTA, lambda p: checked_records(read_fasta(p), PROTEIN, "error")),
    "labelled": ("x", lambda: b">a SET=train\n" + b"H" * 16 + b"\n>b SET=test\n" + b"E" * 10 + b"\n", prepared("fasta")),
    "tagged": ("x", lambda: b">a SET=train TARGET=HHC MASK=110\nMKT\n>b TARGET=EE\nGG\n", prepared("tagged")),
    "three-line": ("x", lambda: b">a one\nMKTAYIAK\nCCHHHHCC\n>b\nGG\nEE\n", prepared("three-line")),
    "tsv": ("x", lambda: b"id\tsequence\tss3\tsplit\na\tMKT\tHHC\ttrain\nb\tGG\tEE\ttest\n", prepared("tsv")),
    "csv": ("x", lambda: b'id,sequence,labels\na,MKT,HHC\n"b","GG",EE\n', prepared("tsv")),
    "dssp": ("x", classic, prepared("dssp", "ss8")),
    "dssp in mmcif": ("x", lambda: CIF, prepared("dssp", "ss8")),
    "dssp runs in mmcif": ("x", runs, prepared("dssp", "ss8")),
    "pdb": ("x", lambda: helix_as_pdb(4).encode(), prepared("structure", "ss8")),
    "mmcif": ("x", parsed_helix, prepared("structure", "ss8")),
    "gff3": ("x", lambda: GFF3, annotation),
    "gtf": ("x", lambda: GTF, annotation),
    "bed": ("x", lambda: BED, annotation),
    "narrowPeak": ("x", lambda: NARROW_PEAK, annotation),
    "jaspar": ("x", lambda: JASPAR, read_database),
    "meme": ("x", lambda: MEME, read_database),
    "homer": ("x", lambda: HOMER, read_database),
    "transfac": ("x", lambda: TRANSFAC, read_database),
    "yaml": ("x", lambda: (REPOSITORY / "config/synthetic_motifs.yaml").read_bytes(), lambda p: [load_config(p)]),
    "dataset": ("x", dataset, lambda p: read_records(p, targets=True)),
    "predictions": ("x", predictions, PredictionsTable),
    "model": ("model.json", lambda: (MODEL / "model.json").read_bytes(), model),
}  # fmt: skip


def coil(
    program: str, residues: list[tuple[gemmi.Residue, str]], path: Path
) -> Iterator[DsspResidue]:
    # A process for each of thousands of files would take hours.
    structure._backbone_mmcif(residues)
    for place, (residue, chain) in enumerate(residues):
        letter = structure.letter_of(residue.name)
        yield DsspResidue(chain, str(residue.seqid), place, letter, "-")


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files_are_read_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_name, seed, read = FORMATS[name]
    monkeypatch.setattr(structure, "_labelled", coil)
    monkeypatch.setattr(structure, "mkdssp_program", lambda path: "mkdssp")
    path, content = tmp_path / file_name, seed()
    if name == "model":
        shutil.copy(MODEL / "weights.safetensors", tmp_path)
    path.write_bytes(content)
    assert list(read(path))
    for number in range(FIRST, FIRST + MUTATIONS):
        path.write_bytes(mutated(content, number))
        try:
            for _ in read(path):
                pass
        except GrubioError:
            continue
        except Exception as error:
            error.add_note(f"seed {number}: {path.read_bytes()[:2000]!r}")
            raise
