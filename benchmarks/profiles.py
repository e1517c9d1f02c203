"""What profiles add to the residues: Q3 on validation chains without them and with two kinds.

The chains are 1,400 training and all 350 validation chains of the embedded data. Their profiles
are those of a search with MMseqs2 in the sequences of --chains, and, if --frequencies is given,
those of that archive (array freq, the residues of all --chains in order; scripts/pdb_profiles.py).
Writes datasets and runs into --output, and prints a table. An hour on two cores, most of it the
search.
"""

from __future__ import annotations

import argparse
import lzma
import random
from pathlib import Path

import numpy as np

from grubio.config import ModelSettings, PrepareSettings, TrainingSettings
from grubio.datasets.make_profiles import make_profiles
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.fetching.embedded import embedded_path
from grubio.model.bundle import load_metadata
from grubio.training.train import train_model

TRAINING_CHAINS = 1400
SHAPE = ModelSettings(hidden_size=64, stem_channels=48)
BOTH = SHAPE.model_copy(update={"inputs": ("onehot", "profile")})
SETTINGS = PrepareSettings(format="tsv", scheme="ss8")


def rows_of(path: Path) -> list[list[str]]:
    """Return the rows of a compressed table, without its header."""
    with lzma.open(path, "rt") as lines:
        return [line.rstrip("\n").split("\t") for line in lines][1:]


def frequencies_of(rows: list[list[str]], chains: list[list[str]], archive: Path) -> np.ndarray:
    """Return the frequencies of some chains from those of all."""
    whole = np.load(archive)["freq"]
    ends = np.cumsum([len(chain[1]) for chain in chains])
    places = {c[0]: slice(end - len(c[1]), end) for c, end in zip(chains, ends, strict=True)}
    return np.concatenate([whole[places[row[0]]] for row in rows])


def main() -> None:
    """Search, train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=Path, required=True)
    parser.add_argument("--frequencies", type=Path)
    parser.add_argument("--output", type=Path, default=Path("results/profiles"))
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    folder, chains = arguments.output, rows_of(arguments.chains)
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows_of(embedded_path("pdb-demo"))
    train = [row for row in rows if row[3] == "train"]
    random.Random(1).shuffle(train)
    # A test split of one chain: no step here scores it.
    rest = [[row for row in rows if row[3] == split] for split in ("valid", "test")]
    rows = [*train[:TRAINING_CHAINS], *rest[0], *rest[1][:1]]
    table, database = folder / "chains.tsv", folder / "database.fasta"
    lines = ["\t".join(row) + "\n" for row in [["id", "sequence", "ss8", "split"], *rows]]
    table.write_text("".join(lines))
    for path, some in ((folder / "chains.fasta", rows), (database, chains)):
        path.write_text("".join(f">{row[0]}\n{row[1]}\n" for row in some))
    searched = folder / "searched.npz"
    if not searched.exists():
        make_profiles(folder / "chains.fasta", searched, database=database)
    kinds: dict[str, tuple[Path | None, ModelSettings]] = {
        "residues": (None, SHAPE),
        "searched": (searched, BOTH),
    }
    if arguments.frequencies is not None:
        given = folder / "given.npz"
        np.savez_compressed(given, freq=frequencies_of(rows, chains, arguments.frequencies))
        kinds["given"] = (given, BOTH)
    training = TrainingSettings(epochs=arguments.epochs)
    for name, (profiles, shape) in kinds.items():
        dataset = folder / f"{name}.parquet"
        prepare_dataset([table], dataset, SETTINGS, profiles=profiles)
        model = train_model(dataset, folder / name, shape, training, device="cpu")
        print(f"{name}\t{load_metadata(model)['training']['valid_score']:.4f}")


if __name__ == "__main__":
    main()
