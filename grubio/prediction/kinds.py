"""The kinds of model, by name."""

from typing import Any

from grubio.config import PredictionSettings
from grubio.model.bundle import Bundle
from grubio.prediction.genome_kind import GenomeKind
from grubio.prediction.model_kind import ModelKind
from grubio.prediction.sequence_kind import SequenceKind
from grubio.sequences.kind import Kind

KINDS: dict[Kind, type[ModelKind[Any, Any, Any]]] = {
    "sequences": SequenceKind,
    "genome": GenomeKind,
}


def model_kind(bundle: Bundle, settings: PredictionSettings) -> ModelKind[Any, Any, Any]:
    """Return what the kind of a model does with it under the settings.

    Raises
    ------
    GrubioError
        If the model cannot do what the settings ask for.
    """
    return KINDS[bundle.kind](bundle, settings)
