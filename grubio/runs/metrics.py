"""The metrics of a run: the content of ``metrics.json``, which evaluate writes and the pages read.

Scores are keys next to the others, such as ``q3``, ``mcc`` and ``gain_over_majority``; which scores
there are depends on the classes. A key that is neither known nor a score is refused.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from grubio.errors import GrubioError
from grubio.files import write_text_whole
from grubio.metrics.bootstrap import Score
from grubio.runs.files import METRICS_FILE


def _from_number(content: object) -> object:
    if content is None or isinstance(content, Score | dict):
        return content or Score()
    if isinstance(content, bool) or not isinstance(content, int | float):
        raise ValueError(f"a number was expected, {content!r} was found")
    return Score() if math.isnan(content) else Score(float(content))


StoredScore = Annotated[Score, BeforeValidator(_from_number), PlainSerializer(Score.as_dict)]
"""A score with its interval; a bare number, as other programs write it, is read as well."""
Scores = dict[str, StoredScore]


def _named(name: str) -> Any:
    # For a key that is a reserved word in Python.
    return Field(default=None, validation_alias=name, serialization_alias=name)


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class _WithScores(_Content):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: Scores = Field(init=False)

    @property
    def scores(self) -> Scores:
        """The scores by name."""
        return self.__pydantic_extra__

    def add(self, scores: Mapping[str, Score]) -> None:
        """Add scores by name; one of the same name is replaced."""
        self.__pydantic_extra__.update(scores)

    def score(self, key: str) -> Score:
        """Return a score by name; it has no value if there is none."""
        return self.__pydantic_extra__.get(key, Score())


class Counts(_Content):
    """How much was tested; ``blocks`` is for genomes."""

    chains: int | None = None
    scored_chains: int | None = None
    residues: int | None = None
    scored_residues: int | None = None
    blocks: int | None = None


class ClassScores(_WithScores):
    """The scores of one class, and the number of test residues in it."""

    support: int = 0


class Band(_WithScores):
    """The headline score of the test chains of similar length, or of similar identity."""

    first: int | None = _named("from")
    last: int | None = _named("to")
    band: str | None = None
    chains: int
    residues: int

    @property
    def name(self) -> str:
        """What the chains have in common."""
        if self.band is not None:
            return self.band
        return f"{self.first}+" if self.last is None else f"{self.first}-{self.last}"


class Region(_Content):
    """Scores of sites in one region of a genome, by tolerance as ``tolerance_3``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Scores] = Field(init=False)
    base_average_precision: StoredScore = Score()

    def within(self, bases: int) -> Scores:
        """Return the scores with this tolerance for the start of a site."""
        return self.__pydantic_extra__.get(f"tolerance_{bases}", {})


class SiteMethod(_Content):
    """Scores of a class of sites by one method, over all test blocks and near known sites."""

    genome: Region = Region()
    near_known: Region = Region()
    strand_consistency: StoredScore = Score()


class SiteClass(_Content):
    """A class of fixed width: its known sites and the scores of each method."""

    name: str
    width: int
    count: int
    kilobases: dict[str, float]
    methods: dict[str, SiteMethod]
    gain: Scores = {}


class DenseClass(_Content):
    """A class of varying width: its bases and the scores of each method."""

    name: str
    count: int
    methods: dict[str, Scores]
    gain: Scores = {}


class Headline(_Content):
    """Which score comes first, and for a genome, of which class."""

    key: str
    letter: str | None = _named("class")
    name: str | None = None


class Independence(_Content):
    """How much of the test blocks of a genome was seen in training, in bases."""

    shared_bases: int | None = None
    nearest: int | None = None
    bases: int | None = None
    repeated_bases: int | None = None


class FoldScores(_Content):
    """One fold of a cross-validation.

    ``run`` is the folder of its run, relative to that of the cross-validation.
    """

    run: str
    records: int
    scores: Scores

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.run.rsplit("/", 1)[-1]

    def score(self, key: str) -> Score:
        """Return a score by name; it has no value if there is none."""
        return self.scores.get(key, Score())


class TrainingOverlap(_Content):
    """How many tested records were in the training data of a model, or are similar to it.

    The model is the one that was tested or one that it was started from. ``seen`` and ``similar``
    are None if its training data are not known.
    """

    model: str
    records: int
    seen: int | None
    similar: int | None


class Metrics(_WithScores):
    """The content of ``metrics.json``; scores of the whole test set are among its keys.

    ``unlike_training`` says how the tested sequences differ from those of the training, if they do.
    """

    counts: Counts = Counts()
    headline: Headline | None = None
    reduction: str = ""
    classes: dict[str, dict[str, ClassScores]] = {}
    baselines: dict[str, Scores] = {}
    by_length: list[Band] = []
    by_identity: list[Band] = []
    targets: dict[str, Scores] = {}
    sites: dict[str, SiteClass] | None = None
    dense: dict[str, DenseClass] | None = None
    independence: Independence = Independence()
    unlike_training: str | None = None
    training_overlap: list[TrainingOverlap] = []
    folds: list[FoldScores] = []
    provenance: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _targets_together(cls, content: Any) -> Any:
        # In files of grubio 0.1 the scores of an additional target are at the top level.
        if not isinstance(content, dict):
            return content
        additional = {
            key: scores
            for key, scores in content.items()
            if key not in cls.model_fields and isinstance(scores, dict) and "pearson" in scores
        }
        others = {key: value for key, value in content.items() if key not in additional}
        return {**others, "targets": additional} if additional else content

    def spread(self, key: str) -> tuple[float | None, float | None]:
        """Return the mean and the standard deviation of a score over the folds."""
        values = [fold.score(key).value for fold in self.folds]
        known = [value for value in values if value is not None]
        if len(known) < 2:
            return None, None
        return statistics.mean(known), statistics.stdev(known)

    def as_dict(self) -> dict[str, Any]:
        """Return the content of the file: what was measured, under the keys of the file."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def write(self, folder: Path) -> None:
        """Write ``metrics.json`` into the folder of a run."""
        text = json.dumps(self.as_dict(), indent=2, sort_keys=True, allow_nan=False)
        write_text_whole(folder / METRICS_FILE, text + "\n")


def read_metrics(folder: Path) -> Metrics:
    """Return the metrics of a run.

    Raises
    ------
    GrubioError
        If there are none, or the file holds anything but scores.
    """
    path = folder / METRICS_FILE
    try:
        return Metrics.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GrubioError(
            f"has no {METRICS_FILE}", path=folder, hint="evaluate the run first: grubio evaluate"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise GrubioError(
            f"{place}: {first['msg']}" if place else f"cannot be read: {first['msg']}",
            path=path,
            hint="write it again: grubio evaluate",
        ) from error
    except (OSError, ValueError) as error:
        raise GrubioError(f"cannot be read: {error}", path=path) from error
