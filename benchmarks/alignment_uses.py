"""Q3 of a model that reads profiles, by how they are made from the same alignments.

python benchmarks/alignment_uses.py --dataset split.parquet --database unlabelled.fasta

The chains are those of a split, validation by default; their homologs are searched for in the
database with the defaults of ``grubio profile``, or are read from a file (--alignments A3M). Prints
Q3 in percent, and what each way has more than the first, with a 95 % bootstrap interval over
chains: the table of docs/experiments.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from grubio.datasets.parquet import read_records
from grubio.inference.predictor import Prediction, Predictor
from grubio.metrics.bootstrap import bootstrap_weights
from grubio.model.bundle import load_bundle
from grubio.model.devices import available_threads
from grubio.model.zoo import find_model
from grubio.profiles import pseudocounts
from paired import gain
from profile_depth import (
    ALONE,
    DEEP,
    REPLICATES,
    SEED,
    Rows,
    alignments,
    profiled,
    right_in,
    thinned,
)

SHARE_ALONE = 0.2
"""What the answer of the model without profiles counts in the mean of the two."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--database", type=Path, help="FASTA of proteins to search")
    parser.add_argument("--alignments", type=Path)
    parser.add_argument("--threads", type=int, default=available_threads())
    arguments = parser.parse_args()
    records = list(read_records(arguments.dataset, arguments.split))
    found = alignments(records, arguments.database, arguments.alignments, arguments.threads)
    rows = [found[record.id] for record in records]
    deep, alone = (
        Predictor(load_bundle(find_model(name)), "cpu", arguments.threads) for name in (DEEP, ALONE)
    )

    def labelled(used: Sequence[Rows]) -> list[Prediction]:
        return list(deep.predict(profiled(records, used)))

    base = labelled(rows)
    counts = right_in(base)
    weights = bootstrap_weights(len(records), REPLICATES, SEED)

    def show(name: str, answers: Sequence[Prediction]) -> None:
        own = right_in(answers)
        score = 100 * own[:, 0].sum() / own[:, 2].sum()
        print(name, f"{score:.2f}", gain(own, counts, weights), sep="\t", flush=True)

    show(f"all homologs, median {np.median([len(chain) - 1 for chain in rows]):.0f}", base)
    for beta in (0.3, 3.0, 10.0):
        with patch.object(pseudocounts, "BETA", beta):
            show(f"pseudocounts of weight {beta:g}", labelled(rows))
    for covered in (0.5, 0.75):
        show(f"covered {covered:.0%}", labelled([kept(one, covered, 0.0, 1.0) for one in rows]))
    for low, high in ((0.2, 1.0), (0.3, 1.0), (0.0, 0.95)):
        used = [kept(one, 0.0, low, high) for one in rows]
        show(f"identity {low:.0%} to {high:.0%}", labelled(used))
    halves = [labelled([half(one, [seed, at]) for at, one in enumerate(rows)]) for seed in range(3)]
    show("mean of all homologs and three halves", mean([base, *halves], [0.25] * 4))
    both = mean([base, list(alone.predict(records))], [1 - SHARE_ALONE, SHARE_ALONE])
    show(f"mean with {ALONE}", both)


def kept(rows: Rows, covered: float, low: float, high: float) -> Rows:
    """Return the first row, and those that cover a share of it with an identity in between.

    Examples
    --------
    >>> kept(["MKVL", "MK--", "MRVL", "MKVL"], 0.5, 0.6, 0.9)
    ['MKVL', 'MRVL']
    """
    own, *others = (np.frombuffer(row.encode(), np.uint8) for row in rows)
    residue = [~np.isin(row, (ord("-"), ord("."))) for row in others]
    return [
        rows[0],
        *(
            row
            for row, other, there in zip(rows[1:], others, residue, strict=True)
            if there.any()
            and there.mean() >= covered
            and low <= (own == other)[there].mean() <= high
        ),
    ]


def half(rows: Rows, seed: Sequence[int]) -> Rows:
    """Return the first row and a random half of the others."""
    return thinned(rows, max(1, (len(rows) - 1) // 2), seed)


def mean(answers: Sequence[Sequence[Prediction]], shares: Sequence[float]) -> list[Prediction]:
    """Return predictions with the weighted mean of the probabilities of each chain."""
    return [
        replace(
            same[0],
            probabilities=sum(
                share * one.probabilities for share, one in zip(shares, same, strict=True)
            ),
        )
        for same in zip(*answers, strict=True)
    ]


if __name__ == "__main__":
    main()
