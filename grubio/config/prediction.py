"""Prediction: what is labelled, and what is written of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grubio.config.base import Name, OnInvalid, Settings, Source

PredictionFormat = Literal[
    "tsv",
    "parquet",
    "ss2",
    "horiz",
    "fasta",
    "gff3",
    "json",
    "html",
    "segments",
    "summary",
    "bed",
    "bedgraph",
    "bigwig",
    "igv",
]


class CallSettings(Settings):
    """What counts as a label and as a segment."""

    min_confidence: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Least probability of a label; a residue below has the label `?` and belongs "
        "to no segment. Not for models of a genome, which have `min_score`.",
    )
    min_segment: int = Field(
        default=1, ge=1, description="Least number of residues or bases of a segment."
    )
    max_gap: int = Field(
        default=0,
        ge=0,
        description="Segments of one class with no more residues than this between them are one, "
        "except those of the background. Not for models of a genome.",
    )

    def of_genomes(self) -> CallSettings:
        """Return what holds for models of a genome, the rest as by default."""
        return CallSettings(min_segment=self.min_segment)


class GenomeSettings(Settings):
    """What is written of a genome; other models have no use for it."""

    strand: Literal["both", "+", "-"] = Field(
        default="both", description="Strands to label: `both`, `+` or `-`."
    )
    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Least mean probability of a called site or segment; left out, the "
        "thresholds of the model for sites and none for segments.",
    )


class PredictionSettings(Settings):
    """What is labelled once the models are trained."""

    inputs: dict[Name, Source] = Field(
        default_factory=dict, description="FASTA files to label, by name."
    )
    formats: list[PredictionFormat] = Field(
        default=["tsv"],
        min_length=1,
        description="Formats to write for each input. `tsv`, `parquet`, `gff3` and `html` for any "
        "model; `fasta`, `json`, `segments` and `summary` for sequences, `ss2` and `horiz` for "
        "secondary structure; for models of a genome `bed`, and as folders `bedgraph`, `bigwig` "
        "(a file per class and strand) and `igv` (a session with all that it shows).",
    )
    on_invalid: OnInvalid = Field(
        default="error", description="As for datasets: `error`, `skip` or `mask`."
    )
    shards: int = Field(
        default=1,
        ge=1,
        description="Jobs that label an input side by side; what is written does not depend on it.",
    )
    calls: CallSettings = CallSettings()
    genome: GenomeSettings = GenomeSettings()
