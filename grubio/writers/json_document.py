"""JSON: one document, with one sequence per line.

The document's shape is :class:`Predictions`; its JSON Schema is
``grubio/writers/predictions.schema.json``. It is written sequence by sequence, so that memory
does not grow with their number. Numbers have four decimals. Positions are 1-based, both ends
inside.
"""

import json
from dataclasses import asdict
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from grubio import __version__
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.best_path import best_classes
from grubio.sequences.target import Target
from grubio.writers.text import Content, TextFormat

_VERSION = 1
_Share = Annotated[float, Field(ge=0, le=1)]
_Letter = Annotated[str, Field(min_length=1, max_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Scheme(_Part):
    """The classes."""

    name: str
    letters: str = Field(description="One letter per class.")
    class_names: list[str] = Field(description="A name for each letter.")
    background: _Letter | None = Field(description="The class of what is nothing else, or null.")


class JsonSegment(_Part):
    """A run of residues of one class."""

    start: int = Field(ge=1, description="First residue, 1-based.")
    end: int = Field(ge=1, description="Last residue, inside.")
    label: _Letter
    confidence: _Share = Field(description="Mean probability of the class.")


class JsonClasses(_Part):
    """What is predicted for an additional target of classes."""

    labels: str = Field(description="One letter per residue.")
    probabilities: dict[_Letter, list[_Share]] = Field(description="By letter of the class.")


class JsonValues(_Part):
    """What is predicted for a target of values, with the standard deviation of each."""

    values: list[float]
    deviations: list[float]


class JsonTopology(_Part):
    """What the labels of a model of membrane topology say of a protein."""

    kind: str = Field(description="`globular`, `signal peptide`, `membrane protein`, ...")
    signal_probability: _Share = Field(description="Probability of a signal peptide.")
    cleavage_site: int | None = Field(description="Last residue of the signal peptide, or null.")
    cleavage_probability: _Share | None = Field(description="Of the end of it there, or null.")
    helices: list[tuple[int, int]] = Field(description="Membrane helices, first and last residue.")
    strands: list[tuple[int, int]] = Field(description="Barrel strands, first and last residue.")
    n_terminus: str | None = Field(description="`inside` or `outside`; null without a membrane.")
    type: str = Field(description="`I`, `II` or `III` of one helix, `multi-pass`, or empty.")
    string: str = Field(description="Sides and membrane segments, such as `i7-29o44-66i`.")


class JsonRegion(_Part):
    """A stretch of values beyond a threshold, such as a disordered one."""

    start: int = Field(ge=1, description="First residue, 1-based.")
    end: int = Field(ge=1, description="Last residue, inside.")
    name: str
    target: str = Field(description="Name of the value.")
    mean: float = Field(description="Its mean.")


class JsonSequence(_Part):
    """A sequence; strings and lists have one entry per residue.

    Further keys are the names of additional targets, such as ``accessibility``: a list of values,
    values and deviations, or labels and probabilities. A model of values alone has no labels.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[float] | JsonValues | JsonClasses] = Field(init=False)

    id: str
    sequence: str = Field(min_length=1, description="Residues, case kept.")
    labels: str = Field(
        default="", description="One letter per residue, `?` where it is not confident."
    )
    confidence: list[_Share] = Field(default=[], description="Probability of the label.")
    probabilities: dict[_Letter, list[_Share]] = Field(
        default={}, description="Probabilities of each class, by letter."
    )
    segments: list[JsonSegment] = []
    protein: JsonTopology | None = Field(
        default=None, description="Left out unless the labels are membrane topology."
    )
    regions: list[JsonRegion] = Field(
        default=[], description="Left out unless regions of a value are called."
    )
    depth: int | None = Field(
        default=None,
        ge=0,
        description="Sequences in the alignment behind the profile; 0 if it is not known. Left out "
        "for a model that reads no profiles.",
    )


class Predictions(_Part):
    """Predictions of grubio for sequences."""

    format: Literal["grubio-predictions"]
    version: Literal[1] = Field(description="Changes when readers have to.")
    grubio: str = Field(description="Version of grubio that wrote it.")
    model: str = Field(default="", description="The model, and what it was trained on.")
    scheme: Scheme
    sequences: list[JsonSequence]


def predictions_schema() -> str:
    """Return the JSON Schema of the document, as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Predictions.model_json_schema(),
    }
    return json.dumps(schema, indent=2) + "\n"


class JsonFormat(TextFormat[LabelledSequence]):
    """One document of labelled sequences."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._first = True

    def header(self) -> str:
        """Return the document up to its first sequence."""
        scheme = self.content.scheme
        head = {
            "format": "grubio-predictions",
            "version": _VERSION,
            "grubio": __version__,
            "model": self.content.model,
            "scheme": {
                "name": scheme.name,
                "letters": scheme.letters,
                "class_names": list(scheme.class_names),
                "background": scheme.background,
            },
        }
        return json.dumps(head)[:-1] + ', "sequences": ['

    def text(self, item: LabelledSequence) -> str:
        """Return one sequence."""
        content: dict[str, object] = {"id": item.id, "sequence": item.sequence}
        if item.scheme.size:
            columns = [_rounded(column) for column in item.probabilities.T]
            content |= {
                "labels": item.labels,
                "confidence": _rounded(item.confidence),
                "probabilities": dict(zip(item.scheme.letters, columns, strict=True)),
            }
        content |= {
            target.name: _additional(target, found) for target, found in item.additional.items()
        }
        if item.scheme.size:
            content["segments"] = [
                {
                    "start": s.start,
                    "end": s.end,
                    "label": s.label,
                    "confidence": round(s.confidence, 4),
                }
                for s in item.segments()
            ]
        content |= _called(item)
        if item.depth is not None:
            content["depth"] = item.depth
        before, self._first = "\n" if self._first else ",\n", False
        return before + json.dumps(content)

    def footer(self) -> str:
        """Return the end of the document."""
        return "\n]}\n"


def _called(item: LabelledSequence) -> dict[str, object]:
    content: dict[str, object] = {}
    if (found := item.topology()) is not None:
        chance = found.cleavage_probability
        content["protein"] = {
            "kind": found.kind,
            "signal_probability": round(found.signal_probability, 4),
            "cleavage_site": found.cleavage,
            "cleavage_probability": None if chance is None else round(chance, 4),
            "helices": found.helices,
            "strands": found.strands,
            "n_terminus": found.n_terminus,
            "type": found.type,
            "string": found.string,
        }
    if any(target.regions is not None for target in item.additional):
        content["regions"] = [
            asdict(region) | {"mean": round(region.mean, 4)} for region in item.regions()
        ]
    return content


def _additional(target: Target, found: npt.NDArray[np.float32]) -> object:
    if target.spread:
        return {"values": _rounded(found[:, 0]), "deviations": _rounded(found[:, 1])}
    if target.scheme is None:
        return _rounded(found)
    return {
        "labels": target.scheme.decode(*best_classes([found], target.scheme)),
        "probabilities": dict(zip(target.scheme.letters, map(_rounded, found.T), strict=True)),
    }


def _rounded(values: npt.NDArray[np.float32]) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
