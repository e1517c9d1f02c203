"""The kinds of model, by name."""

from collections.abc import Sequence
from typing import Any

from grubio.config import PredictionSettings
from grubio.model.bundle import Bundle
from grubio.prediction.genome_kind import GenomeKind
from grubio.prediction.model_kind import ModelKind
from grubio.prediction.sequence_kind import SequenceKind
from grubio.prediction.several import SeveralKind
from grubio.sequences.kind import Kind

KINDS: dict[Kind, type[ModelKind[Any, Any, Any]]] = {
    "sequences": SequenceKind,
    "genome": GenomeKind,
}


def model_kind(
    bundle: Bundle | Sequence[Bundle], settings: PredictionSettings
) -> ModelKind[Any, Any, Any]:
    """Return what the kind of a model, or of several together, does with it under the settings.

    Raises
    ------
    GrubioError
        If the model cannot do what the settings ask for.
    """
    if isinstance(bundle, Bundle):
        return KINDS[bundle.kind](bundle, settings)
    return SeveralKind(bundle, settings) if len(bundle) > 1 else model_kind(bundle[0], settings)
