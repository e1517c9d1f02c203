"""Checks of a run: whether its scores can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grubio.config import SplitSettings
from grubio.runs.folder import Run, baseline_name
from grubio.runs.numbers import gain_text, is_fraction, percent, range_text, score_text
from grubio.runs.tables import ChainScore
from grubio.splits.repeats import LEAST_BASES
from grubio.text import plural

Outcome = Literal["good", "caution", "unknown"]
_Finding = tuple[Outcome, str]

# A larger calibration error exceeds most differences between models.
_LARGEST_GOOD_ECE = 0.03
# A wider interval exceeds what a better architecture usually gains.
_WIDEST_GOOD_INTERVAL = 0.04
# Every genome has some rRNA operons and insertion elements; more repeats can inflate a score.
_MOST_GOOD_REPEATS = 0.02
# The sketch of training data finds a few that are similar by chance.
_MOST_GOOD_SIMILAR = 0.01
# What counts as a homolog; a run does not say whether its split had other limits.
_LIMITS = SplitSettings()


@dataclass(frozen=True)
class Check:
    """One reason to trust the scores, or not to."""

    name: str
    outcome: Outcome
    finding: str


def checks(run: Run) -> list[Check]:
    """Return the checks of a run: independent test set, gain, calibration, size, likeness."""
    found = {
        "Independence of the test set": _blocks(run) if run.genome else _homologs(run),
        "Gain over the baseline": _gain(run),
        "Calibration": _coverage(run) if run.of_values else _calibration(run),
        "Size of the test set": _precision(run),
    }
    if run.of_values and not run.main.spread:
        # A model without deviations claims nothing that could be checked.
        del found["Calibration"]
    if behind := _training_data(run):
        found["Training data behind the model"] = behind
    if unlike := run.metrics.unlike_training:
        told = f"The test set differs from the training data: {unlike}."
        found["Likeness to the training data"] = "caution", told
    return [Check(name, *finding) for name, finding in found.items()]


def verdict(found: Sequence[Check]) -> tuple[Outcome, str]:
    """Return the outcome of all checks, and a sentence about it."""
    cautions = [check.name.lower() for check in found if check.outcome == "caution"]
    unknown = [check.name.lower() for check in found if check.outcome == "unknown"]
    if cautions:
        return "caution", f"With care: look at {' and '.join(cautions)} below."
    if unknown:
        return "unknown", f"Not fully checked: no information about {' and '.join(unknown)}."
    return "good", "Yes: every check below was passed."


def homologs_in_training(chains: Sequence[ChainScore]) -> int:
    """Return how many test chains have a homolog in training, copies included."""
    return sum(_is_alike(chain) or _is_significant(chain) for chain in chains)


def _is_alike(chain: ChainScore) -> bool:
    return chain.identity is not None and chain.identity >= _LIMITS.min_identity


def _is_significant(chain: ChainScore) -> bool:
    return chain.evalue is not None and chain.evalue < _LIMITS.max_evalue


def _homologs(run: Run) -> _Finding:
    noun, chains = run.chain_word, run.chains
    if not chains or not run.metrics.by_identity:
        return "unknown", (
            f"There is no audit, so it is unknown whether test {noun}s have homologs among the "
            f"training {noun}s."
        )
    count, alike = homologs_in_training(chains), sum(map(_is_alike, chains))
    finding = (
        f"{f'{alike:,}' if alike else 'None'} of {plural(len(chains), f'test {noun}')} "
        f"{_have(alike)} a training {noun} of {percent(_LIMITS.min_identity, 0)} identity or more."
    )
    if copies := sum(chain.identity == chain.coverage == 1 for chain in chains):
        finding += (
            f" {copies:,} of them {'is a copy' if copies == 1 else 'are copies'}: identical to a "
            f"training {noun}, contained whole in one, or containing one."
        )
    if remote := count - alike:
        finding += (
            f" {plural(remote, f'test {noun}')} {_have(remote)} a training {noun} of lower "
            f"identity whose alignment is significant (E-value below {_LIMITS.max_evalue:g})."
        )
    nearest = max((c.identity for c in chains if c.identity is not None), default=None)
    if nearest is not None:
        finding += f" The nearest one is {percent(nearest, 0)} identical."
    return "caution" if count else "good", finding


def _have(count: int) -> str:
    return "has" if count <= 1 else "have"


def _blocks(run: Run) -> _Finding:
    found = run.metrics.independence
    shared, nearest = found.shared_bases, found.nearest
    if shared is None:
        return "unknown", "It is unknown whether test blocks overlap training blocks."
    if shared:
        written = plural(shared, "test base")
        return "caution", f"{written} were also in training or validation blocks."
    ending = "" if nearest is None else f" The nearest one is {plural(nearest, 'base')} away."
    apart = "No test block overlaps a training or validation block on either strand." + ending
    repeated, bases = found.repeated_bases, found.bases
    if repeated is None or not bases:
        return "unknown", f"{apart} Copies of training sequence were not looked for."
    return "good" if repeated / bases <= _MOST_GOOD_REPEATS else "caution", (
        f"{apart} Of {plural(bases, 'test base')}, {repeated:,} ({percent(repeated / bases)}) lie "
        f"in near-exact copies of training sequence of {LEAST_BASES} bases or more, such as "
        "repeats; they are scored like all others. More divergent copies were not looked for."
    )


def _training_data(run: Run) -> _Finding | None:
    # Of the model itself only if something is found: its own audit says more.
    findings: list[_Finding] = []
    for place, one in enumerate(run.metrics.training_overlap):
        seen, similar = one.seen or 0, one.similar or 0
        tested = plural(one.records, f"test {run.chain_word}")
        if one.seen is None:
            if place:
                told = f"Whether test {run.chain_word}s were in that of {one.model} is unknown."
                findings.append(("unknown", told))
        elif seen or similar > _MOST_GOOD_SIMILAR * one.records:
            told = f"Of {tested}, {seen:,} were in that of {one.model}, {similar:,} are similar."
            findings.append(("caution", told))
        elif place:
            none = f"Of {tested}, none was in that of {one.model}, {similar:,} are similar to it."
            findings.append(("good", none))
    if not findings:
        return None
    worst = next(o for o in ("caution", "unknown", "good") if o in [one for one, _ in findings])
    return worst, " ".join(told for _, told in findings)


def _gain(run: Run) -> _Finding:
    gain, key = run.gain, run.score_key
    if gain.value is None:
        return "unknown", "There is no baseline to compare with."
    ends = range_text(key, gain)
    interval = f" (95\N{NO-BREAK SPACE}% interval {ends})" if ends else ""
    beats = (gain.low if gain.low is not None else gain.value) > 0
    over = baseline_name(run.main_baseline)
    if run.main_baseline == "window_logistic":
        over = "logistic regression on a window of residues"
    by = gain_text(key, gain.value).replace(" points", " percentage points")
    finding = f"{by} of {run.score_name} over a {over}{interval}"
    finding += "." if beats else ": there may be no gain."
    score, majority = run.score(key).value, run.baseline("majority", key).value
    if score is not None and majority is not None and score <= majority:
        # Where a class is rare, a model that never predicts it has a high accuracy.
        beats = False
        finding += f" Always predicting the most common class reaches {score_text(key, majority)}."
    return "good" if beats else "caution", finding


def _calibration(run: Run) -> _Finding:
    ece, before = run.score("ece").value, run.score("ece_uncalibrated").value
    if ece is None:
        return "unknown", "The calibration error was not measured."
    ending = "" if before is None else f"; before calibration, by {percent(before)}"
    return "good" if ece <= _LARGEST_GOOD_ECE else "caution", (
        f"Confidence differs from the observed accuracy by {percent(ece)} on average{ending}."
    )


def _coverage(run: Run) -> _Finding:
    covered, before = run.score("coverage").value, run.score("coverage_uncalibrated").value
    if covered is None:
        return "unknown", "How many values lie in their 95 % interval was not measured."
    ending = "" if before is None else f"; before calibration, {percent(before)}"
    return "good" if abs(covered - 0.95) <= _LARGEST_GOOD_ECE else "caution", (
        f"{percent(covered)} of the values lie in their 95\N{NO-BREAK SPACE}% interval{ending}."
    )


def _precision(run: Run) -> _Finding:
    score = run.score(run.score_key)
    if score.low is None or score.high is None:
        return "unknown", "The score has no interval."
    width = score.high - score.low
    on = f" on {plural(run.tested, f'test {run.chain_word}')}" if run.tested else ""
    wide = f"{width:.3f}" if is_fraction(run.score_key) else f"{100 * width:.1f} percentage points"
    return "good" if width <= _WIDEST_GOOD_INTERVAL else "caution", (
        f"The 95\N{NO-BREAK SPACE}% interval of {run.score_name}{on} is {wide} wide."
    )
