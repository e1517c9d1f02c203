"""The report of a run: what was trained, how good it is, and whether to trust the scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grubio.files import write_text_whole
from grubio.metrics.candidates import NEAR
from grubio.overwriting import keep_apart
from grubio.report.chain_data import chain_table
from grubio.report.facts import facts
from grubio.report.genome import DENSE_COLUMNS, SITE_COLUMNS, dense_classes, site_classes
from grubio.report.genome_motifs import learned_motifs
from grubio.report.headline import baselines, glances, headline, headline_figure, reduction
from grubio.report.residue_drawing import MOST_RESIDUES, draw_chains, typical, worst_and_best
from grubio.report.run_figures import (
    calibration_figure,
    distribution_figure,
    gradient_figure,
    group_figure,
    learning_figures,
    reach_figure,
)
from grubio.report.score_tables import CLASS_SCORES, class_tables, confusions, fold_rows, score_rows
from grubio.report.templating import class_styles, environment
from grubio.report.values import target_tables, value_report
from grubio.report.verdict import checks, verdict
from grubio.runs.files import read_files
from grubio.runs.folder import Run, baseline_name, read_run
from grubio.runs.score_names import SCORES


def write_report(run_folder: str | Path, output: str | Path) -> None:
    """Write the report of a run as one self-contained HTML file; reproducible to the byte.

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
    keep_apart(list(read_files(Path(run_folder))), output)
    write_text_whole(output, render_report(read_run(run_folder)))


def render_report(run: Run) -> str:
    """Return the report of a run as HTML."""
    found = checks(run)
    outcome, answer = verdict(found)
    noun = run.chain_word
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            noun=noun,
            scheme=run.scheme,
            headline=run.scheme.headline,
            score=run.score(run.score_key),
            meaning=SCORES[run.score_key].meaning,
            unit=run.unit_word,
            genome=run.genome,
            gain=run.gain,
            main_baseline=baseline_name(run.main_baseline),
            baselines=baselines(run),
            summary=headline(run),
            glances=glances(run),
            reduction=reduction(run.scheme),
            checks=found,
            outcome=outcome,
            answer=answer,
            headline_figure=headline_figure(run),
            scores=score_rows(run),
            target_tables=target_tables(run),
            values=value_report(run),
            folds=fold_rows(run),
            learning=learning_figures(run),
            gradient=gradient_figure(run),
            reach=run.reach
            and reach_figure({run.name: {row.distance: row.gradient for row in run.reach}}),
            class_tables=class_tables(run),
            class_scores=CLASS_SCORES,
            confusions=confusions(run),
            calibration_figure=calibration_figure(run),
            lengths=group_figure(
                run, run.metrics.by_length, "by-length", f"length of the {noun} (residues)"
            ),
            identities=group_figure(
                run,
                run.metrics.by_identity,
                "by-identity",
                f"identity to the nearest training {noun}",
            ),
            distribution=distribution_figure(run),
            **_chains(run),
            site_classes=site_classes(run),
            site_columns=[(key, title) for (_, key), title in SITE_COLUMNS],
            near=NEAR,
            dense_classes=dense_classes(run),
            dense_columns=DENSE_COLUMNS,
            motifs=learned_motifs(run) if run.genome else None,
            facts=facts(run),
            class_styles=class_styles(run.scheme),
        )
    )


def _chains(run: Run) -> dict[str, Any]:
    shown: dict[str, Any] = {"most_residues": MOST_RESIDUES, "table": None}
    groups: dict[str, Any] = {"typical": [], "worst": [], "best": []}
    if run.chains and not run.genome and not run.of_values:
        shown["table"] = chain_table(run.predictions, run.scheme, run.chains, run.chain_score_name)
        if run.predictions is not None:
            groups["typical"] = typical(run.chains)
            groups["worst"], groups["best"] = worst_and_best(run.chains)
            for name, chains in groups.items():
                groups[name] = draw_chains(run.predictions, run.scheme, chains)
    return {**shown, **groups}
