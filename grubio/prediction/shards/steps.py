"""Prediction in shards: an input is cut, its shards are labelled anywhere, the outputs gathered.

The three steps are functions on files, so that a cluster can run them and a run that was killed
can be resumed. The outputs are the same to the last bit as in one go: the predictions for a record
do not depend on its shard.

Records are checked before the input is cut, so a bad record stops a prediction before the first
shard is labelled, and shards need not be checked.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from grubio.config import Output, PredictionSettings
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.files import STDIO, open_input, sha256_of_file, written_whole
from grubio.model.bundle import METADATA_FILE, load_bundle
from grubio.overwriting import keeps_inputs
from grubio.prediction.kinds import model_kind
from grubio.prediction.model_kind import ModelKind
from grubio.prediction.opening import opened
from grubio.prediction.predict_file import some
from grubio.prediction.profiles import ProfileSource
from grubio.prediction.shards.files import (
    PART_COLUMNS,
    Shard,
    ShardPlan,
    part_row,
    read_parts,
    read_rows,
    read_shard,
    records_path,
    shard_writer,
)
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.sequences.windows import ContigPart

logger = logging.getLogger(__name__)


@keeps_inputs("sequences", "model")
def cut_input(
    sequences: str | Path,
    folder: Path,
    shards: int,
    model: Path,
    settings: PredictionSettings,
    *,
    announced: bool = False,
) -> ShardPlan:
    """Check the records of a FASTA file and cut them into shards of about equal residues.

    Parameters
    ----------
    sequences
        FASTA, plain or compressed; read several times, so not standard input.
    folder
        Gets ``K-of-N.records.parquet`` for each shard; some may hold no record.
    shards
        Number of shards.
    model
        Folder of the model that will label them.
    settings
        How to label; the policy for invalid records is applied here, and the grammar holds for all
        steps.
    announced
        Whether the model was named before; see :func:`grubio.prediction.opening.opened`.

    Raises
    ------
    GrubioError
        If the input or the model is at fault, or the input changes during the cut.
    """
    if str(sequences) == STDIO:
        raise GrubioError("standard input cannot be cut into shards", hint="give a file")
    with open_input(sequences):
        before = sha256_of_file(sequences)
    _, kind, _ = opened(str(sequences), (), model, settings, announced=announced)

    def checked(tally: Tally) -> Iterator[Record]:
        records = read_fasta(sequences)
        found = checked_records(
            records, kind.bundle.alphabet, settings.on_invalid, path=sequences, tally=tally
        )
        return some(found, str(sequences))

    tally = Tally()
    for _ in checked(tally):
        pass
    digest = sha256_of_file(model / METADATA_FILE)
    plan = ShardPlan(before, digest, settings.on_invalid, shards, tally, settings.grammar)
    parts = _parts(checked(Tally()), kind, plan)
    following = next(parts, None)
    for number in range(1, shards + 1):
        path = records_path(folder, number, shards)
        with (
            written_whole(path) as temporary,
            shard_writer(temporary, Shard(plan, number), PART_COLUMNS) as writer,
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
    model: Path,
    settings: PredictionSettings,
    profiles: ProfileSource | None = None,
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
    settings
        Where to compute, and the strands of a genome.
    profiles
        Where the profiles come from, for a model that reads them.

    Raises
    ------
    GrubioError
        If a file is at fault or was made for another model.
    """
    shard = read_shard(records)
    kind = _kind_of(shard.plan, model, settings, records)
    profiles = profiles or ProfileSource()
    profiles.require_fit(kind.bundle)
    predictor = kind.predictor()
    done = Shard(
        shard.plan, shard.number, predictor.described, kind.content.strands, profiles.described
    )
    with (
        written_whole(output) as temporary,
        shard_writer(temporary, done, kind.row_columns) as writer,
    ):
        parts: Iterable[Record | ContigPart] = read_parts(records)
        if kind.bundle.reads_profiles:
            parts = profiles.added(
                (part.record for part in read_parts(records)),
                whole=False,
                threads=settings.threads,
            )
        for answer in kind.answers(predictor, parts):
            writer.add(*kind.row(answer))


@keeps_inputs("labelled", "model")
def gather_shards(
    labelled: Sequence[Path], outputs: Sequence[Output], model: Path, settings: PredictionSettings
) -> Tally:
    """Write the outputs of a prediction from all of its shards.

    Parameters
    ----------
    labelled
        Files that :func:`label_shard` wrote, in any order.
    outputs
        What to write; all are written in one pass, and none is left half-written.
    model
        Folder of the model.
    settings
        What to write of the probabilities, and the strands of a genome that were labelled.

    Raises
    ------
    GrubioError
        If a shard is missing, occurs twice or is of another input, or an output is at fault.
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
            "the shards were computed on different hardware (%s): last digits may differ from "
            "those of a prediction in one go",
            "; ".join(sorted({shard.computed for shard, _ in found})),
        )
    if any(shard.profiles != found[0][0].profiles for shard, _ in found):
        logger.warning("the shards were labelled with profiles of different files or searches")
    kind = _kind_of(plan, model, settings, found[0][1])
    if kind.content.strands != found[0][0].strands:
        raise GrubioError("the shards were labelled on other strands", path=found[0][1])
    rows = (row for _, path in ordered for row in read_rows(path))
    kind.write(kind.read(rows), outputs)
    return plan.tally


def _parts(
    records: Iterable[Record], kind: ModelKind[Any, Any, Any], plan: ShardPlan
) -> Iterator[tuple[int, ContigPart]]:
    """Yield the number of a shard and what belongs to it, in order."""
    before = 0
    for record in records:
        size = len(record)
        numbered = (
            ((before + window.first) * plan.shards // plan.tally.residues + 1, window)
            for window in kind.windows(size)
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


def _kind_of(
    plan: ShardPlan, model: Path, settings: PredictionSettings, path: Path
) -> ModelKind[Any, Any, Any]:
    kind = model_kind(load_bundle(model), settings.model_copy(update={"grammar": plan.grammar}))
    if sha256_of_file(model / METADATA_FILE) != plan.model_sha256:
        raise GrubioError(f"was made for another model than {model}", path=path)
    return kind
