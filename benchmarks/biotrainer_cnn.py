"""biotrainer's one-hot CNN, trained on the chains of a split dataset, on the benchmark sets.

Its settings are biotrainer's own defaults but for the number of epochs. biotrainer is on PyPI and
is best given an environment of its own, whose Python is named with --python. Writes
``SET.biotrainer.fasta`` beside the files of benchmarks/peers.py.

    python benchmarks/biotrainer_cnn.py --sets DIR --train split.parquet --output results/peers \
        --python BIOTRAINER/bin/python
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from grubio.datasets.parquet import read_records
from grubio.files import write_text_whole
from grubio.readers.table import read_table
from grubio.sequences.scheme import SS8
from peers import COLUMNS, SETS, STANDARD

PROGRAM = """
import json, sys
from biotrainer.utilities.executer import parse_config_file_and_execute_run
result = parse_config_file_and_execute_run(json.loads(sys.argv[1]))
with open(sys.argv[2], "w") as out:
    json.dump(result["predictions"], out)
"""


def entries(train: Path, sets: Path) -> Iterator[str]:
    """Yield FASTA entries in biotrainer's form; a sequence that came before is left out."""
    seen: set[str] = set()
    for chosen in SETS:
        for record in read_table(sets / f"{chosen}.tsv", COLUMNS):
            sequence = standard(record.sequence)
            if sequence not in seen:
                yield f">{chosen}:{record.id} SET=pred\n{sequence}\n"
            seen.add(sequence)
    coarse = {letter.lower(): letter for letter in "HEC"} | dict(SS8.reduction)
    for split, name in (("train", "train"), ("valid", "val"), ("test", "test")):
        for record in read_records(train, split):
            sequence = standard(record.sequence)
            if sequence in seen or not record.labels:
                continue
            seen.add(sequence)
            mask = record.mask or "1" * len(record)
            counted = "".join(
                "1" if bit == "1" and label != "?" else "0"
                for bit, label in zip(mask, record.labels, strict=True)
            )
            labels = "".join(coarse.get(label, "C") for label in record.labels)
            number = len(seen)
            yield f">{name}{number} TARGET={labels} SET={name} MASK={counted}\n{sequence}\n"


def cnn_config(chains: Path, output: Path, epochs: int) -> dict[str, object]:
    """Return biotrainer's configuration of its one-hot CNN on a CPU."""
    return {
        "input_file": str(chains),
        "output_dir": str(output),
        "protocol": "residue_to_class",
        "model_choice": "CNN",
        "embedder_name": "one_hot_encoding",
        "num_epochs": epochs,
        "bootstrapping_iterations": 0,
        "device": "cpu",
        "disable_pytorch_compile": True,
    }


def standard(sequence: str) -> str:
    """Return a sequence in which every letter but the 20 standard ones is X."""
    return STANDARD.sub("X", sequence.upper())


def main() -> None:
    """Train, label the sets, and write the labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="Folder of cb513.tsv, ts115.tsv.")
    parser.add_argument("--train", type=Path, required=True, help="Split dataset.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True, help="Python that has biotrainer.")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    work = arguments.output / "biotrainer"
    write_text_whole(work / "chains.fasta", "".join(entries(arguments.train, arguments.sets)))
    config = cnn_config(work / "chains.fasta", work / "run", arguments.epochs)
    answers = work / "predictions.json"
    subprocess.run([arguments.python, "-c", PROGRAM, json.dumps(config), str(answers)], check=True)
    labels = json.loads(answers.read_text())
    for chosen in SETS:
        lines = []
        twins: dict[str, str] = {}
        for record in read_table(arguments.sets / f"{chosen}.tsv", COLUMNS):
            sequence = standard(record.sequence)
            found = labels.get(f"{chosen}:{record.id}") or twins[sequence]
            twins[sequence] = found
            lines.append(f">{record.id}\n{found}\n")
        write_text_whole(arguments.output / f"{chosen}.biotrainer.fasta", "".join(lines))


if __name__ == "__main__":
    main()
