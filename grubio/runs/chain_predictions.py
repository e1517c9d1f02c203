"""The predictions of the test chains, as the report reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from grubio.errors import GrubioError
from grubio.sequences.runs_and_peaks import equal_runs
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme


class ChainPrediction(NamedTuple):
    """The residues of a chain, their observed labels (``?`` if none counts), and probabilities.

    Probabilities are float32 ``(residue, class)``.
    """

    residues: str
    observed: str
    probabilities: npt.NDArray[np.float32]


def read_chain_predictions(
    path: Path, scheme: LabelScheme, ids: Iterable[str]
) -> dict[str, ChainPrediction]:
    """Return the predictions of chains by id; those that the file lacks are left out.

    Parameters
    ----------
    path
        ``test_predictions.parquet``.
    scheme
        The scheme of the probabilities in it.
    ids
        Which chains.

    Raises
    ------
    GrubioError
        If the file is damaged or lacks a column.
    """
    columns = ["id", "residue", "observed", "mask"]
    classes = [f"p_{letter}" for letter in scheme.letters]
    try:
        table = pq.read_table(path, columns=columns + classes, filters=[("id", "in", list(ids))])
        names, residues, observed, mask = (
            np.array(table.column(name).to_pylist(), dtype=object) for name in columns
        )
        probabilities = np.column_stack([table.column(name) for name in classes])
    except (OSError, KeyError, ValueError) as error:
        raise GrubioError(f"cannot be read: {error}", path=path) from error
    counted = np.isin(mask.astype(str), ("1", "True")) & np.isin(observed, list(scheme.letters))
    observed[~counted] = UNKNOWN_LABEL
    return {
        str(names[first]): ChainPrediction(
            "".join(residues[first:last]),
            "".join(observed[first:last]),
            probabilities[first:last],
        )
        for first, last in equal_runs(names).tolist()
    }
