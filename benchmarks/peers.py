"""Other single-sequence predictors on the benchmark sets, as FASTA of SS3 labels.

Each predictor that is installed labels each set; the others are left out. reprof and garnier
are Debian packages (``apt install reprof emboss``), PredictDSSP is on PyPI and is best given an
environment of its own, whose Python is named with --predictdssp.

    python benchmarks/peers.py --sets DIR --output results/peers
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grubio.files import write_text_whole
from grubio.readers.table import read_table
from grubio.sequences.record import Record

SETS = ("cb513", "ts115")
COLUMNS = ("id", "sequence", "ss8", "mask")
STANDARD = re.compile("[^ACDEFGHIKLMNPQRSTVWY]")


def reprof(record: Record) -> str:
    """Return the labels of REPROF without a profile: helix, strand, or coil for its L."""
    with tempfile.TemporaryDirectory() as folder:
        sequence, table = Path(folder, "q.fasta"), Path(folder, "q.reprof")
        sequence.write_text(f">q\n{STANDARD.sub('X', record.sequence.upper())}\n")
        subprocess.run(
            ["reprof", "-i", sequence, "-o", table], check=True, capture_output=True, cwd=folder
        )
        rows = [line.split("\t") for line in table.read_text().splitlines() if line[:1] != "#"]
    place = rows[0].index("PHEL")
    return "".join(row[place] for row in rows[1:]).replace("L", "C")


def garnier(record: Record) -> str:
    """Return the labels of GOR I in EMBOSS, which knows standard residues alone; turns are coil."""
    with tempfile.TemporaryDirectory() as folder:
        sequence, table = Path(folder, "q.fasta"), Path(folder, "q.garnier")
        sequence.write_text(f">q\n{STANDARD.sub('A', record.sequence.upper())}\n")
        subprocess.run(
            ["garnier", "-sequence", sequence, "-outfile", table, "-auto"],
            check=True,
            capture_output=True,
        )
        lines = table.read_text().splitlines()
    labels = ["C"] * len(record)
    for name, letter in (("helix", "H"), ("sheet", "E")):
        shown = "".join(line[6:].ljust(50)[:50] for line in lines if line.startswith(f"{name} "))
        for place, mark in enumerate(shown[: len(record)]):
            if mark != " ":
                labels[place] = letter
    return "".join(labels)


def predictdssp(python: Path, records: Sequence[Record]) -> str:
    """Return FASTA of the labels of PredictDSSP, run by the Python that has it."""
    program = (
        "import sys\nfrom PredictDSSP.dssp_predict import predict_dssp\n"
        "for line in sys.stdin:\n"
        "    print(''.join('HEC'[value] for value in predict_dssp(line.strip())))\n"
    )
    # It knows the 20 standard residues alone.
    lines = "".join(STANDARD.sub("A", record.sequence.upper()) + "\n" for record in records)
    done = subprocess.run(
        [python, "-c", program], input=lines, capture_output=True, text=True, check=True
    )
    labels = done.stdout.split()
    return "".join(f">{r.id}\n{text}\n" for r, text in zip(records, labels, strict=True))


def labels_of(records: Sequence[Record], predictor: Callable[[Record], str]) -> str:
    """Return FASTA of the labels of all records."""
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(predictor, records))
    for record, labels in zip(records, texts, strict=True):
        if len(labels) != len(record):
            raise ValueError(f"{record.id}: {len(record)} residues, {len(labels)} labels")
    return "".join(f">{r.id}\n{labels}\n" for r, labels in zip(records, texts, strict=True))


def main() -> None:
    """Run every predictor that is there on every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="Folder of cb513.tsv, ts115.tsv.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--predictdssp", type=Path, help="Python that has PredictDSSP.")
    arguments = parser.parse_args()
    predictors = {name: globals()[name] for name in ("reprof", "garnier") if shutil.which(name)}
    for chosen in SETS:
        records = list(read_table(arguments.sets / f"{chosen}.tsv", COLUMNS))
        for name, predictor in predictors.items():
            path = arguments.output / f"{chosen}.{name}.fasta"
            if not path.exists():
                write_text_whole(path, labels_of(records, predictor))
            print(path)
        path = arguments.output / f"{chosen}.predictdssp.fasta"
        if arguments.predictdssp and not path.exists():
            write_text_whole(path, predictdssp(arguments.predictdssp, records))


if __name__ == "__main__":
    main()
