"""Prediction from files to files: FASTA in, any of the output formats out."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grubio.config import CallSettings, Device, GenomeSettings, OnInvalid, PredictionFormat
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.zoo import default_model
from grubio.overwriting import keeps_inputs, refuse_outputs
from grubio.prediction.predict_genome import predict_contigs, require_calls_of_genomes
from grubio.progress import watched
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA, PROTEIN, looks_like_dna
from grubio.sequences.record import Record
from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.writers.open_writer import COMPRESSED, open_writer

logger = logging.getLogger(__name__)

_JUDGED_RECORDS = 5
_JUDGED_RESIDUES = 100_000


@dataclass(frozen=True)
class Output:
    """One file to write: ``-``, a file or a folder, and its format."""

    path: str
    format: PredictionFormat


@keeps_inputs("sequences", "model")
def predict_file(
    sequences: str,
    outputs: Sequence[Output],
    *,
    model: Path | None = None,
    scheme: str | None = None,
    on_invalid: OnInvalid = "error",
    device: Device = "auto",
    threads: int | None = None,
    genome: GenomeSettings | None = None,
    calls: CallSettings | None = None,
) -> Tally:
    """Label the records of a FASTA file (``-``: standard input) and write them in their order.

    Parameters
    ----------
    sequences
        FASTA, plain or compressed.
    outputs
        What to write; all are written in one pass, and none is left half-written.
    model
        Folder of a model bundle; by default the best bundled model for the input.
    scheme
        Scheme to write: the model's own or one it reduces to. By default the model's headline
        scheme.
    on_invalid
        ``error``, ``skip`` or ``mask``, as for :func:`grubio.datasets.validation.checked_records`.
    genome
        What to write with a model of a genome; the schema's defaults if left out.
    calls
        What counts as a label and as a segment; the schema's defaults if left out.

    Returns
    -------
    Tally
        What was read, changed and refused.

    Raises
    ------
    GrubioError
        If the input, the model or an output is at fault.
    """
    require_proper(outputs)
    records: Iterable[Record] = read_fasta(sequences)
    if model is None:
        model, records = with_model_for(records)
    bundle = load_bundle(model)
    target = wanted_scheme(bundle, scheme, genome, calls)
    predictor = Predictor(bundle, device, threads)
    exposed = any(target.name == "accessibility" for target in bundle.targets)
    tally = Tally()
    checked = some(
        checked_records(records, bundle.alphabet, on_invalid, path=sequences, tally=tally),
        sequences,
    )
    if bundle.sites is not None:
        places = [(output.path, output.format) for output in outputs]
        predict_contigs(predictor, checked, places, genome or GenomeSettings(), calls)
    else:
        predictions = watched(predictor.predict, checked)
        write_predictions(predictions, outputs, target, exposed, calls)
    warn_of_refused(tally)
    return tally


def wanted_scheme(
    bundle: Bundle, scheme: str | None, genome: GenomeSettings | None, calls: CallSettings | None
) -> LabelScheme:
    """Return the scheme to write, if all that is asked for can be had of the model.

    Raises
    ------
    GrubioError
        If the model has no such scheme, or settings are not for a model of its kind.
    """
    if bundle.sites is not None:
        require_calls_of_genomes(calls or CallSettings())
    elif genome not in (None, GenomeSettings()):
        raise GrubioError("the model is not of a genome; it has no strands and no sites")
    return output_scheme(bundle.scheme, scheme)


def warn_of_refused(tally: Tally) -> None:
    """Say which records were left out."""
    for name, reason in tally.refused:
        logger.warning("not labelled: record '%s': %s", name, reason)
    if (more := tally.read - tally.kept - len(tally.refused)) > 0:
        logger.warning("not labelled: %d more records", more)


def require_proper(outputs: Sequence[Output]) -> None:
    """Refuse outputs that would overwrite one another, or be named for what they are not.

    Raises
    ------
    GrubioError
        If two outputs are the same place, or one has the ending of a compressed file.
    """
    refuse_outputs([output.path for output in outputs])
    for output in outputs:
        ending = Path(output.path).suffix
        if ending.lower() in COMPRESSED:
            raise GrubioError(
                "outputs are not compressed",
                path=output.path,
                hint=f"leave out {ending} and compress the file afterwards, "
                "or write Parquet, which is compressed inside",
            )


def write_predictions(
    predictions: Iterable[Prediction],
    outputs: Sequence[Output],
    scheme: LabelScheme,
    accessibility: bool,
    calls: CallSettings | None = None,
) -> None:
    """Write predictions to all outputs in one pass.

    Parameters
    ----------
    predictions
        In order.
    outputs
        None is left half-written.
    scheme
        Scheme to write.
    accessibility
        Whether the predictions have it.
    calls
        What counts as a label and as a segment; the schema's defaults if left out.

    Raises
    ------
    GrubioError
        If an output is at fault.
    """
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                open_writer(
                    output.path, output.format, scheme, accessibility=accessibility, calls=calls
                )
            )
            for output in outputs
        ]
        for prediction in predictions:
            for write in writers:
                write(prediction)


def output_scheme(own: LabelScheme, wanted: str | None) -> LabelScheme:
    """Return the scheme to write: the wanted one, or the model's headline scheme for None.

    Without a name it is the coarsest.

    Raises
    ------
    GrubioError
        If the model has no such scheme.
    """
    if wanted is None:
        return own.headline
    if wanted == own.name:
        return own
    if wanted == own.reduces_to:
        return SCHEMES[wanted]
    names = [own.name] + ([own.reduces_to] if own.reduces_to else [])
    raise GrubioError(f"the model has no scheme '{wanted}'; it has {' and '.join(names)}")


def some(records: Iterable[Record], path: str) -> Iterator[Record]:
    """Pass records on; the first is read at once, before an output is begun.

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


def model_for(records: Iterable[Record]) -> Path:
    """Return the folder of the best bundled model for an input, by its first records."""
    return _best_model(_first_few(records))


def with_model_for(records: Iterable[Record]) -> tuple[Path, Iterator[Record]]:
    """Return :func:`model_for` the records, and all of the records."""
    following = iter(records)
    ahead = deque(_first_few(following))

    def all_of_them() -> Iterator[Record]:
        while ahead:
            yield ahead.popleft()
        yield from following

    return _best_model(ahead), all_of_them()


def _best_model(records: Iterable[Record]) -> Path:
    return default_model(DNA if _all_dna(records) else PROTEIN)


def _first_few(records: Iterable[Record]) -> list[Record]:
    # Of a genome one contig is enough; five chromosomes would have to be held.
    few: list[Record] = []
    held = 0
    for record in records:
        few.append(record)
        held += len(record)
        if len(few) == _JUDGED_RECORDS or held >= _JUDGED_RESIDUES:
            break
    return few


def _all_dna(records: Iterable[Record]) -> bool:
    judged = [looks_like_dna(record.sequence) for record in records if len(record) >= 50]
    return bool(judged) and all(judged)
