"""Prediction: what is labelled, and what is written of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grubio.config.base import Name, OnInvalid, Settings, Source

PredictionFormat = Literal[
    "tsv", "parquet", "ss2", "horiz", "fasta", "gff3", "bed", "bedgraph", "bigwig"
]


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
    min_segment: int = Field(
        default=1, ge=1, description="Least number of bases of a called segment."
    )


class PredictionSettings(Settings):
    """What is labelled once the models are trained."""

    inputs: dict[Name, Source] = Field(
        default_factory=dict, description="FASTA files to label, by name."
    )
    formats: list[PredictionFormat] = Field(
        default=["tsv"],
        min_length=1,
        description="Formats to write for each input. `tsv`, `parquet` and `gff3` for any model, "
        "`fasta`, and for secondary structure `ss2` and `horiz`; for models of a genome also "
        "`bed`, `bedgraph` and `bigwig`, the last two as folders with a file per class and strand.",
    )
    on_invalid: OnInvalid = Field(
        default="error", description="As for datasets: `error`, `skip` or `mask`."
    )
    shards: int = Field(
        default=1,
        ge=1,
        description="Jobs that label an input side by side; what is written does not depend on it.",
    )
    genome: GenomeSettings = GenomeSettings()
