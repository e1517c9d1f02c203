"""How homologs are searched for, and where the profiles of a dataset or an input come from."""

from __future__ import annotations

from pydantic import Field

from grubio.config.alignment_formats import described_alignment_formats
from grubio.config.base import Settings, Source

PROFILES_HELP = (
    "File of profiles or alignments, or a folder of them by the ids of the records: "
    f"{described_alignment_formats()}."
)
DATABASE_HELP = "Proteins to search for homologs with MMseqs2: FASTA, or a database of MMseqs2."


class SearchSettings(Settings):
    """How MMseqs2 searches a database for homologs of each sequence."""

    iterations: int = Field(
        default=3,
        ge=1,
        le=10,
        description="Searches one after the other, each with the profile that the one before "
        "found.",
    )
    max_evalue: float = Field(
        default=0.001, gt=0, description="E-value up to which a sequence joins the alignment."
    )
    max_sequences: int = Field(
        default=1000, ge=1, description="Most sequences in an alignment that are looked at."
    )
    sensitivity: float = Field(
        default=5.7,
        ge=1,
        le=7.5,
        description="Sensitivity of MMseqs2: 1 is fast, 7.5 finds the most remote homologs.",
    )
    batch_records: int = Field(
        default=500,
        ge=1,
        description="Sequences that are searched for at once; a search that was killed resumes "
        "after the last batch.",
    )


class StudyProfileSettings(SearchSettings):
    """How the profiles of datasets and inputs that bring none are searched for."""

    database: Source | None = Field(default=None, description=DATABASE_HELP)
    shards: int = Field(
        default=1, ge=1, description="Jobs that search for the homologs of a dataset or an input."
    )
