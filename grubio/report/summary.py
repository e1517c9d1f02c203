"""A summary of a run for the terminal: its score, and the paths of its files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grubio.errors import GrubioError
from grubio.runs.files import METRICS_FILE, MODEL_FOLDER, PREDICTIONS_FOLDER, REPORT_FILE
from grubio.runs.folder import baseline_name, read_run
from grubio.runs.numbers import gain_text, range_text, score_text
from grubio.runs.score_names import SCORES
from grubio.text import plural

_OF_VALUES = ("spearman", "pearson", "mean_absolute_error", "coverage")


def find_runs(folders: Sequence[str | Path]) -> list[Path]:
    """Return the runs among the folders and one level below, in the order given, then by name.

    Raises
    ------
    GrubioError
        If a folder is missing or contains no evaluated run.
    """
    runs: list[Path] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise GrubioError("no such folder", path=folder)
        found = [folder] if (folder / METRICS_FILE).is_file() else []
        found = found or sorted(path.parent for path in folder.glob(f"*/{METRICS_FILE}"))
        if not found:
            raise GrubioError(
                f"holds no evaluated run: there is no {METRICS_FILE} in it or one level below",
                path=folder,
                hint="evaluate a run first: grubio evaluate",
            )
        runs += [run for run in found if run not in runs]
    return runs


def summary_lines(run_folder: str | Path) -> list[str]:
    """Return the lines of a summary: scores, gain over the baseline, and paths of files.

    Raises
    ------
    GrubioError
        If the run has no model or no metrics, or a file is damaged.
    """
    run = read_run(run_folder)
    score = run.score(run.score_key)
    ends = range_text(run.score_key, score)
    headline = f"{run.score_name} {score_text(run.score_key, score.value)}"
    headline += f" (95 % interval {ends})" if ends else ""
    if run.tested:
        headline += f" on {plural(run.tested, f'test {run.chain_word}')}"
    others = [
        f"{SCORES[key].inline} {score_text(key, value)}"
        for key in ("q8", "sov", "mcc", "ece", *_OF_VALUES)
        if key != run.score_key and (value := run.score(key).value) is not None
    ]
    gain, baseline = run.gain, run.baseline(run.main_baseline, run.score_key)
    rows = [("", headline), ("", ", ".join(others))]
    if gain.known:
        base = f" ({score_text(run.score_key, baseline.value)})" if baseline.known else ""
        over = f"a {baseline_name(run.main_baseline)}{base}"
        rows.append(("", f"{gain_text(run.score_key, gain.value)} over {over}"))
    rows.append(("model", str(run.folder / MODEL_FOLDER)))
    report = run.folder / REPORT_FILE
    rows.append(("report", str(report) if report.is_file() else "not made yet: grubio report"))
    predictions = run.folder / PREDICTIONS_FOLDER
    for path in sorted(predictions.iterdir()) if predictions.is_dir() else []:
        label = "predictions" if rows[-1][0] not in ("predictions", " ") else " "
        rows.append((label, f"{path}{os.sep}" if path.is_dir() else str(path)))
    lines = [
        f"  {label:<12}{text}".rstrip() if label else f"  {text}" for label, text in rows if text
    ]
    return [run.name, *(line.replace("\N{NO-BREAK SPACE}", " ") for line in lines)]
