"""What the scores of ``metrics.json`` are called on the pages, the most telling first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ScoreName(NamedTuple):
    """A title for tables, a name within a sentence, and what the score tells."""

    title: str
    inline: str
    meaning: str


SCORES: Mapping[str, ScoreName] = {
    "site_average_precision": ScoreName(
        "Average precision of sites",
        "average precision",
        "of the first class of sites, starts within 3 bases",
    ),
    "base_mcc": ScoreName(
        "MCC of bases", "MCC", "of the first class of varying width, on each strand"
    ),
    "q3": ScoreName("Q3", "Q3", "residues whose class of three is right"),
    "accuracy": ScoreName("Accuracy", "accuracy", "residues whose class is right"),
    "q8": ScoreName("Q8", "Q8", "residues whose class of eight is right"),
    "average_precision": ScoreName(
        "Mean average precision",
        "mean average precision",
        "mean of the classes other than the background, over all thresholds",
    ),
    "q3_chain_mean": ScoreName(
        "Q3, mean of chains", "mean Q3", "every chain counts the same, however short"
    ),
    "accuracy_chain_mean": ScoreName(
        "Accuracy, mean of sequences", "mean accuracy", "every sequence counts the same"
    ),
    "sov": ScoreName("SOV'99", "SOV", "overlap of observed and predicted segments"),
    "sov_refine": ScoreName(
        "SOV_refine", "SOV_refine", "overlap of segments, refined definition of 2018"
    ),
    "macro_f1": ScoreName("Macro F1", "macro F1", "mean of the F1 of the classes; 1 is perfect"),
    "mcc": ScoreName(
        "MCC", "MCC", "correlation of observed and predicted; 0 is chance, 1 is perfect"
    ),
    "sov_ss8": ScoreName("SOV'99, eight classes", "SOV", "as above, for the classes of SS8"),
    "macro_f1_ss8": ScoreName(
        "Macro F1, eight classes", "macro F1", "as above, for the classes of SS8"
    ),
    "mcc_ss8": ScoreName("MCC, eight classes", "MCC", "as above, for the classes of SS8"),
    "spearman": ScoreName(
        "Spearman's correlation", "Spearman correlation", "of the ranks of all values; 1 is perfect"
    ),
    "pearson": ScoreName(
        "Pearson's correlation", "Pearson correlation", "of all values; 1 is perfect"
    ),
    "mean_absolute_error": ScoreName(
        "Mean absolute error", "mean absolute error", "in the unit of the values; 0 is perfect"
    ),
    "rmse": ScoreName(
        "Root mean square error", "root mean square error", "in the unit of the values"
    ),
    "spearman_chain_mean": ScoreName(
        "Spearman's, mean of sequences",
        "mean Spearman correlation",
        "within each sequence; every sequence counts the same",
    ),
    "mean_absolute_error_chain_mean": ScoreName(
        "Mean absolute error, mean of sequences",
        "mean of mean absolute errors",
        "every sequence counts the same",
    ),
    "coverage": ScoreName(
        "Coverage", "coverage", "share of the values in their 95 % interval; 95 % is right"
    ),
    "coverage_uncalibrated": ScoreName(
        "Coverage before calibration", "coverage", "the same before the deviations were scaled"
    ),
    "ece": ScoreName("ECE", "ECE", "mean gap of confidence and accuracy; smaller is better"),
    "ece_uncalibrated": ScoreName(
        "ECE before calibration", "ECE", "the same before temperature scaling"
    ),
}

SHARES_RIGHT = ("q3", "accuracy", "q8")
"""Scores that are the share of residues given the right class; a run has the first it knows."""
