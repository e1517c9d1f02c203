"""How far the runs of a study are, from its files alone.

What is done is known from the outputs, what is at work and what failed from Snakemake's newest
log, how long a training still takes from its history. Nothing is asked of a scheduler, so that a
study on a cluster is watched from any machine that sees its folder.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grubio.config import Config, RunSettings
from grubio.config.loading import load_config
from grubio.errors import GrubioError
from grubio.files import table_text
from grubio.model.bundle import METADATA_FILE
from grubio.progress import as_minutes
from grubio.runs.files import (
    CRATE_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    MODEL_FOLDER,
    MOTIFS_FILE,
    MOTIFS_FOLDER,
    PREDICTIONS_FOLDER,
    REPORT_FILE,
)
from grubio.runs.metrics import read_metrics
from grubio.runs.numbers import score_text
from grubio.runs.score_names import SCORES, SHARES_RIGHT
from grubio.splits.folds import fold_path
from grubio.study.snakemake_log import Job, SnakemakeLog, read_snakemake_log
from grubio.text import plural

DONE = "done"
COLUMNS = ("run", "stage", "left", "score")


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes
    ----------
    name
        Name of the run, or of a cross-validation.
    stage
        ``done``, ``failed: RULE``, ``RULE`` for a step at work, ``waits for RULE``, or ``stopped in
        RULE``. A step at work whose log is not there yet is ``queued or starting``; a training has
        its epochs as well, a labelling its shards.
    left
        Seconds that its training takes yet, at most; None if it is not known.
    score
        The last score, for people; empty if there is none yet.
    failed
        The job of this run, or of its dataset, that failed.
    """

    name: str
    stage: str
    left: float | None = None
    score: str = ""
    failed: Job | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The texts of a line: run, stage, time left, score."""
        left = "" if self.left is None else f"{as_minutes(self.left)} at most"
        return self.name, self.stage, left, self.score


def study_status(folder: Path, configfile: Path | None = None) -> list[RunStatus]:
    """Return how far each run of a study is, in the order of the study.

    Parameters
    ----------
    folder
        Folder of the study.
    configfile
        Its configuration, by default ``config/config.yaml`` in it.

    Raises
    ------
    GrubioError
        If there is no configuration, or it is wrong.
    """
    path = configfile or folder / "config/config.yaml"
    if not path.is_file():
        raise GrubioError(
            "no such file", path=path, hint="give the folder of a study, or its --configfile"
        )
    study, log = load_config(path), read_snakemake_log(folder)
    names = [*study.runs, *study.cross_validations]
    return [_status(folder, study, log, name) for name in names]


def is_over(rows: list[RunStatus], log: SnakemakeLog) -> bool:
    """Return whether nothing will change: all runs are done, or no Snakemake works on them."""
    return all(row.stage == DONE for row in rows) or not log.running


def status_table(rows: list[RunStatus]) -> str:
    """Return the lines as a table with tabs, the form for other programs."""
    return table_text(COLUMNS, [row.cells for row in rows])


def status_lines(rows: list[RunStatus], log: SnakemakeLog) -> list[str]:
    """Return the lines for people, in columns, and below them the logs of what failed.

    The last line says so if no Snakemake works on a study that is not done.
    """
    cells = [COLUMNS, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    lines.append(f"{sum(row.stage == DONE for row in rows)} of {plural(len(rows), 'run')} done")
    lines += [f"{job.title} failed: {job.log or 'no log'}" for job in log.failed]
    if not log.running and (log.failed or any(row.stage != DONE for row in rows)):
        lines.append("no Snakemake is at work here: grubio workflow run makes the rest")
    return lines


def _status(folder: Path, study: Config, log: SnakemakeLog, name: str) -> RunStatus:
    stages = _pooled_stages if name in study.cross_validations else _stages
    there = dict(stages(folder, study, name))
    missing = next((rule for rule in there if not there[rule]), None)
    mine = [job for job in log.jobs if _concerns(job, study, name)]
    score = _score(folder / "results" / name, there, mine)
    if missing is None:
        return RunStatus(name, DONE, score=score)
    failed = next((job for job in mine if job.state == "failed"), None)
    if failed is not None:
        return RunStatus(name, f"failed: {failed.rule}", None, score, failed)
    working = next((job for job in mine if job.state == "started"), None)
    if working is None:
        return RunStatus(name, f"waits for {missing}", None, score)
    if not log.running:
        return RunStatus(name, f"stopped in {working.rule}", None, score)
    if working.log is not None and not (folder / working.log).exists():
        return RunStatus(name, f"{working.rule}, queued or starting", None, score)
    if working.rule == "label":
        return RunStatus(name, f"label, {_shards(folder, study, name)}", None, score)
    if working.rule != "train":
        return RunStatus(name, working.rule, None, score)
    epochs = study.runs[name].training.epochs
    epoch, left = _training(folder / "results" / name / HISTORY_FILE, epochs)
    return RunStatus(name, f"train, epoch {epoch:g} of {epochs}", left, score)


def _stages(folder: Path, study: Config, name: str) -> Iterator[tuple[str, bool]]:
    # The steps of a run in their order, and whether what they write is there and not out of date.
    run, results = study.runs[name], folder / "results"
    dataset, own = results / "datasets" / run.dataset, results / name
    prepared, split = dataset / "prepared.parquet", dataset / "split.parquet"
    split = split if run.fold is None else fold_path(split, run.fold)
    model, metrics = own / MODEL_FOLDER / METADATA_FILE, own / METRICS_FILE
    yield "prepare", prepared.is_file()
    yield "split", _made(split, prepared)
    models = [results / other / MODEL_FOLDER / METADATA_FILE for _, other in run.made_of]
    current = _made(model, split, *models) and (bool(run.members) or _trained_as_set(model, run))
    yield "combine" if run.members else "train", current
    yield "evaluate", _made(metrics, model)
    if study.datasets[run.dataset].prepare.format == "genome":
        yield "motifs", _made(own / MOTIFS_FOLDER / MOTIFS_FILE, model)
    yield "report", _made(own / REPORT_FILE, metrics)
    outputs = [
        own / PREDICTIONS_FOLDER / f"{given}.{form}"
        for given in study.prediction.inputs
        for form in study.prediction.formats
    ]
    yield "predict", all(_made(path, model) for path in outputs)
    yield "crate", _made(own / CRATE_FILE, own / REPORT_FILE)


def _made(path: Path, *sources: Path) -> bool:
    # As Snakemake asks: what is older than what it is made from is made anew.
    times = [one.stat().st_mtime_ns for one in (path, *sources) if one.exists()]
    return path.exists() and times[0] == max(times)


def _trained_as_set(model: Path, run: RunSettings) -> bool:
    # What a model does not say, such as a setting of a later version, is as it was set.
    try:
        content = json.loads(model.read_text("utf-8"))
        trained, network = content["training"]["settings"], content["network"]["settings"]
    except (OSError, ValueError, LookupError, TypeError):
        return True
    asked = run.training.model_dump(mode="json")
    differ = any(asked[key] != trained[key] for key in asked.keys() & trained.keys())
    # The network of a run that starts from a model is that of the model.
    asked = run.model.model_dump(mode="json") if run.parent is None else {}
    return not differ and all(asked[key] == network[key] for key in asked.keys() & network.keys())


def _shards(folder: Path, study: Config, name: str) -> str:
    # Shards that are labelled are deleted once their input is gathered.
    own, done = folder / "results" / name, 0
    for given in study.prediction.inputs:
        gathered = list((own / PREDICTIONS_FOLDER).glob(f"{given}.*"))
        found = (own / "shards" / given).glob("*.probabilities.parquet")
        done += study.prediction.shards if gathered else sum(1 for _ in found)
    return f"{done} of {plural(study.prediction.shards * len(study.prediction.inputs), 'shard')}"


def _pooled_stages(folder: Path, study: Config, name: str) -> Iterator[tuple[str, bool]]:
    results = folder / "results"
    metrics = results / name / METRICS_FILE
    folds = [results / fold / METRICS_FILE for fold in study.cross_validations[name]]
    yield "pool", _made(metrics, *folds)
    yield "report", _made(results / name / REPORT_FILE, metrics)


def _concerns(job: Job, study: Config, name: str) -> bool:
    of_run = {job.wildcards.get(key) for key in ("run", "cross")}
    if name in of_run:
        return True
    if of_run != {None} or name not in study.runs:
        return False
    # A step of its dataset, or the fetching of a file of it.
    dataset = study.runs[name].dataset
    of_file = job.wildcards.get("file", "").startswith(f"datasets/{dataset}/")
    return job.wildcards.get("dataset") == dataset or of_file


def _training(history: Path, epochs: int) -> tuple[float, float | None]:
    # The last epoch that was validated, and the seconds left at the speed of that time.
    try:
        with open(history, encoding="utf-8", newline="") as lines:
            last = list(csv.DictReader(lines))[-1]
        epoch, seen, speed = (
            float(last[key]) for key in ("epoch", "residues", "residues_per_second")
        )
        since = time.time() - history.stat().st_mtime
        return epoch, max(seen * (epochs / epoch - 1) / speed - since, 0.0)
    except (OSError, LookupError, ValueError, TypeError, ZeroDivisionError):
        return 0.0, None


def _score(run: Path, there: Mapping[str, bool], jobs: Sequence[Job]) -> str:
    # Scores of a model that is to be trained again are none of the run as it is set now.
    (first,) = there.keys() & {"pool", "combine", "train"}
    training = any(job.rule == "train" and job.state == "started" for job in jobs)
    if there[first] and there.get("evaluate", True) and (run / METRICS_FILE).is_file():
        metrics = read_metrics(run)
        for key in [metrics.headline.key] if metrics.headline else SHARES_RIGHT:
            if key in SCORES and key in metrics.scores:
                text = score_text(key, metrics.scores[key].value)
                return f"{SCORES[key].inline} {text}".replace("\N{NO-BREAK SPACE}", " ")
    if not there[first] and not training:
        return ""
    try:
        with open(run / HISTORY_FILE, encoding="utf-8", newline="") as lines:
            return f"{float(list(csv.DictReader(lines))[-1]['valid_score']):.4f} on validation"
    except (OSError, LookupError, ValueError, TypeError):
        return ""


def watch_status(
    look: Callable[[], tuple[list[RunStatus], SnakemakeLog]],
    show: Callable[[list[RunStatus], SnakemakeLog], None],
    pause: float,
) -> None:
    """Show the status again and again until nothing will change.

    Parameters
    ----------
    look
        Returns the status and Snakemake's log as they are now.
    show
        Shows a status.
    pause
        Seconds between two looks.
    """
    while True:
        rows, log = look()
        show(rows, log)
        if is_over(rows, log):
            return
        time.sleep(pause)
