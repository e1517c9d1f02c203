"""Additional targets of a dataset: what else is known of each residue, and where to read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from grubio.config.base import Settings, Source, former_key, from_yaml
from grubio.config.labels import parse_scheme
from grubio.config.profiles import PROFILES_HELP
from grubio.sequences.scheme import SCHEMES
from grubio.sequences.target import SOFT_COLUMN, WEIGHT_COLUMN, Regions, Target

_KNOWN: Mapping[str, Mapping[str, Any]] = {
    "accessibility": {"answers": "tenths", "range": (0, 1), "weight": 0.3, "column": "rsa"},
    # Substitution frequencies among the homologs of a chain, in sixty-thirds.
    "profile": {
        "answers": "shares",
        "scheme": "amino_acids=ACDEFGHIKLMNPQRSTVWY",
        "weight": 0,
        "shipped": False,
    },
    **{name: {"scheme": name} for name in SCHEMES},
}
_TAKEN = (
    *("p", "id", "position", "residue", "label", "labels", "observed", "mask", "sequence"),
    *("profile_frequencies", "profile_depth", "profile_neff", SOFT_COLUMN, WEIGHT_COLUMN),
)
_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"


class RegionSettings(Settings):
    """Which stretches of a value are called."""

    name: str = Field(pattern=_NAME, description="What they are called.")
    threshold: float = Field(description="Values below it belong to a region.")
    above: bool = Field(default=False, description="Whether instead values above it do.")
    least: int = Field(default=1, ge=1, description="Least number of residues of a region.")


class TargetSettings(Settings):
    """A target besides the labels, or instead of them: classes with a scheme, or values.

    On the command line it is one word: NAME, NAME=SCHEME, NAME=value or NAME=LOW..HIGH, each also
    with @FILE.
    """

    name: str = Field(
        pattern=_NAME,
        description="Its name in the dataset, the model and the predictions. `accessibility`, "
        "`profile`, `ss3` and `ss8` are known: the other keys have defaults for them.",
    )
    kind: Literal["classes", "value"] = Field(
        default="classes", description="A class for each residue, or a number."
    )
    scheme: str | None = Field(
        default=None,
        description="The classes: `ss3`, `ss8`, NAME=LETTER:class,LETTER:class, or their letters.",
    )
    range: tuple[float, float] | None = Field(
        default=None,
        description="Lowest and highest value, if values have such limits by their nature; values "
        "without a range are standardised by the mean and the deviation of the training values.",
    )
    weight: float = Field(
        default=1, ge=0, description="Weight of its loss relative to that of the labels."
    )
    column: str | None = Field(
        default=None,
        pattern=_NAME,
        description="Its column in a table of records, in its file and in predictions; by default "
        "its name.",
    )
    file: Source | None = Field(
        default=None,
        description="File with its answers, unless these are a column of the records (formats "
        "`tsv` and `parquet`) or a tag of theirs (`tagged`): a table with the id and the answers, "
        "also as Parquet, or for `shares` a NumPy archive. Of a genome: bedGraph or BigWig.",
    )
    answers: Literal["labels", "numbers", "tenths", "shares"] | None = Field(
        default=None,
        description="How answers are written: `labels` (a letter per residue, `?` unknown), "
        "`numbers` (separated by commas; empty, `NA` or `nan` where unknown), `tenths` (of the "
        "range, a digit per residue, `-` unknown) or `shares` (of each class, from 0 to 255: array "
        "`freq` of an archive, or a column of the records, all classes of the first residue, then "
        "of the second).",
    )
    shipped: bool = Field(
        default=True,
        description="Whether the model predicts it; otherwise it is used in training only.",
    )
    regions: RegionSettings | None = Field(
        default=None,
        description="Of values: which stretches predictions list as regions, such as `{name: "
        "disordered, threshold: 8, least: 30}`: at least so many residues below the threshold.",
    )

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = from_yaml(value) if value.startswith("{") else _from_word(value)
        if not isinstance(value, Mapping):
            return value
        name, scheme = value.get("name"), value.get("scheme")
        if not {"kind", "scheme", "range", "answers"} & value.keys():
            value = {**_KNOWN.get(str(name), {}), **value}
        elif isinstance(scheme, str) and scheme not in SCHEMES and "=" not in scheme:
            value = {**value, "scheme": f"{name}={scheme}"}
        if value.get("range") is not None or value.get("answers") in ("numbers", "tenths"):
            value = {"kind": "value", **value}
        return value

    @field_validator("scheme")
    @classmethod
    def _scheme_exists(cls, value: str | None) -> str | None:
        if value is not None:
            parse_scheme(value)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> TargetSettings:
        of_values = self.answers in ("numbers", "tenths")
        if self.kind == "classes":
            if self.scheme is None:
                raise ValueError(f"target {self.name}: give the scheme of its classes, or a range")
            if of_values or self.range is not None:
                raise ValueError(f"target {self.name}: classes have neither numbers nor a range")
        elif self.scheme is not None or self.answers in ("labels", "shares"):
            raise ValueError(f"target {self.name}: a value has neither classes nor labels")
        if self.kind == "classes" and self.regions is not None:
            raise ValueError(f"target {self.name}: regions are of values, and these are classes")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"target {self.name}: the range is empty")
        for word in (self.name, self.target().heading):
            if word in _TAKEN or word.startswith("p_"):
                raise ValueError(f"a target or its column cannot be called '{word}'")
        return self

    def target(self) -> Target:
        """Return the target as datasets and models hold it."""
        low, high = self.range or ((0, 1) if self.answers == "tenths" else (-math.inf, math.inf))
        return Target(
            self.name,
            self.kind,
            # A grammar is for the labels.
            parse_scheme(self.scheme).with_grammar(None) if self.scheme else None,
            low,
            high,
            weight=self.weight,
            column=self.column or "",
            shares=self.answers == "shares",
            shipped=self.shipped,
            regions=None if self.regions is None else Regions(**self.regions.model_dump()),
        )


class AdditionalTargets(Settings):
    """What is known of the residues of a dataset besides the labels, or instead of them."""

    profiles: Source | None = Field(
        default=None,
        description=f"Profiles of the records, for models that read them. {PROFILES_HELP} A NumPy "
        "archive with an array `freq` instead, the residues of all records in their order, becomes "
        "the target `profile`.",
    )
    targets: list[TargetSettings] = Field(
        default_factory=list,
        description="What else is known of each residue and can be learned besides the labels: "
        "names, or the keys of `targets`. Without labels (`scheme: none`) the first is the main "
        "target, and has to be a value.",
    )
    former: ClassVar = {
        "accessibility": ("targets", lambda file: [{"name": "accessibility", "file": file}]),
    }
    accessibility: Source | None = former_key("targets: [{name: accessibility, file: FILE}]")

    @field_validator("targets")
    @classmethod
    def _distinct(cls, value: list[TargetSettings]) -> list[TargetSettings]:
        for words in ([t.name for t in value], [t.target().heading for t in value]):
            if twice := [word for word in words if words.count(word) > 1]:
                raise ValueError(f"'{twice[0]}' occurs twice")
        return value


def _from_word(text: str) -> dict[str, Any]:
    """Return the keys that one word of the command line stands for.

    Examples
    --------
    >>> _from_word("disorder=0..1@values.tsv")
    {'name': 'disorder', 'file': 'values.tsv', 'range': ['0', '1']}
    >>> _from_word("score=value")
    {'name': 'score', 'kind': 'value'}
    >>> _from_word("topology=I:inside,M:membrane")
    {'name': 'topology', 'scheme': 'I:inside,M:membrane'}
    """
    meaning, at, file = text.partition("@")
    name, equals, classes = meaning.partition("=")
    content: dict[str, Any] = {"name": name} | ({"file": file} if at else {})
    if ".." in classes:
        return content | {"range": classes.split("..")}
    if classes == "value":
        return content | {"kind": classes}
    return content | ({"scheme": classes} if equals else {})


FORMER_TARGETS = tuple(
    TargetSettings.model_validate(name).target() for name in ("accessibility", "profile")
)
"""The additional targets of a dataset of grubio 0.1, which does not list its targets."""
