"""Evaluation: a model and a labelled split in, scores with intervals and baselines out.

All shares, SOV among them, are fractions from 0 to 1. Intervals are 95 % percentile bootstrap
intervals over chains. Residues that are masked or whose label is unknown are never scored.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio import __version__, metrics
from grubio.audit import AuditRow, read_audit
from grubio.baselines import WindowLogisticRegression, class_frequencies, scored_classes
from grubio.bundle import Bundle, load_bundle
from grubio.calibration import BINS
from grubio.config import Device, EvaluationSettings
from grubio.dataset import read_header, read_records, require_splits
from grubio.devices import use_threads
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.inference import Predictor
from grubio.record import Record
from grubio.scheme import LabelScheme
from grubio.scoring import CalibrationScores, SchemeScores, accuracy_name
from grubio.writers.parquet import ParquetPredictions

LENGTH_BANDS = (0, 100, 200, 300, 500, 1000, 10**9)
IDENTITY_BANDS = (0.0, 0.2, 0.25, 0.3, 0.5, 1.01)

Probabilities = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)


def evaluate_model(
    model: Path,
    dataset: Path,
    output: Path,
    settings: EvaluationSettings,
    *,
    split: str = "test",
    audit: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> dict[str, Any]:
    """Score a model on one split of a dataset; write the results and return the metrics.

    Writes ``metrics.json``, ``per_chain.tsv``, ``confusion.tsv``, ``calibration.tsv`` and
    ``test_predictions.parquet`` into ``output``.

    Raises
    ------
    GrubioError
        If the model and the dataset do not fit, or the split has nothing to score.
    """
    use_threads(threads)
    bundle = load_bundle(model)
    header = read_header(dataset)
    for what, ours, theirs in (
        ("alphabet", bundle.alphabet.name, header.alphabet.name),
        ("label scheme", bundle.scheme.name, header.scheme.name),
    ):
        if ours != theirs:
            raise GrubioError(f"the dataset's {what} is {theirs}, the model's {ours}", path=dataset)
    records = list(read_records(dataset, split))
    require_splits(dataset, records, split)
    train = list(read_records(dataset, "train"))
    require_splits(dataset, train, "train")
    predictor = Predictor(bundle, device, threads)
    with (
        written_whole(output / "test_predictions.parquet") as temporary,
        ParquetPredictions(temporary, bundle.scheme, observed=True) as table,
    ):
        scored, probabilities = [], []
        for prediction in predictor.predict(records):
            table.write(prediction)
            scored.append(prediction.record)
            probabilities.append(prediction.probabilities)
    logger.info("%d chains labelled; fitting the baselines", len(scored))
    baselines = baseline_probabilities(train, scored, bundle, settings)
    result = score_predictions(
        scored, probabilities, baselines, bundle, settings, read_audit(audit) if audit else {}
    )
    content = result.pop("files")
    result["provenance"] = {
        "grubio_version": __version__,
        "weights_sha256": bundle.metadata["weights_sha256"],
        "dataset_sha256": sha256_of_file(dataset),
        "dataset_sources": dict(header.sources),
        "settings": settings.model_dump(),
        "split": split,
    }
    for name, text in content.items():
        write_text_whole(output / name, text)
    write_text_whole(
        output / "metrics.json", json.dumps(result, indent=2, sort_keys=True, allow_nan=False) + "\n"
    )
    return result


def baseline_probabilities(
    train: Sequence[Record], test: Sequence[Record], bundle: Bundle, settings: EvaluationSettings
) -> dict[str, list[Probabilities]]:
    """Return, by name of the baseline, probabilities ``(residue, class)`` of each test record."""
    frequencies = class_frequencies(train, bundle.scheme)
    window = WindowLogisticRegression(
        bundle.alphabet, bundle.scheme, settings.baseline_window, settings.seed
    ).fit(train)
    return {
        "majority": [np.tile(frequencies, (len(record), 1)) for record in test],
        "window_logistic": [window.probabilities(record.sequence) for record in test],
    }


def score_predictions(
    records: Sequence[Record],
    probabilities: Sequence[Probabilities],
    baselines: Mapping[str, Sequence[Probabilities]],
    bundle: Bundle,
    settings: EvaluationSettings,
    audit: Mapping[str, AuditRow],
) -> dict[str, Any]:
    """Return the content of ``metrics.json`` and, under ``files``, that of the tables.

    Parameters
    ----------
    records
        Labelled records.
    probabilities
        Calibrated probabilities ``(residue, class)`` of each record.
    baselines
        The same for each baseline.
    bundle
        The model; its scheme and temperature are used.
    settings
        Number of bootstrap samples and their seed.
    audit
        Nearest training record by id.

    Raises
    ------
    GrubioError
        If no residue can be scored.
    """
    scheme, headline = bundle.scheme, bundle.scheme.headline
    observed = [scored_classes(record, scheme) for record in records]
    usable = [i for i, classes in enumerate(observed) if (classes < scheme.size).any()]
    if not usable:
        raise GrubioError("no residue of the split has a known label")
    chosen = [observed[i] for i in usable]
    fine, coarse = _scores(chosen, [probabilities[i] for i in usable], scheme)
    calibration = CalibrationScores(bundle.temperature)
    for i in usable:
        calibration.add(observed[i], probabilities[i])
    weights = metrics.bootstrap_weights(len(usable), settings.bootstrap, settings.seed)
    result: dict[str, Any] = _overall(fine, coarse, weights)
    result |= {name: value.as_dict() for name, value in calibration.errors(weights).items()}
    by_scheme = {coarse.scheme.name: coarse, fine.scheme.name: fine}
    result["classes"] = {name: scores.classes(weights) for name, scores in by_scheme.items()}
    result["baselines"] = {}
    for name, theirs in baselines.items():
        their_fine, their_coarse = _scores(chosen, [theirs[i] for i in usable], scheme)
        result["baselines"][name] = _overall(their_fine, their_coarse, weights)
        result[f"gain_over_{name}"] = _gain(coarse, their_coarse, weights).as_dict()
    names = [records[i].id for i in usable]
    lengths = [len(records[i]) for i in usable]
    result["by_length"] = _by_length(coarse, weights, lengths)
    result["by_identity"] = _by_identity(coarse, weights, names, lengths, audit) if audit else []
    result["counts"] = {
        "chains": len(records),
        "scored_chains": len(usable),
        "residues": sum(len(record) for record in records),
        "scored_residues": int(coarse.per_chain.sum()),
    }
    result["reduction"] = (
        f"{headline.name} from {scheme.name}: "
        + ", ".join(f"{a} to {b}" for a, b in scheme.reduction.items())
        if scheme is not headline
        else f"{scheme.name}, not reduced"
    )
    result["files"] = {
        "per_chain.tsv": _per_chain_table(records, usable, fine, coarse, audit),
        "confusion.tsv": _confusion_table(by_scheme.values()),
        "calibration.tsv": _calibration_table(calibration),
    }
    return result


def _scores(
    observed: Sequence[npt.NDArray[np.uint8]],
    probabilities: Sequence[Probabilities],
    scheme: LabelScheme,
) -> tuple[SchemeScores, SchemeScores]:
    fine = SchemeScores(scheme)
    headline = scheme.headline
    coarse = fine if headline is scheme else SchemeScores(headline)
    matrix = scheme.reduction_matrix(headline)
    # The last entry keeps 255, "does not count", as it is.
    reduced = np.full(256, 255, dtype=np.uint8)
    reduced[: scheme.size] = matrix.argmax(axis=1)
    for classes, rows in zip(observed, probabilities, strict=True):
        fine.add(classes, rows)
        if coarse is not fine:
            coarse.add(reduced[classes], rows @ matrix)
    return fine, coarse


def _overall(
    fine: SchemeScores, coarse: SchemeScores, weights: metrics.Floats
) -> dict[str, dict[str, float | None]]:
    scores = coarse.overall(weights)
    scores[f"{accuracy_name(coarse.scheme)}_chain_mean"] = scores.pop("chain_mean")
    if fine is not coarse:
        theirs = fine.overall(weights)
        name = accuracy_name(fine.scheme)
        scores[name] = theirs[name]
        scores |= {f"{key}_{fine.scheme.name}": theirs[key] for key in ("sov", "mcc", "macro_f1")}
    if accuracy_name(coarse.scheme) == "accuracy":
        # Segment overlap is a measure of secondary structure.
        scores = {key: value for key, value in scores.items() if not key.startswith("sov")}
    return {key: value.as_dict() for key, value in scores.items()}


def _gain(ours: SchemeScores, theirs: SchemeScores, weights: metrics.Floats) -> metrics.Metric:
    mine, other = ours.per_chain, theirs.per_chain
    return metrics.metric(
        float(metrics.accuracy(mine.sum(axis=0)) - metrics.accuracy(other.sum(axis=0))),
        metrics.accuracy(metrics.resampled(weights, mine))
        - metrics.accuracy(metrics.resampled(weights, other)),
    )


def _by_length(
    scores: SchemeScores, weights: metrics.Floats, lengths: Sequence[int]
) -> list[dict[str, Any]]:
    rows = []
    for low, high in zip(LENGTH_BANDS, LENGTH_BANDS[1:], strict=False):
        inside = [i for i, length in enumerate(lengths) if low < length <= high]
        if inside:
            rows.append(
                {"from": low + 1, "to": min(high, max(lengths)), **_band(scores, weights, inside, lengths)}
            )
    return rows


def _by_identity(
    scores: SchemeScores,
    weights: metrics.Floats,
    names: Sequence[str],
    lengths: Sequence[int],
    audit: Mapping[str, AuditRow],
) -> list[dict[str, Any]]:
    identities = [audit[name].identity if name in audit else None for name in names]
    bands = [("no hit", [i for i, identity in enumerate(identities) if identity is None])]
    for low, high in zip(IDENTITY_BANDS, IDENTITY_BANDS[1:], strict=False):
        inside = [i for i, x in enumerate(identities) if x is not None and low <= x < high]
        bands.append((f"{100 * low:.0f}-{100 * min(high, 1):.0f} %", inside))
    return [
        {"band": name, **_band(scores, weights, inside, lengths)} for name, inside in bands if inside
    ]


def _band(
    scores: SchemeScores, weights: metrics.Floats, chosen: Sequence[int], lengths: Sequence[int]
) -> dict[str, Any]:
    return {
        "chains": len(chosen),
        "residues": sum(lengths[i] for i in chosen),
        accuracy_name(scores.scheme): scores.accuracy(weights, chosen).as_dict(),
    }


def _per_chain_table(
    records: Sequence[Record],
    usable: Sequence[int],
    fine: SchemeScores,
    coarse: SchemeScores,
    audit: Mapping[str, AuditRow],
) -> str:
    columns = {accuracy_name(coarse.scheme): coarse.accuracies()}
    columns[accuracy_name(fine.scheme)] = fine.accuracies()
    columns |= {"sov": np.array(coarse.sov), "sov_refine": np.array(coarse.refined)}
    scored = coarse.per_chain.sum(axis=(1, 2))
    row_of = {index: row for row, index in enumerate(usable)}
    lines = ["\t".join(["id", "residues", "scored", *columns, "nearest", "identity"])]
    for index, record in enumerate(records):
        row = row_of.get(index)
        found = audit.get(record.id)
        cells = [record.id, str(len(record)), str(0 if row is None else scored[row])]
        cells += ["" if row is None else f"{values[row]:.4f}" for values in columns.values()]
        cells += ["", ""]
        if found is not None and found.identity is not None:
            cells[-2:] = [found.nearest, f"{found.identity:.3f}"]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def _confusion_table(schemes: Iterable[SchemeScores]) -> str:
    lines = ["scheme\tobserved\tpredicted\tcount"]
    for scores in schemes:
        letters, total = scores.scheme.letters, scores.per_chain.sum(axis=0)
        lines += [
            f"{scores.scheme.name}\t{seen}\t{called}\t{total[i, j]}"
            for i, seen in enumerate(letters)
            for j, called in enumerate(letters)
        ]
    return "\n".join(lines) + "\n"


def _calibration_table(calibration: CalibrationScores) -> str:
    lines = ["set\tlow\thigh\tconfidence\taccuracy\tcount"]
    for name, sums in (("before", calibration.before), ("after", calibration.after)):
        for place, (count, confidence, right) in enumerate(np.stack(sums).sum(axis=0)):
            if count:
                lines.append(
                    f"{name}\t{place / BINS:.4f}\t{(place + 1) / BINS:.4f}"
                    f"\t{confidence / count:.4f}\t{right / count:.4f}\t{count:.0f}"
                )
    return "\n".join(lines) + "\n"
