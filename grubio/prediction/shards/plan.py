"""What a file of a shard says of itself: the plan that it belongs to, and its number."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import TypeAdapter

from grubio.datasets.validation import Tally
from grubio.sequences.locus import Strand


@dataclass(frozen=True)
class ShardPlan:
    """What was cut, for which model, into how many shards.

    Attributes
    ----------
    input_sha256
        Of the FASTA file, as it is on the disk.
    model_sha256
        Of the model's ``model.json``, which holds the SHA-256 of the weights.
    on_invalid
        What was done with invalid records.
    shards
        How many.
    tally
        What was read, changed and refused in the whole input.
    """

    input_sha256: str
    model_sha256: str
    on_invalid: str
    shards: int
    tally: Tally

    def as_json(self) -> str:
        """Return the plan as JSON; the same plan is the same text."""
        return json.dumps({**vars(self), "tally": vars(self.tally)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ShardPlan:
        """Return the plan that :meth:`as_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class Shard:
    """What a file of a shard says of itself.

    Attributes
    ----------
    plan
        The plan that it belongs to.
    number
        1-based.
    computed
        With what it was computed, for example ``cpu with AVX2``; empty for records.
    strands
        Strands that were labelled, for genome models.
    rows
        Records, parts of contigs, predictions or stretches in the file.
    """

    plan: ShardPlan
    number: int
    computed: str = ""
    strands: tuple[Strand, ...] = ()
    rows: int = 0


def shard_name(number: int, shards: int) -> str:
    """Return the name of a shard, as Snakemake calls its scattered items.

    Examples
    --------
    >>> shard_name(3, 16)
    '3-of-16'
    """
    return f"{number}-of-{shards}"
