"""Whether the labels of a training obey the grammar of their scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.datasets.parquet import DatasetHeader
from grubio.errors import GrubioError
from grubio.sequences.best_path import first_faults
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.sequences.target import LABELS

_CHECKED_TOGETHER = 256


def with_fitting_grammar(
    dataset: Path, header: DatasetHeader, records: Sequence[Record]
) -> tuple[DatasetHeader, str]:
    """Return the header of a dataset with the grammar to train under, and a warning or nothing.

    A built-in grammar that most training records break is left out: the labels are of another kind
    than it was made for. Records with soft labels do not count beside others: the likeliest class
    of each of their residues is not a label sequence that somebody gave.

    Raises
    ------
    GrubioError
        If every training record breaks a grammar that is not built in, with the first place.
    """
    scheme, graph = header.scheme, header.scheme.graph
    if graph is None:
        return header, ""
    records = [record for record in records if LABELS not in record.answers] or records
    broken, example = 0, ""
    for start in range(0, len(records), _CHECKED_TOGETHER):
        several = records[start : start + _CHECKED_TOGETHER]
        allowed = [_allowed(record, scheme) for record in several]
        # A block of a genome may begin and end within a feature.
        faults = first_faults(allowed, graph, open_ends=header.kind == "genome")
        for record, fault in zip(several, faults, strict=True):
            if fault is not None and not example:
                around = (record.labels or "")[max(fault - 5, 0) : fault + 1]
                example = f"record '{record.id}' at residue {fault + 1} (labels ...{around})"
            broken += fault is not None
    if not broken:
        return header, ""
    count = (
        f"{broken} of {len(records)} records of split 'train' break the grammar of {scheme.name}"
    )
    built_in = scheme.name in SCHEMES and scheme.grammar == SCHEMES[scheme.name].grammar
    if built_in and 2 * broken > len(records):
        plain = replace(header, scheme=scheme.with_grammar(None))
        return plain, f"{count}, so the model has none; the first is {example}"
    if broken == len(records):
        raise GrubioError(
            f"no label sequence of split 'train' obeys the grammar of {scheme.name}; the first is "
            f"{example}",
            path=dataset,
            hint="correct the grammar and prepare the dataset again (grubio prepare --grammar)",
        )
    return header, f"{count}, the first is {example}"


def _allowed(record: Record, scheme: LabelScheme) -> npt.NDArray[np.bool_]:
    # The classes that each residue may have: (residue, class).
    allowed = [np.eye(scheme.size, dtype=np.bool_), np.ones((1, scheme.size), dtype=np.bool_)]
    if scheme.coarse is not None:
        allowed.insert(1, scheme.reduction_matrix(scheme.coarse).T > 0)
    rows = np.concatenate(allowed)
    return np.asarray(rows[np.minimum(scored_classes(record, scheme), len(rows) - 1)])
