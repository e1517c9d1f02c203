"""The start of every prediction: the request is checked, and the model chosen."""

import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from grubio.config import Output, PredictionSettings
from grubio.config.formats import require_proper
from grubio.datasets.first_records import first_records, require_alphabet
from grubio.errors import GrubioError
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.zoo import DEFAULT_MODELS, default_model
from grubio.prediction.kinds import model_kind
from grubio.prediction.model_kind import ModelKind
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import ALPHABETS, likelier_alphabet
from grubio.sequences.record import Record

logger = logging.getLogger(__name__)


def opened(
    sequences: str,
    outputs: Sequence[Output],
    model: Path | Sequence[Path] | None,
    settings: PredictionSettings,
    *,
    announced: bool = False,
) -> tuple[Path, ModelKind[Any, Any, Any], Iterator[Record]]:
    """Return the folder of the model, its kind, and all records of a FASTA file.

    Several models label together; the folder is that of the first. Unless that was announced
    before, the model is named, and a warning says how the input differs from what it was trained
    on.

    Raises
    ------
    GrubioError
        If the input, the model, a setting or an output is at fault.
    """
    require_proper(outputs)
    few, records = first_records(read_fasta(sequences))
    why = ""
    if model is None:
        model, why = _best_model(few, settings)
    folders = [model] if isinstance(model, Path) else list(model)
    kind = model_kind([load_bundle(folder) for folder in folders], settings)
    warning = unsuitable(few, kind.bundle, settings, sequences)
    if not announced:
        logger.info("model %s%s", kind.content.model, why)
    if warning and not announced:
        logger.warning("%s: %s", sequences, warning)
    return folders[0], kind, records


def unsuitable(
    few: Collection[Record],
    bundle: Bundle,
    settings: PredictionSettings,
    path: str | None = None,
) -> str | None:
    """Return a warning if the first records are unlike those that a model was trained on.

    Raises
    ------
    GrubioError
        If they are of another alphabet than the model.
    """
    ours = bundle.alphabet
    other = next(alphabet for alphabet in ALPHABETS.values() if alphabet is not ours)
    hint = f"use a {other.title} model such as {DEFAULT_MODELS[other.name]}"
    if settings.alphabet not in (None, ours.name):
        raise GrubioError(f"model {bundle.name} reads {ours.title}, not {other.title}", hint=hint)
    if settings.alphabet is None:
        hint += f"; if it is {ours.title} all the same, --alphabet {ours.name} insists"
        require_alphabet(few, ours, hint, path)
    unlike = bundle.unlike_training([record.sequence for record in few])
    return (
        unlike and f"unlike what {bundle.name} was trained on: {unlike}; labels may be unreliable"
    )


def _best_model(few: Collection[Record], settings: PredictionSettings) -> tuple[Path, str]:
    # The bundled model for an input, and why it was taken.
    if settings.alphabet is not None:
        return default_model(ALPHABETS[settings.alphabet]), ""
    alphabet, certain = likelier_alphabet(record.sequence for record in few)
    why = f"; the input looks like {alphabet.title}"
    if not certain:
        other = next(name for name in ALPHABETS if name != alphabet.name)
        why = f"; the input seems to be {alphabet.title}; if it is not, use --alphabet {other}"
    return default_model(alphabet), why
