"""Sweeps: many runs from a few lines of configuration."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from grubio.config.base import Settings, did_you_mean
from grubio.config.model import EvaluationSettings, ModelSettings, TrainingSettings

_GROUPS: dict[str, type[Settings]] = {
    "model": ModelSettings,
    "training": TrainingSettings,
    "evaluation": EvaluationSettings,
}
_SINGLE = ("dataset", "teacher", "from")
_SEED = "training.seed"


class SweepSettings(Settings):
    """Runs for all combinations of some settings."""

    base: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of all its runs, as in `runs.<name>`.",
    )
    vary: dict[str, list[Any]] = Field(
        min_length=1,
        description="Values to try, by setting: `dataset`, `teacher`, `from`, or a key of `model`, "
        "`training` or `evaluation` with that group before it, as `training.seed`.",
    )

    @model_validator(mode="after")
    def _settings_exist(self) -> SweepSettings:
        for group in _GROUPS.keys() & self.base.keys():
            if not isinstance(self.base[group] or {}, Mapping):
                raise ValueError(f"base.{group}: keys with values were expected")
        for key, values in self.vary.items():
            group, _, name = key.partition(".")
            known = [*_SINGLE, *(f"{g}.{k}" for g, s in _GROUPS.items() for k in s.model_fields)]
            if key not in known:
                guess = did_you_mean(key, known, cutoff=0.5)
                raise ValueError(f"vary: no setting '{key}'{guess}")
            if not values or len(set(map(_word, values))) < len(values):
                raise ValueError(f"vary.{key}: different values were expected")
            if key in self.base or name in (self.base.get(group) or {}):
                raise ValueError(f"'{key}' is in base and in vary")
        return self

    def runs(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name and the settings of each run of the sweep called ``name``.

        Examples
        --------
        >>> sweep = SweepSettings(
        ...     base={"dataset": "mine"}, vary={"training.seed": [1, 2], "model.layers": [3]}
        ... )
        >>> for run, content in sweep.runs("deep"):
        ...     print(run, content["model"], content["training"])
        deep.layers-3.seed-1 {'layers': 3} {'seed': 1}
        deep.layers-3.seed-2 {'layers': 3} {'seed': 2}
        """
        # The seed comes last, so that names of runs that differ only in it begin alike.
        keys = sorted(self.vary, key=lambda key: key == _SEED)
        for values in itertools.product(*(self.vary[key] for key in keys)):
            run: dict[str, Any] = {
                # A group that is there and empty is none.
                key: dict(value or {}) if key in _GROUPS else value
                for key, value in self.base.items()
            }
            parts = [name]
            for key, value in zip(keys, values, strict=True):
                group, _, setting = key.rpartition(".")
                if group:
                    run.setdefault(group, {})[setting] = value
                else:
                    run[key] = value
                parts.append(f"{setting}-{_word(value)}")
            yield ".".join(parts), run


def _word(value: Any) -> str:
    # What stands for a value in the name of a run, which is also that of a folder.
    if isinstance(value, Mapping):
        value = [word for pair in value.items() for word in pair]
    text = "-".join(map(str, value)) if isinstance(value, list) else str(value)
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)
