"""The cost of a prediction: the size of an input, and a rate measured on a sample of it."""

import math
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from grubio.config import PredictionSettings
from grubio.datasets.validation import checked_records
from grubio.errors import GrubioError
from grubio.prediction.opening import opened
from grubio.profiles.source import with_profiles
from grubio.sequences.record import Record

# Enough to fill a batch of the predictor, so that the rate is that of a long run.
_SAMPLED_RECORDS = 192
_SAMPLED_RESIDUES = 128_000
# Half an hour is little to lose, and long compared with the time to start.
_SHARD_SECONDS = 1800
_FEW_SECONDS = 600
_START_SECONDS = 5


@dataclass(frozen=True)
class Size:
    """The size of an input.

    Attributes
    ----------
    records, residues
        Their numbers.
    longest
        Residues of the longest record.
    """

    records: int
    residues: int
    longest: int


@dataclass(frozen=True)
class Cost:
    """The cost of a prediction.

    Attributes
    ----------
    size
        The input.
    residues_per_second
        Of one core; for a genome, bases of which both strands are labelled.
    jobs
        Jobs of one core that run at the same time.
    shards
        Pieces to cut the input into.
    cpu_hours
        Core hours of all jobs, including their start.
    hours
        Time from the start to the end.
    """

    size: Size
    residues_per_second: float
    jobs: int
    shards: int
    cpu_hours: float
    hours: float


def cost_of(size: Size, residues_per_second: float, jobs: int, *, cut_records: bool) -> Cost:
    """Return the cost of a prediction.

    Parameters
    ----------
    size
        The input.
    residues_per_second
        Rate of one core.
    jobs
        Jobs of one core.
    cut_records
        Whether a record may be cut between shards, as a contig may and a protein may not.

    Examples
    --------
    Swiss-Prot with 10,000 residues a second:

    >>> cost = cost_of(Size(570_000, 206_000_000, 35_213), 10_000, 16, cut_records=False)
    >>> cost.shards, round(cost.cpu_hours, 1), round(cost.hours, 2)
    (16, 5.7, 0.36)
    """
    seconds = size.residues / residues_per_second
    shards = 1
    if seconds > _FEW_SECONDS or jobs > 1:
        # As many rounds of all jobs as it takes to keep a shard short.
        shards = jobs * math.ceil(seconds / jobs / _SHARD_SECONDS)
    if not cut_records:
        shards = min(shards, size.records)
    rounds = math.ceil(shards / jobs)
    each = seconds / shards + _START_SECONDS
    return Cost(size, residues_per_second, jobs, shards, shards * each / 3600, rounds * each / 3600)


def measured_cost(sequences: str, model: Path | None, jobs: int) -> tuple[Cost, int]:
    """Read an input, label a sample of it here for some seconds, and return the cost of it all.

    The rate does not include writing outputs. By default the model is the best bundled one for the
    input.

    Returns
    -------
    Cost
        For jobs of one core like those of this machine.
    int
        Peak memory of this process in bytes, which is about what a job needs, including the text
        of the longest record; 0 where it cannot be measured.

    Raises
    ------
    GrubioError
        If the input or the model is at fault.
    """
    settings = PredictionSettings(on_invalid="mask", device="cpu", threads=1)
    _, kind, records = opened(sequences, (), model, settings)
    size, sample = _size_and_sample(
        checked_records(records, kind.bundle.alphabet, settings.on_invalid, path=sequences)
    )
    if not sample:
        raise GrubioError("no record could be labelled", path=sequences)
    predictor = kind.predictor()
    if kind.bundle.reads_profiles:
        sample = list(with_profiles(sample, None))
    started = time.perf_counter()
    for _ in kind.answers(predictor, sample):
        pass
    taken = time.perf_counter() - started
    rate = sum(map(len, sample)) / taken
    found = cost_of(size, rate, jobs, cut_records=kind.cuts_records)
    return found, _peak_memory()


def _size_and_sample(records: Iterable[Record]) -> tuple[Size, list[Record]]:
    # A reservoir (Vitter, 1985, algorithm R), so that the sample is of the whole input.
    generator = random.Random(0)
    count = residues = longest = 0
    sample: list[Record] = []
    for record in records:
        count += 1
        residues += len(record)
        longest = max(longest, len(record))
        place = len(sample) if len(sample) < _SAMPLED_RECORDS else generator.randrange(count)
        if place < _SAMPLED_RECORDS:
            # Labels and masks do not matter, and a piece of a contig is enough.
            piece = replace(record, sequence=record.sequence[:_SAMPLED_RESIDUES], mask=None)
            sample[place : place + 1] = [piece]
    kept: list[Record] = []
    held = 0
    for record in generator.sample(sample, len(sample)):
        if held < _SAMPLED_RESIDUES:
            kept.append(record)
            held += len(record)
    return Size(count, residues, longest), kept


def _peak_memory() -> int:
    try:
        import resource
    except ImportError:
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
