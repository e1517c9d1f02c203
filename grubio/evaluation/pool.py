"""Cross-validation: the runs of all folds in, scores over all of their test records out.

Each record is labelled by the model that was not trained on its fold (Stone, J. R. Stat. Soc. B
36:111, 1974). Scores are those of all these labels together, with the intervals of any evaluation:
bootstrap over chains, or over blocks of a genome. The spread over the folds is reported as well;
the models share training records, so it is not a standard error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from grubio import __version__
from grubio.config import Device, EvaluationSettings
from grubio.datasets.audit import AuditRow
from grubio.datasets.parquet import DatasetHeader, read_header
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import (
    audit_of,
    baselines_of,
    blocks_of,
    evaluation_of,
    records_of,
    require_fit,
)
from grubio.evaluation.overall import Probabilities, score_predictions
from grubio.evaluation.targets import additional_scores
from grubio.evaluation.values import score_values
from grubio.files import sha256_of_file, table_text, write_text_whole, written_whole
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.devices import use_threads
from grubio.overwriting import keeps_inputs
from grubio.runs.files import FOLDS_FILE, MODEL_FOLDER, OUT_OF_FOLD_FILE, TEST_PREDICTIONS_FILE
from grubio.runs.folder import require_scores_of
from grubio.runs.metrics import FoldScores, Metrics, TrainingOverlap, read_metrics
from grubio.sequences.record import Record


class _Fold(NamedTuple):
    """One run and its test records."""

    run: Path
    metrics: Metrics
    bundle: Bundle
    header: DatasetHeader
    test: list[Record]
    train: list[Record]
    predicted: list[Prediction]


@keeps_inputs("runs", "datasets", "audits")
def pool_folds(
    runs: Sequence[Path],
    datasets: Sequence[Path],
    output: Path,
    settings: EvaluationSettings,
    *,
    audits: Sequence[Path] = (),
    device: Device = "auto",
    threads: int | None = None,
) -> Metrics:
    """Score the folds of a cross-validation together; write the results and return the metrics.

    Writes ``metrics.json``, ``folds.tsv``, ``per_chain.tsv``, ``confusion.tsv``,
    ``calibration.tsv`` and ``out_of_fold.parquet`` into ``output``. Sites of a genome and values
    are scored without the baselines that are fitted to training data; ``folds.tsv`` has what each
    fold gains over them.

    Parameters
    ----------
    runs
        Folders of the evaluated runs, one for each fold.
    datasets
        Their datasets, in any order: each run knows the checksum of its own.
    output
        Folder to write to.
    settings
        Number of bootstrap samples, their seed, and the window of the baseline.
    audits
        The leakage audits of the folds, in any order.
    device, threads
        Where to compute.

    Raises
    ------
    GrubioError
        If a run has no dataset among those given, a record was tested in two folds, or the models
        have different classes.
    """
    if len(runs) < 2:
        raise GrubioError("a cross-validation has two folds or more", path=output)
    by_checksum = {sha256_of_file(path): path for path in datasets}
    with threadpool_limits(use_threads(threads)):
        folds = [_fold_of(run, by_checksum, device, threads) for run in runs]
        _require_disjoint(folds)
        metrics, tables = _scored(folds, _audits_of(audits, folds), settings)
    metrics.folds = [
        FoldScores(
            run=Path(os.path.relpath(fold.run, output)).as_posix(),
            records=len(fold.test),
            scores=dict(fold.metrics.scores),
        )
        for fold in folds
    ]
    metrics.training_overlap = _overlaps(folds, output.name)
    metrics.provenance = {
        "grubio_version": __version__,
        "folds": [
            {
                "run": fold.run.name,
                "weights_sha256": fold.bundle.metadata["weights_sha256"],
                "dataset_sha256": fold.metrics.provenance.get("dataset_sha256"),
            }
            for fold in folds
        ],
        "dataset_sources": dict(folds[0].header.sources),
        "settings": settings.model_dump(),
        "split": "all folds",
    }
    _write_predictions(output / OUT_OF_FOLD_FILE, folds)
    for name, text in {**tables, FOLDS_FILE: _table(metrics)}.items():
        write_text_whole(output / name, text)
    metrics.write(output)
    return metrics


def _fold_of(run: Path, datasets: Mapping[str, Path], device: Device, threads: int | None) -> _Fold:
    metrics, bundle = read_metrics(run), load_bundle(run / MODEL_FOLDER)
    require_scores_of(bundle.metadata, metrics.provenance, run)
    dataset = datasets.get(str(metrics.provenance.get("dataset_sha256")))
    if dataset is None:
        raise GrubioError(
            "none of the datasets is the one that this run was evaluated on",
            path=run,
            hint="give the split dataset of each fold with --dataset",
        )
    header = read_header(dataset)
    require_fit(bundle, header, dataset)
    test, train, _ = records_of(dataset, "test", bundle)
    predicted = list(Predictor(bundle, device, threads).predict(iter(test)))
    return _Fold(run, metrics, bundle, header, test, train, predicted)


def _require_disjoint(folds: Sequence[_Fold]) -> None:
    home: dict[str, _Fold] = {}
    for fold in folds:
        if _answer_of(fold.bundle) != _answer_of(folds[0].bundle):
            raise GrubioError(f"predicts something else than {folds[0].run}", path=fold.run)
        for record in fold.test:
            if record.id in home:
                raise GrubioError(
                    f"was tested in {home[record.id].run} already",
                    path=fold.run,
                    record=record.id,
                    hint="give one run for each fold: grubio split --folds",
                )
            home[record.id] = fold


def _answer_of(bundle: Bundle) -> tuple[str, str, str, str]:
    # What is predicted. Values may be standardised otherwise, and transitions counted anew.
    main = bundle.targets[0]
    return main.name, main.kind, bundle.scheme.name, bundle.scheme.letters


def _scored(
    folds: Sequence[_Fold], nearest: Mapping[str, AuditRow], settings: EvaluationSettings
) -> tuple[Metrics, dict[str, str]]:
    first = folds[0]
    bundle = replace(first.bundle, calibrations={})
    test = [record for fold in folds for record in fold.test]
    predicted = [one for fold in folds for one in _alike(fold, bundle)]
    calibrations = [fold.bundle.calibration() for fold in folds for _ in fold.test]
    units = blocks_of(first.header, test)
    if bundle.labels is None:
        score = bundle.metadata["training"].get("score")
        metrics, tables, _ = score_values(
            test,
            predicted,
            [],
            bundle,
            settings,
            nearest,
            headline=score,
            units=units,
            calibrations=calibrations,
        )
        return metrics, tables
    evaluation = evaluation_of(first.header, bundle, test, settings)
    probabilities = [one.probabilities for one in predicted]
    metrics, tables = score_predictions(
        test,
        probabilities,
        _baselines(folds, settings),
        bundle,
        settings,
        nearest,
        blocks=evaluation.blocks,
        headline=evaluation.headline,
        calibrations=calibrations,
    )
    tables |= evaluation.add_scores(metrics, probabilities, [], [])
    answers = [one.additional for one in predicted]
    additional = additional_scores(
        test, answers, first.header.targets, [], bundle, settings, units=units
    )
    if additional:
        metrics.targets = additional
    return metrics, tables


def _alike(fold: _Fold, bundle: Bundle) -> list[Prediction]:
    # The answers under the targets of the first fold: values may be standardised differently.
    target_of = {target.name: target for target in bundle.targets}
    return [
        replace(one, additional={target_of[t.name]: rows for t, rows in one.additional.items()})
        for one in fold.predicted
    ]


def _baselines(
    folds: Sequence[_Fold], settings: EvaluationSettings
) -> dict[str, list[Probabilities]]:
    # Those that all folds have, each fitted to the training records of its fold.
    found = [
        baselines_of(
            evaluation_of(fold.header, fold.bundle, fold.test, settings),
            fold.bundle,
            fold.test,
            fold.train,
        )
        for fold in folds
    ]
    names = [name for name in found[0] if all(name in one for one in found)]
    return {name: [rows for one in found for rows in one[name]] for name in names}


def _audits_of(audits: Sequence[Path], folds: Sequence[_Fold]) -> dict[str, AuditRow]:
    if not audits:
        return {}
    found: dict[str, AuditRow] = {}
    for path in audits:
        rows = audit_of(path, [])
        found |= {name: row for name, row in rows.items() if row.split == "test"}
    for fold in folds:
        for record in fold.test:
            if record.id not in found:
                raise GrubioError(
                    "a tested record is in none of the audits",
                    path=fold.run,
                    record=record.id,
                    hint="give the audit of each fold with --audit",
                )
    return found


def _overlaps(folds: Sequence[_Fold], name: str) -> list[TrainingOverlap]:
    # Of each model behind those of the folds, the counts of all folds together.
    together: dict[str, list[TrainingOverlap]] = {}
    for fold in folds:
        for place, one in enumerate(fold.metrics.training_overlap):
            together.setdefault(one.model if place else name, []).append(one)
    return [
        TrainingOverlap(
            model=model,
            records=sum(one.records for one in parts),
            seen=_sum([one.seen for one in parts]),
            similar=_sum([one.similar for one in parts]),
        )
        for model, parts in together.items()
    ]


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _write_predictions(path: Path, folds: Sequence[_Fold]) -> None:
    writer = None
    with written_whole(path) as temporary:
        try:
            for number, fold in enumerate(folds, start=1):
                with pq.ParquetFile(fold.run / TEST_PREDICTIONS_FILE) as file:
                    for group in range(file.num_row_groups):
                        table = file.read_row_group(group)
                        column = pa.array([number] * len(table), pa.int32())
                        table = table.append_column("fold", column)
                        writer = writer or pq.ParquetWriter(temporary, table.schema)
                        writer.write_table(table.replace_schema_metadata(writer.schema.metadata))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise GrubioError(f"cannot be read: {error}", path=fold.run) from error
        finally:
            if writer is not None:
                writer.close()


def _table(metrics: Metrics) -> str:
    # A row for each fold, their mean and standard deviation, and the scores over all together.
    names = [name for name in metrics.folds[0].scores if metrics.folds[0].scores[name].known]

    def cells(values: Sequence[float | None]) -> list[str]:
        return ["" if value is None else f"{value:.4f}" for value in values]

    rows: list[list[object]] = [
        [fold.name, fold.records, *cells([fold.score(name).value for name in names])]
        for fold in metrics.folds
    ]
    spread = [metrics.spread(name) for name in names]
    rows.append(["mean", "", *cells([mean for mean, _ in spread])])
    rows.append(["sd", "", *cells([deviation for _, deviation in spread])])
    total = sum(fold.records for fold in metrics.folds)
    pooled = [metrics.score(name) for name in names]
    for title, key in (("all", "value"), ("all_low", "low"), ("all_high", "high")):
        rows.append([title, total, *cells([getattr(score, key) for score in pooled])])
    return table_text(["fold", "records", *names], rows)
