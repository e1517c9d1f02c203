"""Write into bundled models what the sequences were like that they were trained on.

python scripts/describe_zoo.py ../shared/data

New models get their ``input`` when they are trained; these are older. Weights stay as they are. The
folder is described in its own README: chains of the PDB and of NetSurfP-2.0, and the genome of E.
coli.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.files import open_input, write_text_whole
from grubio.model.bundle import METADATA_FILE, with_checksum
from grubio.model.training_input import training_input
from grubio.model.zoo import bundled_models
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import ALPHABETS, DNA, PROTEIN

BLOCK = 50_000


def main() -> None:
    """Describe the models of the table."""
    data = Path(sys.argv[1])
    codes = {
        PROTEIN.name: list(protein_codes(data / "ss")),
        DNA.name: list(dna_codes(data / "dna")),
    }
    for name in ("protein-ss-fast", "ecoli-genes"):
        path = bundled_models()[name] / METADATA_FILE
        metadata: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        training, alphabet = metadata["training"], ALPHABETS[metadata["alphabet"]]
        training["input"] = training_input(
            codes[alphabet.name], alphabet, training["settings"]["max_length"]
        )
        text = json.dumps(with_checksum(metadata), indent=2, sort_keys=True) + "\n"
        write_text_whole(path, text)


def protein_codes(folder: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the training chains."""
    for file, column, wanted in (
        ("pdb_chains.tsv.xz", 1, None),
        ("nsp2_train_val.tsv.gz", 2, "train"),
    ):
        with open_input(folder / file) as lines:
            next(lines)
            for line in lines:
                cells = line.decode().split("\t")
                if wanted in (None, cells[1]):
                    yield PROTEIN.encode(cells[column])


def dna_codes(folder: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the genome in blocks, as it was cut for training."""
    for record in read_fasta(folder / "GCF_000005845.2_ASM584v2_genomic.fna.gz"):
        codes = DNA.encode(record.sequence)
        yield from np.split(codes, range(BLOCK, len(codes), BLOCK))


if __name__ == "__main__":
    main()
