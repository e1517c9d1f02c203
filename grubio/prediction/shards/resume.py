"""Prediction that can be resumed after it was killed: shard by shard, on one machine."""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grubio.config import Output, PredictionSettings
from grubio.datasets.validation import Tally
from grubio.errors import GrubioError
from grubio.files import STDIO, delete_with_leftovers, sha256_of_file
from grubio.model.bundle import METADATA_FILE
from grubio.overwriting import keeps_inputs
from grubio.prediction.opening import opened
from grubio.prediction.predict_file import warn_of_refused
from grubio.prediction.profiles import ProfileSource
from grubio.prediction.shards.files import ShardPlan, probabilities_path, read_shard, records_path
from grubio.prediction.shards.steps import cut_input, gather_shards, label_shard

logger = logging.getLogger(__name__)


@keeps_inputs("sequences", "model")
def predict_in_shards(
    sequences: str,
    outputs: Sequence[Output],
    folder: Path,
    shards: int,
    model: Path | None = None,
    settings: PredictionSettings | None = None,
    profiles: ProfileSource | None = None,
) -> Tally:
    """Label a FASTA file shard by shard; resume after the last finished shard if there is one.

    Parameters
    ----------
    sequences, outputs, model, settings, profiles
        As for :func:`grubio.prediction.predict_file.predict_file`.
    folder
        Keeps the shards until the outputs are written.
    shards
        Number of shards; the outputs do not depend on it.

    Raises
    ------
    GrubioError
        As for :func:`grubio.prediction.predict_file.predict_file`, or if the folder holds shards of
        another input, model, number or settings.
    """
    if str(sequences) == STDIO:
        raise GrubioError("standard input cannot be cut into shards", hint="give a file")
    settings = settings or PredictionSettings()
    # Outputs are checked before anything is computed, though they are written last.
    model, kind, _ = opened(sequences, outputs, model, settings)
    profiles = profiles or ProfileSource()
    profiles.require_fit(kind.bundle)
    numbers = range(1, shards + 1)
    cut = [records_path(folder, number, shards) for number in numbers]
    labelled = [probabilities_path(folder, number, shards) for number in numbers]
    begun = sorted(folder.glob("*-of-*.parquet"))
    if begun:
        _same(read_shard(begun[0]).plan, begun[0], sequences, model, settings, shards)
    if done := list(filter(Path.exists, labelled)):
        now = profiles.described
        for path in done:
            _same_profiles(read_shard(path).profiles, now, path)
    if not all(path.exists() for path in cut):
        cut_input(sequences, folder, shards, model, settings, announced=True)
    left = [number for number in numbers if not _is_done(labelled[number - 1], cut[number - 1])]
    if len(left) < shards:
        logger.info("%d of %d shards are already labelled", shards - len(left), shards)
    for number in left:
        label_shard(cut[number - 1], labelled[number - 1], model, settings, profiles)
    tally = gather_shards(labelled, outputs, model, settings)
    for path in (*cut, *labelled):
        delete_with_leftovers(path)
    with contextlib.suppress(OSError):
        folder.rmdir()
    warn_of_refused(tally)
    return tally


def _same(
    plan: ShardPlan,
    path: Path,
    sequences: str,
    model: Path,
    settings: PredictionSettings,
    shards: int,
) -> None:
    changed = [
        what
        for what, then, now in (
            ("input", plan.input_sha256, sha256_of_file(sequences)),
            ("model", plan.model_sha256, sha256_of_file(model / METADATA_FILE)),
            ("--on-invalid", plan.on_invalid, settings.on_invalid),
            ("--grammar", plan.grammar, settings.grammar),
            ("number of shards", plan.shards, shards),
        )
        if then != now
    ]
    _refuse(changed, path)


def _same_profiles(then: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    # What is not said any more is said first: "begun with another --own-profile".
    _refuse([key for key in {**then, **now} if then.get(key) != now.get(key)], path)


def _refuse(changed: Sequence[str], path: Path) -> None:
    if changed:
        raise GrubioError(
            f"was begun with another {' and another '.join(changed)}",
            path=path.parent,
            hint="delete the folder to start again, or give another --resume-folder",
        )


def _is_done(labelled: Path, cut: Path) -> bool:
    return labelled.exists() and read_shard(labelled).plan == read_shard(cut).plan
