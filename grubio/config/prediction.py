"""Prediction: how an input is labelled, and what is written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from grubio.config.base import Device, EachOnce, Name, OnInvalid, Settings, Source, did_you_mean
from grubio.config.formats import PredictionFormat, described_formats
from grubio.config.labels import GrammarRules
from grubio.config.profiles import PROFILES_HELP
from grubio.sequences.kind import Kind
from grubio.sequences.locus import STRANDS, Strand


class CallSettings(Settings):
    """What counts as a label and as a segment."""

    min_confidence: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Least probability of a label; residues below it have the label `?` and are in "
        "no segment. Not for genome models, which have `min_score`.",
    )
    min_segment: int = Field(
        default=1, ge=1, description="Least number of residues or bases of a segment."
    )
    max_gap: int = Field(
        default=0,
        ge=0,
        description="Segments of one class with no more residues than this between them are "
        "joined, except those of the background. Not for genome models.",
    )
    region_threshold: float | None = Field(
        default=None,
        description="Values below it are a region, or above it if the model says so; by default "
        "the threshold of the model, if it has one. Not for genome models.",
    )
    min_region: int | None = Field(
        default=None,
        ge=1,
        description="Least number of residues of a region of values; by default that of the model. "
        "Not for genome models.",
    )

    @property
    def about_labels(self) -> tuple[float, int, int]:
        """The settings for labels."""
        return self.min_confidence, self.min_segment, self.max_gap


class GenomeSettings(Settings):
    """What is written of a genome; other models ignore it."""

    strand: Literal["both", "+", "-"] = Field(
        default="both", description="Strands to label: `both`, `+` or `-`."
    )
    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Least mean probability of a called site or segment; by default the thresholds "
        "of the model for sites, and none for segments.",
    )

    min_contig: int = Field(
        default=100,
        ge=1,
        description="Contigs with fewer bases get no called sites, since too little lies around "
        "them; they are named. Their probabilities are written.",
    )
    introns: bool = Field(
        default=False,
        description="Add introns to GFF3, by gene, from the called donors and acceptors: a donor "
        "before an acceptor, none that overlap, of all those the most likely.",
    )
    least_intron: int = Field(
        default=30, ge=4, description="Least bases of an intron, with `introns`."
    )

    @property
    def strands(self) -> tuple[Strand, ...]:
        """The strands to label."""
        return STRANDS if self.strand == "both" else (self.strand,)


class _LabellingSettings(Settings):
    on_invalid: OnInvalid = Field(
        default="error",
        description="Records with invalid letters: stop (`error`), leave out (`skip`), or read "
        "the letters as unknown residues (`mask`).",
    )
    grammar: GrammarRules = Field(
        default=None,
        description="What the labels obey, besides what the model's own grammar says: keys of "
        "`prepare.grammar`, which take the place of the same ones there; or `none`.",
    )
    calls: CallSettings = CallSettings()
    genome: GenomeSettings = GenomeSettings()

    def for_kind(self, kind: Kind) -> Self:
        """Return the settings with those that a kind of model ignores at their defaults."""
        unused: dict[str, Settings] = {"genome": GenomeSettings()}
        if kind == "genome":
            unused = {"calls": CallSettings(min_segment=self.calls.min_segment)}
        return self.model_copy(update=unused)


class PredictionSettings(_LabellingSettings):
    """How one input is labelled."""

    scheme: str | None = Field(
        default=None,
        description="Labels to write, for example `ss3` or `ss8`; by default the model's coarsest.",
    )
    alphabet: Literal["protein", "dna"] | None = Field(
        default=None,
        description="What the input is, whatever it looks like: `protein` or `dna`; left out, "
        "what the letters of its first records say.",
    )
    device: Device = Field(
        default="auto", description="Where to compute; `auto` takes a GPU if there is one."
    )
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads to use; by default all that are allowed."
    )


class StudyPredictionSettings(_LabellingSettings):
    """What is labelled once the models are trained."""

    inputs: dict[Name, Source] = Field(
        default_factory=dict, description="FASTA files to label, by name."
    )
    profiles: dict[Name, Source] = Field(
        default_factory=dict,
        description="Profiles or alignments of inputs, by the same names, for models that read "
        f"them; those of other inputs are searched for in `profiles.database`. {PROFILES_HELP}",
    )
    formats: Annotated[list[PredictionFormat], EachOnce] = Field(
        default=["tsv"],
        min_length=1,
        description=f"Formats to write for each input: {described_formats()}.",
    )
    shards: int = Field(
        default=1,
        ge=1,
        description="Jobs that label an input in parallel; the output does not depend on it.",
    )

    @model_validator(mode="after")
    def _profiles_are_of_inputs(self) -> Self:
        for name in self.profiles:
            if name not in self.inputs:
                guess = did_you_mean(name, self.inputs)
                raise ValueError(f"profiles.{name}: no input '{name}' in inputs{guess}")
        return self
