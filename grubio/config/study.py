"""A study: datasets, runs on them, and what to predict."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from grubio.config.authors import Author
from grubio.config.base import Device, Name, Settings, did_you_mean
from grubio.config.data import DatasetSettings
from grubio.config.expansion import with_folds, with_shared_settings, with_sweeps
from grubio.config.formats import unfit
from grubio.config.model import (
    EvaluationSettings,
    ModelSettings,
    TrainingSettings,
)
from grubio.config.prediction import StudyPredictionSettings
from grubio.config.profiles import StudyProfileSettings
from grubio.config.run import RunSettings, StudyMotifSettings
from grubio.config.sweep import SweepSettings
from grubio.model.architecture import Architecture
from grubio.model.bundle import METADATA_FILE, architectures_of, load_metadata
from grubio.model.zoo import bundled_models
from grubio.sequences.kind import Kind
from grubio.sequences.scheme import NO_CLASSES

_OTHER_RESULTS = {
    "datasets",
    "benchmarks",
    "comparison.tsv",
    "comparison.svg",
    "comparison.html",
    "comparison.json",
    "comparison.groups.tsv",
    "comparison.groups.svg",
    "comparison.tests.tsv",
}


class ReportSettings(Settings):
    """What is written about the model of each run besides its report."""

    page: bool = Field(
        default=False,
        description="Also write the model as a page that labels in the browser (`grubio page`), "
        "to which its report links. Models with a network other than `gru` or `conv`, with "
        "attention, with profiles, and of values along a genome have none.",
    )


class Config(Settings):
    """A study: datasets, runs on them, and what to predict."""

    datasets: dict[Name, DatasetSettings] = Field(min_length=1, description="Datasets, by name.")
    runs: dict[Name, RunSettings] = Field(
        default_factory=dict, description="Runs, by name; the runs of sweeps are added."
    )
    sweeps: dict[Name, SweepSettings] = Field(
        default_factory=dict, description="Many runs at once, by name."
    )
    model: ModelSettings = Field(default=ModelSettings(), description="Default of all runs.")
    training: TrainingSettings = Field(
        default=TrainingSettings(), description="Default of all runs."
    )
    evaluation: EvaluationSettings = Field(
        default=EvaluationSettings(), description="Default of all runs."
    )
    motifs: StudyMotifSettings = Field(
        default=StudyMotifSettings(), description="Default of all runs; of genomes only."
    )
    profiles: StudyProfileSettings = Field(
        default=StudyProfileSettings(),
        description="Search for the profiles of datasets and inputs that bring none.",
    )
    prediction: StudyPredictionSettings = StudyPredictionSettings()
    report: ReportSettings = ReportSettings()
    device: Device = Field(default="auto", description="Where training and prediction run.")
    license: str | None = Field(
        default=None,
        description="SPDX identifier of the licence of the models, such as `MIT`; it stands in the "
        "RO-Crates and model cards of the runs.",
    )
    authors: list[Author] = Field(
        default_factory=list,
        description="Who makes the runs, for their RO-Crates: names, each with its ORCID if there "
        "is one, as in `Jane Doe 0000-0002-1825-0097`.",
    )
    data_dir: str | None = Field(
        default=None,
        description="Folder with copies of files: a URL is taken from this folder if it has a "
        "file of the same name. The checksum is still checked.",
    )

    @property
    def cross_validations(self) -> dict[str, list[str]]:
        """The runs of each cross-validation, in the order of their folds, by its name."""
        found: dict[str, list[str]] = {}
        for name, run in self.runs.items():
            whole, ending, rest = name.rpartition(f"-fold{run.fold}")
            # A run may have a fold and a name of its own: it is part of no cross-validation.
            if ending and not rest and whole not in self.runs:
                found.setdefault(whole, []).append(name)
        return found

    @model_validator(mode="before")
    @classmethod
    def _runs_become_folds(cls, value: Any) -> Any:
        return with_folds(value)

    @model_validator(mode="before")
    @classmethod
    def _runs_inherit(cls, value: Any) -> Any:
        return with_shared_settings(value)

    # Pydantic calls the last of several "before" validators first.
    @model_validator(mode="before")
    @classmethod
    def _sweeps_become_runs(cls, value: Any) -> Any:
        return with_sweeps(value)

    @model_validator(mode="after")
    def _datasets_exist(self) -> Config:
        if not self.runs:
            raise ValueError("runs: a run or a sweep was expected")
        if taken := _OTHER_RESULTS & {*self.runs, *self.cross_validations}:
            raise ValueError(
                f"runs: a run cannot be called '{min(taken)}': results/{min(taken)} is another "
                "result; choose another name"
            )
        self._check_circles()
        for name, run in self.runs.items():
            if run.dataset not in self.datasets:
                guess = did_you_mean(run.dataset, self.datasets)
                raise ValueError(f"runs.{name}.dataset: no dataset '{run.dataset}'{guess}")
            self._check_run(name, run)
        for name, dataset in self.datasets.items():
            for other in dataset.train_also:
                if other not in self.datasets or other == name:
                    raise ValueError(f"datasets.{name}.train_also: no other dataset '{other}'")
        return self

    def _check_circles(self) -> None:
        links = {
            name: [(key, other) for key, other in run.made_of if other in self.runs]
            for name, run in self.runs.items()
        }
        try:
            TopologicalSorter(
                {name: [other for _, other in found] for name, found in links.items()}
            ).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            key = next(key for key, other in links[circle[0]] if other == circle[1])
            raise ValueError(
                f"runs.{circle[0]}.{key}: runs are made of each other in a circle: "
                f"{' of '.join(circle)}; leave out one of these links"
            ) from None

    def _check_run(self, name: str, run: RunSettings) -> None:
        folds = self.datasets[run.dataset].split.folds
        if run.fold is not None and run.fold > folds:
            raise ValueError(f"runs.{name}.fold: fold {run.fold} of {folds} does not exist")
        for member in run.members:
            trained = self.runs.get(member)
            if trained is None or trained.members or trained.data != run.data:
                raise ValueError(
                    f"runs.{name}.members: '{member}' is no trained run on '{run.dataset}'"
                )
        if run.teacher is not None and (
            run.teacher not in self.runs
            or run.teacher == name
            or self.runs[run.teacher].teacher is not None
            or run.members
        ):
            raise ValueError(
                f"runs.{name}.teacher: '{run.teacher}' is no other run without a teacher"
            )
        if run.parent is not None:
            self._check_parent(name, run)
        if len(run.members) == 1:
            raise ValueError(f"runs.{name}.members: two runs or more were expected")
        if run.average_weights:
            self._check_averaged(name, run)

    def _check_averaged(self, name: str, run: RunSettings) -> None:
        if not run.members:
            raise ValueError(f"runs.{name}.average_weights: there are no `members`")
        for member in run.members:
            if self.runs[member].parent is None:
                raise ValueError(
                    f"runs.{name}.average_weights: '{member}' starts from no model (`from`), and "
                    "weights can be averaged only of models with one start"
                )

    def _check_parent(self, name: str, run: RunSettings) -> None:
        if run.members:
            raise ValueError(f"runs.{name}.from: the models of an ensemble are not trained again")
        if run.parent in self.runs or "/" in str(run.parent):
            return
        known = [*self.runs, *bundled_models()]
        if run.parent not in known:
            guess = did_you_mean(str(run.parent), known) or f"; there are: {', '.join(known)}"
            raise ValueError(f"runs.{name}.from: no run or model '{run.parent}'{guess}")

    def reads_profiles(self, run: str) -> bool:
        """Return whether the model of a run reads profiles."""
        known = self.runs[run]
        if known.members:
            return any(map(self.reads_profiles, known.members))
        # The network of a run that starts from another one reads at least what that one reads.
        if "profile" in known.model.inputs:
            return True
        if known.parent in self.runs:
            return self.reads_profiles(str(known.parent))
        return any("profile" in network.inputs for network in self._networks(run))

    @cached_property
    def _given_networks(self) -> dict[str, Architecture]:
        # The networks of the models that runs start from and that are no runs, if they are there.
        named = {run.parent for run in self.runs.values() if run.parent not in {None, *self.runs}}
        folders = {str(name): bundled_models().get(str(name), Path(str(name))) for name in named}
        return {
            name: architectures_of(load_metadata(folder))[0]
            for name, folder in folders.items()
            if (folder / METADATA_FILE).is_file()
        }

    def _networks(self, run: str) -> list[ModelSettings | Architecture]:
        known = self.runs[run]
        if known.members:
            return [network for name in known.members for network in self._networks(name)]
        # The network of a run that starts from another one is that of (a member of) the other one.
        if known.parent in self.runs:
            return self._networks(str(known.parent))[:1]
        return [self._given_networks.get(str(known.parent), known.model)]

    def part(self, names: Iterable[str]) -> dict[str, Any]:
        """Return some runs, and all that they refer to, as the content of a study of their own."""
        runs: dict[str, RunSettings] = {}
        datasets: dict[str, DatasetSettings] = {}
        left = list(names)
        for name in left:
            if name in self.runs and name not in runs:
                runs[name] = self.runs[name]
                left += [other for _, other in runs[name].made_of]
        left = [run.dataset for run in runs.values()]
        for name in left:
            if name not in datasets:
                datasets[name] = self.datasets[name]
                left += datasets[name].train_also
        groups: dict[str, dict[str, Settings]] = {"datasets": {**datasets}, "runs": {**runs}}
        content: dict[str, Any] = {
            group: {name: _as_given(one) for name, one in found.items()}
            for group, found in groups.items()
        }
        searched = datasets.keys() & self.searched_datasets
        return content | ({"profiles": _as_given(self.profiles)} if searched else {})

    def has_page(self, run: str) -> bool:
        """Return whether the model of a run is also written as a page."""
        prepare = self.datasets[self.runs[run].dataset].prepare
        network, *others = self._networks(run)
        simple = network.network in ("gru", "conv") and network.attention == "none"
        simple = simple and all(other == network for other in others)
        features = prepare.format != "genome" or prepare.scheme != NO_CLASSES.name
        return self.report.page and simple and features and not self.reads_profiles(run)

    @property
    def searched_datasets(self) -> set[str]:
        """The datasets whose profiles are searched for.

        Without a database, sequences that join training have the profiles of themselves alone.
        """
        read = {run.dataset for name, run in self.runs.items() if self.reads_profiles(name)}
        if self.profiles.database is not None:
            read |= {other for name in read for other in self.datasets[name].train_also}
        return {name for name in read if not self.datasets[name].brings_profiles}

    @model_validator(mode="after")
    def _formats_can_be_written(self) -> Config:
        for name, run in self.runs.items() if self.prediction.inputs else ():
            dataset = self.datasets[run.dataset]
            kind: Kind = "genome" if dataset.prepare.format == "genome" else "sequences"
            targets = [
                target.target()
                for target in dataset.targets
                if target.shipped and target.name in (run.model.targets or [target.name])
            ]
            classes = [target.scheme for target in targets if target.scheme is not None]
            further = any(target.scheme or target.regions for target in targets)
            schemes = [dataset.prepare.label_scheme.headline, *classes]
            for form in self.prediction.formats:
                if problem := unfit(form, kind, schemes, further):
                    raise ValueError(
                        f"prediction.formats: run '{name}': {problem[0]}; leave it out"
                    )
        return self

    @model_validator(mode="after")
    def _profiles_come_from_somewhere(self) -> Config:
        if self.profiles.database is not None:
            return self
        hint = "give its profiles, or profiles.database to search"
        for name in sorted(self.searched_datasets):
            raise ValueError(f"datasets.{name}: a run reads profiles; {hint}")
        if any(map(self.reads_profiles, self.runs)):
            for name in self.prediction.inputs:
                if name not in self.prediction.profiles:
                    raise ValueError(f"prediction.inputs.{name}: a run reads profiles; {hint}")
        return self


def _as_given(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
