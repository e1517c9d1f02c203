"""Prediction in shards: an input is cut, its shards are labelled anywhere, and put together.

The three steps are functions on files, so that a cluster can run them and a run that was killed
can go on. What is written in the end is written by the same writers as in one go, of the same
bits: a shard has the answers that its records have among all others.

Records are checked before the input is cut. So a bad record stops a prediction before its first
shard is labelled, and the shards need not be checked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from grubio.config import CallSettings, Device, GenomeSettings, OnInvalid
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.files import (
    STDIO,
    open_input,
    sha256_of_file,
    written_whole,
)
from grubio.inference.predictor import Prediction, Predictor
from grubio.inference.stretches import Stretch
from grubio.model.bundle import METADATA_FILE, Bundle, load_bundle
from grubio.overwriting import keeps_inputs
from grubio.prediction.predict_file import (
    Output,
    some,
    wanted_scheme,
    write_predictions,
)
from grubio.prediction.predict_genome import strands_of, write_stretches
from grubio.prediction.shards.files import (
    part_row,
    prediction_row,
    predictions_writer,
    read_parts,
    read_predictions,
    read_shard,
    read_stretches,
    records_writer,
    stretch_row,
    stretches_writer,
)
from grubio.prediction.shards.plan import Plan, Shard, shard_name
from grubio.progress import counted, watched
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.sequences.windows import ContigPart, windows

logger = logging.getLogger(__name__)


@keeps_inputs("sequences", "model")
def cut_input(
    sequences: str | Path,
    folder: Path,
    shards: int,
    *,
    model: Path,
    on_invalid: OnInvalid = "error",
) -> Plan:
    """Check the records of a FASTA file and cut them into shards of about equal residues.

    Parameters
    ----------
    sequences
        FASTA, plain or compressed; read several times, so not standard input.
    folder
        Gets ``K-of-N.records.parquet`` for each shard; some may hold no record.
    shards
        How many.
    model
        Folder of the model that is going to label them.
    on_invalid
        ``error``, ``skip`` or ``mask``, as for :func:`grubio.datasets.validation.checked_records`.

    Raises
    ------
    GrubioError
        If the input or the model is at fault, or the input changes meanwhile.
    """
    if str(sequences) == STDIO:
        raise GrubioError("standard input cannot be cut into shards", hint="give a file")
    bundle = load_bundle(model)
    with open_input(sequences):
        before = sha256_of_file(sequences)

    def checked(tally: Tally) -> Iterator[Record]:
        records = read_fasta(sequences)
        found = checked_records(records, bundle.alphabet, on_invalid, path=sequences, tally=tally)
        return some(found, str(sequences))

    tally = Tally()
    for _ in checked(tally):
        pass
    plan = Plan(before, sha256_of_file(model / METADATA_FILE), on_invalid, shards, tally)
    parts = _parts(checked(Tally()), bundle, plan)
    following = next(parts, None)
    for number in range(1, shards + 1):
        path = records_path(folder, number, shards)
        with (
            written_whole(path) as temporary,
            records_writer(temporary, Shard(plan, number)) as writer,
        ):
            while following is not None and following[0] == number:
                writer.add(part_row(following[1]), len(following[1].sequence))
                following = next(parts, None)
    if sha256_of_file(sequences) != before:
        raise GrubioError("changed while it was read", path=sequences, hint="start again")
    return plan


@keeps_inputs("records", "model", outputs=("output",))
def label_shard(
    records: Path,
    output: Path,
    *,
    model: Path,
    device: Device = "auto",
    threads: int | None = None,
    genome: GenomeSettings | None = None,
) -> None:
    """Label the records of a shard and keep the probabilities bit for bit.

    Parameters
    ----------
    records
        A file that :func:`cut_input` wrote.
    output
        File to write.
    model
        Folder of the model that the input was cut for.
    device, threads
        Where to compute.
    genome
        For models of a genome: the strands to label.

    Raises
    ------
    GrubioError
        If a file is at fault or was made for another model.
    """
    shard = read_shard(records)
    bundle = _bundle_of(shard.plan, model, records)
    wanted_scheme(bundle, None, genome, None)
    predictor = Predictor(bundle, device, threads)
    strands = strands_of(genome or GenomeSettings()) if bundle.sites is not None else ()
    done = Shard(shard.plan, shard.number, predictor.described, strands)
    parts = read_parts(records)
    if bundle.sites is not None:
        stretches = predictor.stretches(parts, strands)
        with written_whole(output) as temporary, stretches_writer(temporary, done) as writer:
            for stretch in counted(stretches, ("stretches", "bases")):
                writer.add(stretch_row(stretch), len(stretch) * len(strands))
        return
    whole = (Record(part.id, part.description, part.sequence, mask=part.mask) for part in parts)
    with written_whole(output) as temporary, predictions_writer(temporary, done) as writer:
        for prediction in watched(predictor.predict, whole):
            writer.add(prediction_row(prediction), len(prediction.record))


@keeps_inputs("labelled", "model")
def gather_shards(
    labelled: Sequence[Path],
    outputs: Sequence[Output],
    *,
    model: Path,
    scheme: str | None = None,
    genome: GenomeSettings | None = None,
    calls: CallSettings | None = None,
) -> Tally:
    """Write the outputs of a prediction from all of its shards.

    Parameters
    ----------
    labelled
        Files that :func:`label_shard` wrote, in any order.
    outputs, scheme, genome, calls
        As for :func:`grubio.prediction.predict_file.predict_file`.
    model
        Folder of the model.

    Raises
    ------
    GrubioError
        If a shard is missing, comes twice or is of another input, or an output is at fault.
    """
    found = [(read_shard(path), path) for path in labelled]
    if not found:
        raise GrubioError("no shards were given")
    plan = found[0][0].plan
    for shard, path in found:
        if shard.plan != plan or shard.strands != found[0][0].strands:
            raise GrubioError(
                f"is not of the same input, model and settings as {found[0][1]}", path=path
            )
    ordered = sorted(found, key=lambda pair: pair[0].number)
    if [shard.number for shard, _ in ordered] != list(range(1, plan.shards + 1)):
        raise GrubioError(
            f"{plan.shards} shards were expected, each once; got numbers "
            + ", ".join(str(shard.number) for shard, _ in ordered)
        )
    if len({shard.computed for shard, _ in found}) > 1:
        logger.warning(
            "the shards were computed in different ways (%s): last digits may differ from those "
            "of a prediction in one go",
            "; ".join(sorted({shard.computed for shard, _ in found})),
        )
    bundle = _bundle_of(plan, model, found[0][1])
    target = wanted_scheme(bundle, scheme, genome, calls)
    paths = [path for _, path in ordered]
    if bundle.sites is None:
        predictions = _chained_predictions(paths, bundle)
        exposed = any(target.name == "accessibility" for target in bundle.targets)
        write_predictions(predictions, outputs, target, exposed, calls)
    else:
        settings = genome or GenomeSettings()
        if strands_of(settings) != found[0][0].strands:
            raise GrubioError("the shards were labelled on other strands", path=found[0][1])
        places = [(output.path, output.format) for output in outputs]
        stretches = _chained_stretches(paths, bundle, settings)
        write_stretches(stretches, bundle, places, settings, calls)
    return plan.tally


def records_path(folder: Path, number: int, shards: int) -> Path:
    """Return the path of the records of a shard."""
    return folder / f"{shard_name(number, shards)}.records.parquet"


def probabilities_path(folder: Path, number: int, shards: int) -> Path:
    """Return the path of the probabilities of a shard."""
    return folder / f"{shard_name(number, shards)}.probabilities.parquet"


def _parts(
    records: Iterable[Record], bundle: Bundle, plan: Plan
) -> Iterator[tuple[int, ContigPart]]:
    """Yield the number of a shard and what belongs to it, in order."""
    before = 0
    for record in records:
        size = len(record)
        # A record that is labelled at once is one window.
        pieces = windows(size) if bundle.sites is not None else windows(size, size)
        numbered = (
            ((before + window.first) * plan.shards // plan.tally.residues + 1, window)
            for window in pieces
        )
        for number, group in groupby(numbered, key=itemgetter(0)):
            found = [window for _, window in group]
            start, end = found[0].start, found[-1].end
            yield (
                number,
                ContigPart(
                    record.id,
                    record.description,
                    record.sequence[start:end],
                    record.mask and record.mask[start:end],
                    size,
                    start,
                    found[0].first,
                    found[-1].last,
                ),
            )
        before += size


def _bundle_of(plan: Plan, model: Path, path: Path) -> Bundle:
    bundle = load_bundle(model)
    if sha256_of_file(model / METADATA_FILE) != plan.model_sha256:
        raise GrubioError(f"was made for another model than {model}", path=path)
    return bundle


def _chained_predictions(paths: Sequence[Path], bundle: Bundle) -> Iterator[Prediction]:
    for path in paths:
        yield from read_predictions(path, bundle.scheme)


def _chained_stretches(
    paths: Sequence[Path], bundle: Bundle, settings: GenomeSettings
) -> Iterator[Stretch]:
    for path in paths:
        yield from read_stretches(path, bundle.scheme, strands_of(settings))
