"""Transitions learned as a conditional random field against transitions that were counted.

The network of the demonstration study, trained with one seed on the first chains for training, and
scored on the first chains for validation. Writes benchmarks/crf.json.

    python benchmarks/crf.py --chains 600 --judged 200
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from grammar import scores
from grubio.config.loading import load_config
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.fetching.embedded import embedded_path
from grubio.model.bundle import load_bundle
from grubio.readers.table import read_table
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.training.train import train_model

RESULTS = Path(__file__).with_name("crf.json")
STUDY = Path(__file__).parents[1] / "config" / "config.yaml"
LOSSES = ("cross_entropy", "crf")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, help="training chains, by default all")
    parser.add_argument("--judged", type=int, help="validation chains, by default all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run = load_config(STUDY).runs["demo"]
    chains = list(read_table(embedded_path("pdb-demo")))
    learned = [record for record in chains if record.split == "train"][: options.chains]
    judged = [record for record in chains if record.split == "valid"][: options.judged]
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch, "split.parquet")
        write_dataset(dataset, DatasetHeader(PROTEIN, SS8, {}), [*learned, *judged])
        for loss in LOSSES:
            changed = {"seed": options.seed, "precision": "32", "loss": loss}
            settings = run.training.model_copy(update=changed)
            folder = Path(scratch, loss)
            model = train_model(dataset, folder, run.model, settings, device="cpu", threads=1)
            found[loss] = scores(load_bundle(model), judged)
    shape = {"chains": len(learned), "judged": len(judged), "seed": options.seed}
    RESULTS.write_text(json.dumps({**shape, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
