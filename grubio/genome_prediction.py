"""Prediction on genomes: contigs in; sites, segments, tracks or tables of both strands out.

The text of one contig at a time is held, in a few copies while it is read and checked. Everything
else that is held does not grow with the contigs: the windows of one batch, and features that wait
for a segment that begins before them and has not ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from grubio.called_features import FeatureCaller
from grubio.config import CallSettings, GenomeSettings, PredictionFormat
from grubio.errors import GrubioError
from grubio.inference import Predictor
from grubio.locus import STRANDS, Strand
from grubio.progress import counted
from grubio.record import Record
from grubio.writers.genome import open_genome_writer

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
    bundle = predictor.bundle
    if bundle.sites is None:
        raise ValueError("the model is not of a genome")
    calls = calls or CallSettings()
    if calls != CallSettings(min_segment=calls.min_segment):
        raise GrubioError(
            "the least confidence and the gap within segments are not for a model of a genome",
            hint="use --min-score, or choose by the probabilities of format bigwig",
        )
    strands: tuple[Strand, ...] = STRANDS if settings.strand == "both" else (settings.strand,)
    caller = FeatureCaller(
        bundle.scheme,
        bundle.sites,
        min_score=settings.min_score,
        min_segment=calls.min_segment,
    )
    called = any(kind in _FEATURE_FORMATS for _, kind in outputs)
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(open_genome_writer(path, kind, bundle.scheme, strands))
            for path, kind in outputs
        ]
        for stretch in counted(predictor.stretches(contigs, strands), ("stretches", "bases")):
            features = caller.feed(stretch) if called else []
            for write in writers:
                write(stretch, features)
