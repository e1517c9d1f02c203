"""Prediction from files to files: FASTA in, any of the output formats out."""

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grubio.config import Output, PredictionSettings
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.overwriting import keeps_inputs
from grubio.prediction.opening import opened
from grubio.prediction.profiles import ProfileSource
from grubio.sequences.record import Record
from grubio.text import plural

logger = logging.getLogger(__name__)


@keeps_inputs("sequences", "model", "profiles")
def predict_file(
    sequences: str,
    outputs: Sequence[Output],
    model: Path | Sequence[Path] | None = None,
    settings: PredictionSettings | None = None,
    profiles: ProfileSource | None = None,
) -> Tally:
    """Label the records of a FASTA file (``-``: standard input) and write them in its order.

    Parameters
    ----------
    sequences
        FASTA, plain or compressed.
    outputs
        What to write; all are written in one pass, and none is left half-written.
    model
        Folder of a model bundle, or of several whose answers stand side by side
        (:mod:`grubio.prediction.several`); by default the best bundled model for the input.
    settings
        How to label; the schema's defaults if None.
    profiles
        Where the profiles come from, for a model that reads them.

    Returns
    -------
    Tally
        What was read, changed and refused.

    Raises
    ------
    GrubioError
        If the input, the model or an output is at fault.
    """
    settings = settings or PredictionSettings()
    profiles = profiles or ProfileSource()
    _, kind, records = opened(sequences, outputs, model, settings)
    profiles.require_fit(kind.bundle)
    predictor = kind.predictor()
    tally = Tally()
    checked = checked_records(
        records, kind.bundle.alphabet, settings.on_invalid, path=sequences, tally=tally
    )
    profiled = profiles.added(some(checked, sequences), threads=settings.threads)
    kind.write(kind.answers(predictor, profiled), outputs)
    warn_of_refused(tally)
    return tally


def warn_of_refused(tally: Tally) -> None:
    """Log which records were left out."""
    for name, reason in tally.refused:
        logger.warning("not labelled: record '%s': %s", name, reason)
    if (more := tally.read - tally.kept - len(tally.refused)) > 0:
        logger.warning("not labelled: %s", plural(more, "more record"))


def some(records: Iterable[Record], path: str) -> Iterator[Record]:
    """Return the records; the first is read at once, before an output is begun.

    Raises
    ------
    GrubioError
        If there is none.
    """
    following = iter(records)
    first = next(following, None)
    if first is None:
        raise GrubioError("no record could be labelled", path=path)
    return itertools.chain([first], following)
