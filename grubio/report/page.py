"""The report: one HTML file that says what was trained, how good it is, and why to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from grubio.files import write_text_whole
from grubio.report import figures
from grubio.report.facts import facts
from grubio.report.genome import (
    DENSE_COLUMNS,
    NEAR,
    SITE_COLUMNS,
    dense_classes,
    site_classes,
)
from grubio.report.genome_motifs import learned_motifs
from grubio.report.numbers import (
    Interval,
    duration,
    interval_from,
    percent,
    plural,
    score_text,
)
from grubio.report.residue_drawing import MOST_RESIDUES, draw_chains, worst_and_best
from grubio.report.run_files import GroupScore, Run, baseline_name, read_run
from grubio.report.svg import inline_svg
from grubio.report.templating import environment, scheme_title, text_colour
from grubio.report.verdict import checks, verdict

_SCORES = (
    (
        "site_average_precision",
        "Average precision of sites",
        "of the first class of sites, starts within 3 bases",
    ),
    ("base_mcc", "MCC of bases", "of the first class of varying width, on each strand"),
    ("q3", "Q3", "residues whose class of three is right"),
    ("accuracy", "Accuracy", "residues whose class is right"),
    ("q8", "Q8", "residues whose class of eight is right"),
    ("q3_chain_mean", "Q3, mean of chains", "every chain counts the same, however short"),
    ("accuracy_chain_mean", "Accuracy, mean of sequences", "every sequence counts the same"),
    ("sov", "SOV'99", "overlap of observed and predicted segments"),
    ("sov_refine", "SOV_refine", "overlap of segments, refined definition of 2018"),
    ("macro_f1", "Macro F1", "mean of the F1 of the classes; 1 is perfect"),
    ("mcc", "MCC", "correlation of observed and predicted; 0 is chance, 1 is perfect"),
    ("sov_ss8", "SOV'99, eight classes", "as above, for the classes of SS8"),
    ("macro_f1_ss8", "Macro F1, eight classes", "as above, for the classes of SS8"),
    ("mcc_ss8", "MCC, eight classes", "as above, for the classes of SS8"),
    ("ece", "ECE", "mean gap of confidence and accuracy; smaller is better"),
    ("ece_uncalibrated", "ECE before calibration", "the same before temperature scaling"),
)
_CLASS_SCORES = (
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("mcc", "MCC"),
    ("average_precision", "Average precision"),
)
_BASELINES = ("window_logistic", "majority")
_GENOME_BASELINES = ("pwm", "kmer_logistic", "prevalence", "majority")


@dataclass(frozen=True)
class ScoreRow:
    """One metric of the model beside those of the baselines."""

    key: str
    name: str
    meaning: str
    score: Interval
    baselines: list[Interval]


@dataclass(frozen=True)
class ConfusionCell:
    """How many residues of a class were predicted as another one, and their share of the class."""

    count: int
    share: float


def write_report(run_folder: str | Path, output: str | Path) -> None:
    """Write the report of a run as one HTML file that needs no other file and no network.

    The same run gives the same bytes.

    Parameters
    ----------
    run_folder
        Folder written by ``grubio train`` and ``grubio evaluate``.
    output
        HTML file to write.

    Raises
    ------
    GrubioError
        If the run has no model or no metrics, a file is damaged, or the page cannot be written.
    """
    write_text_whole(output, render_report(read_run(run_folder)))


def render_report(run: Run) -> str:
    """Return the report of a run as HTML."""
    found = checks(run)
    outcome, answer = verdict(found)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            noun=run.chain_word,
            scheme=run.scheme,
            headline=run.scheme.headline,
            score=run.score(run.score_key),
            unit=run.unit_word,
            genome=run.genome,
            gain=run.gain,
            main_baseline=baseline_name(run.main_baseline),
            baselines=[(name, run.baseline(key, run.score_key)) for key, name in _baselines(run)],
            trained=_what_was_trained(run),
            trained_on=_what_it_saw(run),
            checks=found,
            outcome=outcome,
            answer=answer,
            headline_figure=_headline_figure(run),
            scores=_scores(run),
            learning=_learning(run),
            class_tables=_class_tables(run),
            class_scores=_CLASS_SCORES,
            confusions=_confusions(run),
            calibration_figure=_calibration(run),
            lengths=_groups(run, "by_length", f"length of the {run.chain_word} (residues)"),
            identities=_groups(
                run, "by_identity", f"identity to the nearest training {run.chain_word}"
            ),
            distribution=_distribution(run),
            **_drawings(run),
            site_classes=site_classes(run),
            site_columns=SITE_COLUMNS,
            near=NEAR,
            dense_classes=dense_classes(run),
            dense_columns=DENSE_COLUMNS,
            motifs=learned_motifs(run) if run.genome else None,
            facts=facts(run),
            colours=[(colour, text_colour(colour)) for colour in run.scheme.headline.colours],
        )
    )


def _baselines(run: Run) -> list[tuple[str, str]]:
    known = run.metrics.get("baselines") or {}
    keys = [key for key in _GENOME_BASELINES if key in known] if run.genome else _BASELINES
    return [(key, name[0].upper() + name[1:]) for key in keys for name in [baseline_name(key)]]


def _what_was_trained(run: Run) -> str:
    architecture = run.model.get("architecture", {})
    layers, width = architecture.get("layers"), architecture.get("hidden_size")
    shape = f"{plural(layers, 'layer')} of {width} units in each direction" if layers else ""
    parameters = run.model.get("parameters")
    size = f"{parameters:,} parameters" if parameters else ""
    details = ", ".join(part for part in (shape, size) if part)
    classes = f"{run.scheme.size} classes ({scheme_title(run.scheme)})"
    return f"A bidirectional GRU ({details}) that gives each {run.unit_word} one of {classes}."


def _what_it_saw(run: Run) -> str:
    training = run.training
    if not training.get("chains"):
        return "What it was trained on is not recorded."
    sources = ", ".join(sorted(training.get("dataset_sources") or {}))
    seconds, device = training.get("seconds"), training.get("device")
    time = f", in {duration(seconds)} ({device})" if seconds else ""
    return (
        f"Trained on {plural(training['chains'], 'strand' if run.genome else run.chain_word)} "
        f"{'of blocks ' if run.genome else ''}"
        f"({training.get('residues', 0):,} {run.unit_word}s)"
        + (f" from {sources}" if sources else "")
        + f"{time}."
    )


def _headline_figure(run: Run) -> Markup:
    dots = [figures.Dot("this model", run.score(run.score_key))]
    dots += [
        figures.Dot(baseline_name(key), score, strong=False)
        for key, _ in _baselines(run)
        if (score := run.baseline(key, run.score_key)).known
    ]
    key = run.score_key
    text = "; ".join(f"{dot.label} {score_text(key, dot.score.value)}" for dot in dots)
    figure = figures.dot_plot(dots, f"{run.score_name} on the test set (%)")
    return inline_svg(figure, "headline", f"{run.score_name} of the model and baselines: {text}")


def _scores(run: Run) -> list[ScoreRow]:
    rows = []
    for key, name, meaning in _SCORES:
        score = run.score(key)
        if score.known:
            of_baselines = [run.baseline(baseline, key) for baseline, _ in _baselines(run)]
            worded = meaning.replace("residue", run.unit_word)
            rows.append(ScoreRow(key, name, worded, score, of_baselines))
    return rows


def _learning(run: Run) -> list[Markup]:
    if not run.history:
        return []
    best = run.training.get("best_epoch")
    name = "score" if run.genome else run.score_name
    scores = [row["valid_score"] for row in run.history if not math.isnan(row["valid_score"])]
    top = percent(max(scores, default=None)) if scores else "no value"
    return [
        inline_svg(
            figures.loss_curves(run.history),
            "loss",
            f"Training and validation loss over {run.history[-1]['epoch']:g} epochs; validation "
            f"loss ends at {run.history[-1]['valid_loss']:.3f}",
        ),
        inline_svg(
            figures.score_curve(run.history, best, name),
            "score",
            f"Validation {name} over epochs; the best is {top}",
        ),
    ]


def _class_tables(run: Run) -> list[tuple[Any, list[dict[str, Any]]]]:
    tables = []
    for name, by_letter in (run.metrics.get("classes") or {}).items():
        scheme = run.scheme_named(name)
        rows = [
            {
                "letter": letter,
                "name": class_name,
                "support": int(by_letter[letter].get("support") or 0),
                "scores": [
                    interval_from(by_letter[letter].get(key), f"classes.{name}.{letter}.{key}")
                    for key, _ in _CLASS_SCORES
                ],
            }
            for letter, class_name in zip(scheme.letters, scheme.class_names, strict=True)
            if letter in by_letter
        ]
        tables.append((scheme, rows))
    return sorted(tables, key=lambda table: table[0].size)


def _confusions(run: Run) -> list[tuple[Any, list[list[ConfusionCell]]]]:
    matrices = []
    for name, counts in (run.confusion or {}).items():
        scheme = run.scheme_named(name)
        rows = []
        for observed in scheme.letters:
            row = [counts.get((observed, predicted), 0) for predicted in scheme.letters]
            total = sum(row) or 1
            rows.append([ConfusionCell(count, count / total) for count in row])
        matrices.append((scheme, rows))
    return sorted(matrices, key=lambda matrix: matrix[0].size)


def _calibration(run: Run) -> Markup | None:
    if not run.calibration:
        return None
    before, after = run.score("ece_uncalibrated").value, run.score("ece").value
    return inline_svg(
        figures.reliability(run.calibration),
        "calibration",
        f"Accuracy against confidence; the mean gap is {percent(before)} before and "
        f"{percent(after)} after calibration",
    )


def _groups(run: Run, key: str, axis_label: str) -> tuple[Markup, list[GroupScore]] | None:
    groups = run.groups(key)
    if not groups:
        return None
    figure = figures.scores_by_group(groups, run.score(run.score_key), axis_label, run.score_name)
    text = "; ".join(f"{group.name}: {percent(group.score.value)}" for group in groups)
    name = key.replace("_", "-")
    return inline_svg(figure, name, f"{run.score_name} by {axis_label}. {text}"), groups


def _distribution(run: Run) -> tuple[Markup, list[tuple[str, float]]] | None:
    scores = [chain.score for chain in run.chains or [] if chain.score is not None]
    if not scores or run.genome:
        return None
    figure = inline_svg(
        figures.score_histogram(scores, run.score_name, run.chain_word),
        "distribution",
        f"Histogram of the {run.score_name} of {plural(len(scores), f'test {run.chain_word}')}, "
        f"from {percent(min(scores))} to {percent(max(scores))}",
    )
    shares = (5, 25, 50, 75, 95)
    return figure, [
        (f"{share}\N{NO-BREAK SPACE}%", float(np.percentile(scores, share))) for share in shares
    ]


def _drawings(run: Run) -> dict[str, Any]:
    if run.chains is None or run.predictions is None or run.genome:
        return {"worst": [], "best": [], "most_residues": MOST_RESIDUES}
    worst, best = worst_and_best(run.chains)
    return {
        "worst": draw_chains(run.predictions, run.scheme, worst),
        "best": draw_chains(run.predictions, run.scheme, best),
        "most_residues": MOST_RESIDUES,
    }
