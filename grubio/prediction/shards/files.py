"""The files of a prediction in shards.

An input is cut into shards of about equal numbers of residues. ``K-of-N.records.parquet`` holds
the checked records of a shard, in the order of the input, and ``K-of-N.probabilities.parquet`` the
model's predictions for them, bit for bit, so that any format can be written from it later. A shard
holds whole records; only a contig that is labelled window by window is cut, at the border of two
cores, and its parts have the bases on both sides that their windows see.

Every file carries the plan that it belongs to. Files of two plans are never mixed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from grubio.extras import needs

with needs("parquet", "a prediction in shards"):
    import pyarrow as pa

from grubio.datasets.parquet import open_parquet
from grubio.datasets.validation import Tally
from grubio.errors import GrubioError
from grubio.sequences.locus import Strand
from grubio.sequences.windows import ContigPart
from grubio.writers.parquet_groups import ParquetGroups

PART_COLUMNS = {
    "id": "string",
    "description": "string",
    "sequence": "large_string",
    "mask": "large_string",
    "length": "int64",
    "offset": "int64",
    "first": "int64",
    "last": "int64",
}
"""Names and Arrow types of the columns that hold a record, or a part of a contig."""

_RESIDUES_PER_GROUP = 200_000
_KEY = b"grubio_shard"
_NO_SHARD = ("is damaged, or not a shard of a prediction", "label it again")


@dataclass(frozen=True)
class ShardPlan:
    """What is cut, for which model, into how many shards.

    Attributes
    ----------
    input_sha256
        Of the FASTA file, as it is on disk.
    model_sha256
        Of the model's ``model.json``, which holds the SHA-256 of the weights.
    on_invalid
        The policy for invalid records.
    shards
        Number of shards.
    tally
        What was read, changed and refused in the whole input.
    grammar
        The grammar that labels obey instead of the model's, as in
        :class:`grubio.config.PredictionSettings`.
    """

    input_sha256: str
    model_sha256: str
    on_invalid: str
    shards: int
    tally: Tally
    grammar: dict[str, Any] | str | None = None

    def as_json(self) -> str:
        """Return the plan as JSON; the same plan is the same text."""
        return json.dumps({**vars(self), "tally": vars(self.tally)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan that :meth:`as_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class Shard:
    """The plan and the number of a shard file.

    Attributes
    ----------
    plan
        The plan that it belongs to.
    number
        1-based.
    computed
        The hardware that computed it, for example ``cpu with AVX2``; empty for records.
    strands
        Strands that were labelled, for genome models.
    profiles
        What its profiles depend on: :attr:`grubio.prediction.profiles.ProfileSource.described`.
    rows
        Records, parts of contigs, predictions or regions in the file.
    """

    plan: ShardPlan
    number: int
    computed: str = ""
    strands: tuple[Strand, ...] = ()
    profiles: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0


def shard_writer(
    path: Path, shard: Shard, columns: Mapping[str, str]
) -> ParquetGroups[Mapping[str, Any]]:
    """Return a writer that takes rows and their residues; columns as in :data:`PART_COLUMNS`."""
    about = {
        "plan": shard.plan.as_json(),
        "number": shard.number,
        "computed": shard.computed,
        "strands": "".join(shard.strands),
        "profiles": shard.profiles,
    }
    schema = pa.schema(
        [pa.field(*column) for column in columns.items()], {_KEY: json.dumps(about).encode()}
    )
    # Probabilities do not repeat; a dictionary of them only costs time.
    return ParquetGroups(
        path,
        schema,
        partial(pa.Table.from_pylist, schema=schema),
        _RESIDUES_PER_GROUP,
        use_dictionary=False,
        write_statistics=False,
    )


def part_row(part: ContigPart) -> dict[str, Any]:
    """Return a record, or a part of a contig, as a row."""
    return {name: getattr(part, name) for name in PART_COLUMNS}


def read_shard(path: str | Path) -> Shard:
    """Return the plan and the number of a file.

    Raises
    ------
    GrubioError
        If it is missing, damaged, or not a shard.
    """
    with open_parquet(path, *_NO_SHARD) as parquet:
        metadata = (parquet.schema_arrow.metadata or {}).get(_KEY)
        rows = parquet.metadata.num_rows
    if metadata is None:
        raise GrubioError("is not a shard of a prediction", path=path)
    about = json.loads(metadata)
    plan, strands = ShardPlan.from_json(about["plan"]), tuple(about["strands"])
    # Files of an earlier version do not say it.
    profiles = about.get("profiles", {})
    return Shard(plan, about["number"], about["computed"], strands, profiles, rows)


def read_parts(path: str | Path) -> Iterator[ContigPart]:
    """Yield the records, or parts of contigs, of a shard."""
    return (ContigPart(**row) for row in read_rows(path))


def read_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a shard."""
    with open_parquet(path, *_NO_SHARD) as parquet:
        for group in range(parquet.num_row_groups):
            yield from parquet.read_row_group(group).to_pylist()


def records_path(folder: Path, number: int, shards: int) -> Path:
    """Return the path of the records of a shard, named as Snakemake names scattered items.

    Examples
    --------
    >>> records_path(Path("a"), 3, 16).name
    '3-of-16.records.parquet'
    """
    return folder / f"{number}-of-{shards}.records.parquet"


def probabilities_path(folder: Path, number: int, shards: int) -> Path:
    """Return the path of the probabilities of a shard."""
    return folder / f"{number}-of-{shards}.probabilities.parquet"
