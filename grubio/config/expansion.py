"""The runs of a study as they are written in, and as they are trained out.

What is no study passes through as it is: the schema reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from grubio.config.data import SplitSettings
from grubio.config.sweep import SweepSettings

_GROUPS = ("model", "training", "evaluation", "motifs")


def with_sweeps(value: Any) -> Any:
    """Return the content of a study with the runs of its sweeps."""
    if not isinstance(value, Mapping) or not isinstance(value.get("sweeps"), Mapping):
        return value
    runs = value.get("runs") or {}
    if not isinstance(runs, Mapping):
        return value
    made: dict[str, Any] = {}
    for name, content in value["sweeps"].items():
        try:
            sweep = SweepSettings.model_validate(content)
        except ValidationError:
            # Reported with its place when the sweeps themselves are checked.
            return value
        made.update(sweep.runs(name))
    if taken := made.keys() & runs.keys():
        raise ValueError(f"runs.{min(taken)}: a sweep makes a run of this name")
    return {**value, "runs": {**runs, **made}}


def with_shared_settings(value: Any) -> Any:
    """Return the content of a study whose runs have the settings that all share."""
    if not isinstance(value, Mapping) or not isinstance(value.get("runs"), Mapping):
        return value
    shared = {key: value[key] for key in _GROUPS if isinstance(value.get(key), Mapping)}
    runs = {name: _with_shared(name, run, shared) for name, run in value["runs"].items()}
    return {**value, "runs": runs}


def with_folds(value: Any) -> Any:
    """Return the content of a study with a run for each fold of a run on folds."""
    if not isinstance(value, Mapping) or not isinstance(value.get("runs"), Mapping):
        return value
    folds_of = {name: _folds(run, value.get("datasets")) for name, run in value["runs"].items()}
    runs: dict[str, Any] = {}
    for name, run in value["runs"].items():
        made = _runs_of_folds(name, run, folds_of) if folds_of[name] else {name: run}
        if taken := made.keys() & (runs.keys() | value["runs"].keys() - {name}):
            raise ValueError(f"runs.{min(taken)}: a run of folds has this name")
        runs |= made
    return {**value, "runs": runs}


def _folds(run: Any, datasets: Any) -> int:
    # Folds that a run is to become, 0 for none; what is no configuration is reported elsewhere.
    if not isinstance(run, Mapping) or run.get("fold") is not None:
        return 0
    dataset = datasets.get(run.get("dataset")) if isinstance(datasets, Mapping) else None
    split = dataset.get("split") if isinstance(dataset, Mapping) else None
    folds = split.get("folds", 0) if isinstance(split, Mapping) else 0
    try:
        return SplitSettings.model_validate({"folds": folds}).folds
    except ValidationError:
        return 0


def _runs_of_folds(
    name: str, run: Mapping[str, Any], folds_of: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    made = {}
    for fold in range(1, folds_of[name] + 1):

        def same(other: Any, fold: int = fold) -> Any:
            known = isinstance(other, str) and folds_of.get(other)
            return f"{other}-fold{fold}" if known else other

        linked = {key: same(run[key]) for key in ("teacher", "from") if key in run}
        if isinstance(run.get("members"), list):
            linked["members"] = [same(member) for member in run["members"]]
        made[f"{name}-fold{fold}"] = {**run, **linked, "fold": fold}
    return made


def _with_shared(name: str, run: Any, shared: Mapping[str, Any]) -> Any:
    if not isinstance(run, Mapping) or not all(_is_group(run.get(key)) for key in _GROUPS):
        return run
    if run.get("members"):
        shared = _of_ensemble(name, run, shared)
    # The network of a run that starts from a model is that of the model.
    taken = {key: group for key, group in shared.items() if key != "model" or not run.get("from")}
    return {**run, **{key: {**group, **(run.get(key) or {})} for key, group in taken.items()}}


def _of_ensemble(
    name: str, run: Mapping[str, Any], shared: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    # The shared settings that count for an ensemble: nothing is trained.
    def counts(group: str, key: str) -> bool:
        return group not in ("model", "training") or key == "weight_precision"

    wrong = [f"{g}.{key}" for g in _GROUPS for key in run.get(g) or {} if not counts(g, key)]
    if wrong:
        raise ValueError(
            f"runs.{name}.{wrong[0]}: the models of `members` are averaged, and not trained again; "
            "set it in those runs"
        )
    left = {
        group: {key: one for key, one in given.items() if counts(group, key)}
        for group, given in shared.items()
    }
    return {group: given for group, given in left.items() if given}


def _is_group(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)
