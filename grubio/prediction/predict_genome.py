"""Prediction on genomes: contigs in; sites, segments, tracks or tables of both strands out.

The text of one contig at a time is held, twice while it is read. Everything else that is held does
not grow with the contigs: the windows of one batch, and features that wait for a segment that
begins before them and has not ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from grubio.config import CallSettings, GenomeSettings, PredictionFormat
from grubio.errors import GrubioError
from grubio.inference.called_features import FeatureCaller
from grubio.inference.predictor import Predictor
from grubio.inference.stretches import Stretch
from grubio.model.bundle import Bundle
from grubio.progress import counted
from grubio.sequences.locus import STRANDS, Strand
from grubio.sequences.record import Record
from grubio.writers.open_genome_writer import open_genome_writer

_FEATURE_FORMATS = ("bed", "gff3", "html", "igv")


def predict_contigs(
    predictor: Predictor,
    contigs: Iterable[Record],
    outputs: Sequence[tuple[str, PredictionFormat]],
    settings: GenomeSettings,
    calls: CallSettings | None = None,
) -> None:
    """Label contigs with a model of a genome and write all outputs in one pass.

    Parameters
    ----------
    predictor
        Its bundle has sites.
    contigs
        Plus strands, checked against the model's alphabet.
    outputs
        Path and format of each output; none is left half-written.
    settings
        Strands, thresholds.
    calls
        Least length of segments; the schema's default if left out.

    Raises
    ------
    GrubioError
        If an output is at fault, or a setting is not for genomes.
    ValueError
        If the model is not of a genome.
    """
    if predictor.bundle.sites is None:
        raise ValueError("the model is not of a genome")
    stretches = predictor.stretches(contigs, strands_of(settings))
    write_stretches(stretches, predictor.bundle, outputs, settings, calls)


def strands_of(settings: GenomeSettings) -> tuple[Strand, ...]:
    """Return the strands that the settings ask for."""
    return STRANDS if settings.strand == "both" else (settings.strand,)


def write_stretches(
    stretches: Iterable[Stretch],
    bundle: Bundle,
    outputs: Sequence[tuple[str, PredictionFormat]],
    settings: GenomeSettings,
    calls: CallSettings | None = None,
) -> None:
    """Call features on the stretches of contigs and write all outputs in one pass.

    Parameters
    ----------
    stretches
        All stretches of each contig, in order.
    bundle
        The model that they are of.
    outputs, settings, calls
        As for :func:`predict_contigs`.

    Raises
    ------
    GrubioError
        If an output is at fault.
    ValueError
        If the model is not of a genome.
    """
    if bundle.sites is None:
        raise ValueError("the model is not of a genome")
    calls = calls or CallSettings()
    require_calls_of_genomes(calls)
    caller = FeatureCaller(
        bundle.scheme,
        bundle.sites,
        min_score=settings.min_score,
        min_segment=calls.min_segment,
    )
    called = any(kind in _FEATURE_FORMATS for _, kind in outputs)
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(open_genome_writer(path, kind, bundle.scheme, strands_of(settings)))
            for path, kind in outputs
        ]
        for stretch in counted(stretches, ("stretches", "bases")):
            features = caller.feed(stretch) if called else []
            for write in writers:
                write(stretch, features)


def require_calls_of_genomes(calls: CallSettings) -> None:
    """Raise GrubioError if settings say something that does not hold for a genome."""
    if calls != calls.of_genomes():
        raise GrubioError(
            "min_confidence and max_gap are not for a model of a genome",
            hint="use min_score, or choose by the probabilities of format bigwig",
        )
