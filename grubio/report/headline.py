"""The top of the report: what was trained and tested on what, its score, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grubio.model.networks.registry import ATTENTIONS, NETWORKS, described
from grubio.report import figures
from grubio.report.templating import scheme_title
from grubio.runs.folder import Run, baseline_name
from grubio.runs.numbers import axis_label, duration, gain_text, range_text, score_text
from grubio.runs.score_names import SCORES
from grubio.sequences.scheme import LabelScheme
from grubio.text import plural
from grubio.view.svg import inline_svg

_BASELINES = ("window_logistic", "majority")
_BASELINES_OF_VALUES = ("window_ridge", "mean")
_GENOME_BASELINES = ("pwm", "kmer_logistic", "prevalence", "majority")


@dataclass(frozen=True)
class Glance:
    """A key fact of the run as question, answer and details."""

    question: str
    answer: str
    details: str


def baselines(run: Run) -> list[tuple[str, str]]:
    """Return key and name of the baselines that the model is compared with."""
    known = run.metrics.baselines
    keys: Sequence[str] = _BASELINES_OF_VALUES if run.of_values else _BASELINES
    if run.genome:
        keys = [key for key in _GENOME_BASELINES if key in known]
    return [(key, _sentence(baseline_name(key))) for key in keys]


def headline(run: Run) -> str:
    """Return one sentence with the score of the model, the test set, and a simple baseline."""
    score, key = run.score(run.score_key), run.score_key
    baseline = run.baseline(run.main_baseline, key)
    value = score_text(key, score.value)
    tested = plural(run.tested, f"test {run.chain_word}") if run.tested else "the test set"
    unseen = f"{tested} that it was not trained on"
    if run.of_values:
        name = SCORES[key].inline
        text = f"Predicts {run.main.name} with a {name} of {value} in {unseen}"
    elif key == run.chain_key:
        classes = len(run.scheme.headline.letters if key != "q8" else run.scheme.letters)
        text = f"Predicts the right one of {classes} classes for {value} of the {run.unit_word}s "
        text += f"in {unseen}"
    else:
        name, _, of = run.score_name.partition(" of ")
        article = "an" if name[0] in "aM" else "a"
        units = "sites" if key == "site_average_precision" else f"{run.unit_word}s"
        found = f"Finds {units} of {of}" if of else f"Labels {units}"
        text = f"{found} with {article} {name} of {value} in {unseen}"
    if baseline.known:
        text += f"; a {baseline_name(run.main_baseline)} reaches "
        text += score_text(key, baseline.value)
    return f"{text}."


def glances(run: Run) -> list[Glance]:
    """Return the facts on the model, its training data, its test set and the baseline."""
    return [_model(run), _training_data(run), _test_data(run), _baseline(run)]


def reduction(scheme: LabelScheme) -> str:
    """Return a sentence on which fine classes count as which coarse one; empty without fine ones.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS8
    >>> reduction(SS8)
    'H, G, I count as helix; E, B count as strand; T, S, C count as coil.'
    """
    coarse = scheme.headline
    if coarse is scheme:
        return ""
    groups = [
        ", ".join(letter for letter in scheme.letters if scheme.reduction.get(letter) == target)
        for target in coarse.letters
    ]
    named = zip(groups, coarse.class_names, strict=True)
    return "; ".join(f"{group} count as {name}" for group, name in named) + "."


def headline_figure(run: Run) -> Markup:
    """Draw the headline scores of the model and the baselines."""
    dots = [figures.Dot("this model", run.score(run.score_key))]
    dots += [
        figures.Dot(baseline_name(key), score, strong=False)
        for key, _ in baselines(run)
        if (score := run.baseline(key, run.score_key)).known
    ]
    key = run.score_key
    text = "; ".join(f"{dot.label} {score_text(key, dot.score.value)}" for dot in dots)
    figure = figures.dot_plot(dots, axis_label(key, f"{run.score_name} on the test set"))
    return inline_svg(figure, "headline", f"{run.score_name} of the model and baselines: {text}")


def _model(run: Run) -> Glance:
    network = run.network
    layers, width = network.get("layers"), network.get("hidden_size")
    parameters = run.model.get("parameters")
    name, attention = network["network"], network.get("attention", "none")
    known = name in NETWORKS and attention in ATTENTIONS
    description = described(name, attention) if known else str(name)
    details = [
        f"{plural(layers, 'layer')} of {width} units" if layers else "",
        f"{parameters:,} parameters" if parameters else "",
        f"values of {run.main.name} for each {run.unit_word}"
        if run.of_values
        else f"{run.scheme.size} classes ({scheme_title(run.scheme)}) for each {run.unit_word}",
    ]
    return Glance("What was trained", _sentence(description), _list(details))


def _training_data(run: Run) -> Glance:
    question, training = "On what", run.training
    if not training.get("chains"):
        return Glance(question, "Not recorded", "")
    noun = "strand" if run.genome else run.chain_word
    sources = ", ".join(sorted(training.get("dataset_sources") or {}))
    seconds, device = training.get("seconds"), training.get("device")
    details = [
        ("of blocks, " if run.genome else "")
        + plural(training.get("residues", 0), run.unit_word)
        + (f" from {sources}" if sources else ""),
        f"in {duration(seconds)} ({device})" if seconds else "",
    ]
    return Glance(question, plural(training["chains"], noun), _list(details))


def _test_data(run: Run) -> Glance:
    scored = run.metrics.counts.scored_residues
    details = f"{plural(scored, f'scored {run.unit_word}')}" if scored else ""
    if details and run.genome:
        details += " of both strands"
    tested = plural(run.tested, run.chain_word) if run.tested else "Not recorded"
    return Glance("Tested on", tested, details)


def _baseline(run: Run) -> Glance:
    question, key = "Against what", run.score_key
    gain, score = run.gain, run.baseline(run.main_baseline, key)
    name = baseline_name(run.main_baseline)
    if not gain.known:
        return Glance(question, "No baseline", "")
    details = f"over a {name}" + (f" ({score_text(key, score.value)})" if score.known else "")
    ends = range_text(key, gain)
    details += f"; 95\N{NO-BREAK SPACE}% interval {ends}" if ends else ""
    return Glance(question, gain_text(key, gain.value), details)


def _list(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
