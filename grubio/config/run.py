"""A run of a study: what it is trained on, from and how."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grubio.config.base import EachOnce, Name, Settings, Source
from grubio.config.model import (
    EvaluationSettings,
    ModelSettings,
    MotifSettings,
    TrainingSettings,
)


class StudyMotifSettings(MotifSettings):
    """How the motifs of a run on a genome are shown."""

    database: Source | None = Field(
        default=None,
        description="Known motifs, in MEME, JASPAR, HOMER or TRANSFAC format: the most similar one "
        "of each class is named.",
    )


class RunSettings(Settings):
    """One trained model. Missing keys are taken from the top-level groups of the same name."""

    dataset: Name = Field(description="Name of one of the datasets.")
    fold: int | None = Field(
        default=None,
        ge=1,
        description="Which fold of the dataset is tested (`split.folds`). A run without it becomes "
        "one for each fold, NAME-fold1 and so on, and their scores together are those of NAME.",
    )
    members: Annotated[list[Name], EachOnce] = Field(
        default_factory=list,
        description="Runs on the same dataset whose models are averaged, in place of training. Of "
        "`model` and `training`, only `weight_precision` counts.",
    )
    average_weights: bool = Field(
        default=False,
        description="The model of `members` is one network of their mean weights, instead of an "
        "ensemble. They must have been trained from one model (`from`), and heads that begin fresh "
        "with one seed.",
    )
    teacher: Name | None = Field(
        default=None,
        description="Run whose model is the teacher: its probabilities for the training chains are "
        "learned besides the labels.",
    )
    parent: str | None = Field(
        default=None,
        alias="from",
        description="Model to start from: another run, the name of a bundled model, or the folder "
        "of a model. The network is its own; of `model`, only what the run itself says counts. "
        "`inputs` may name `profile` in addition.",
    )
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    motifs: StudyMotifSettings = StudyMotifSettings()

    @property
    def made_of(self) -> list[tuple[str, str]]:
        """The runs and models that it needs, each after the key that names it."""
        single = [
            (key, one) for key, one in (("teacher", self.teacher), ("from", self.parent)) if one
        ]
        return [*(("members", member) for member in self.members), *single]

    @property
    def data(self) -> tuple[str, int | None]:
        """The dataset, and which fold of it."""
        return self.dataset, self.fold
