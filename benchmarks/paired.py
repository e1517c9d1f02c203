"""Differences of secondary-structure models on the same chains, each read alone.

python benchmarks/paired.py BASE MODEL [MODEL ...] --dataset split.parquet --split valid
python benchmarks/paired.py BASE MODEL [MODEL ...] --sets DIR

Prints Q3 and Q8 of each model, in percent, and what it has more than the base, with a 95 %
bootstrap interval over chains. A model that reads profiles gets that of the chain alone. DIR is
that of ``benchmarks/accuracy.py``. Models are names or folders; ``A+B`` is the mean of theirs, with
the calibration of the first. A test set is not for choosing one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from accuracy import SETS, records_of
from grubio.datasets.parquet import read_records
from grubio.metrics.bootstrap import Estimate, bootstrap_weights, resampled
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.members import joined
from grubio.model.zoo import find_model
from grubio.profiles.weighting import own_profile
from grubio.sequences.record import Record
from profile_depth import REPLICATES, SEED, right_of


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--sets", type=Path)
    arguments = parser.parse_args()
    bundles = [together(name.split("+")) for name in (arguments.base, *arguments.models)]
    for name, found in sets_of(arguments):
        records = [replace(record, profile=own_profile(record.sequence)) for record in found]
        counts = [right_of(bundle, records, 1) for bundle in bundles]
        for model, own in zip((arguments.base, *arguments.models), counts, strict=True):
            print(name, model, *scores(own, counts[0]), sep="\t")


def together(names: Sequence[str]) -> Bundle:
    """Return a model, or the ensemble of all members of several."""
    first, *others = (load_bundle(find_model(name)) for name in names)
    if not others:
        return first
    members = [member for bundle in (first, *others) for member in bundle.single_models]
    return replace(joined(members), calibrations=first.calibrations)


def sets_of(arguments: argparse.Namespace) -> Iterator[tuple[str, Sequence[Record]]]:
    """Yield the name and the records of each set."""
    if arguments.dataset:
        yield arguments.split, list(read_records(arguments.dataset, arguments.split))
    for name in SETS if arguments.sets else ():
        yield name, records_of(arguments.sets, name)


def scores(own: np.ndarray, base: np.ndarray) -> Iterator[str]:
    """Yield Q3 and Q8, each with the difference from the base, from counts ``(chain, 3)``."""
    weights = bootstrap_weights(len(own), REPLICATES, SEED)
    for column, name in enumerate(("Q3", "Q8")):
        value = 100 * own[:, column].sum() / own[:, 2].sum()
        yield f"{name} {value:.2f}, {gain(own, base, weights, column)}"


def gain(own: np.ndarray, base: np.ndarray, weights: np.ndarray, column: int = 0) -> str:
    """Return what a column of counts ``(chain, 3)`` has more than a base, in percent of the third.

    The 95 % interval is over chains, drawn by ``weights`` ``(replicate, chain)``.
    """
    more, counted = (own - base)[:, column], base[:, 2]
    drawn = resampled(weights, np.column_stack((more, counted)))
    interval = Estimate(100 * more.sum() / counted.sum(), 100 * drawn[:, 0] / drawn[:, 1]).score
    return f"{interval.value:+.2f} ({interval.low:+.2f} to {interval.high:+.2f})"


if __name__ == "__main__":
    main()
