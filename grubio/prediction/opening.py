"""The start of every prediction: what is asked for is checked, and the model chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grubio.config import Output, PredictionSettings
from grubio.config.formats import require_proper
from grubio.model.bundle import load_bundle
from grubio.prediction.default_model import with_model_for
from grubio.prediction.kinds import model_kind
from grubio.prediction.model_kind import ModelKind
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record


def opened(
    sequences: str, outputs: Sequence[Output], model: Path | None, settings: PredictionSettings
) -> tuple[Path, ModelKind[Any, Any, Any], Iterator[Record]]:
    """Return the folder of the model, what its kind does with it, and all records of a FASTA file.

    Raises
    ------
    GrubioError
        If the input, the model, a setting or an output is at fault.
    """
    require_proper(outputs)
    folder, records = with_model_for(read_fasta(sequences), model)
    return folder, model_kind(load_bundle(folder), settings), records
