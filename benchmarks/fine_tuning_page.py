"""The section of docs/fine-tuning.md that tells what a parent is worth, and its figure.

    python benchmarks/fine_tuning_page.py

makes both of ``benchmarks/fine_tuning.json``, which ``fine_tuning.py table`` writes.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import t as student

from fine_tuning import DRAWS, RESULTS, SIZES
from grubio.files import write_text_whole
from grubio.view.svg import ACCENT, CONTRAST, MUTED, drawing_style, write_svg

DOCS = Path(__file__).parents[1] / "docs"
PAGE, FIGURE = DOCS / "fine-tuning.md", DOCS / "fine-tuning.svg"
BEGIN, END = (
    f"<!-- {word} of what benchmarks/fine_tuning_page.py writes -->\n" for word in ("begin", "end")
)
MANY = (50, 100, 300, 1000)
"""Chains without the parent that are compared with fewer that have it."""
NAMES = {
    "from": "from `protein-ss-fast`",
    "scratch": "new, of the same size",
    "small": "new, `hidden_size: 32`",
}
LOOKS = {"from": ("o-", ACCENT), "scratch": ("s--", CONTRAST), "small": ("D:", MUTED)}
BOOTSTRAP = 2000
Scores = Mapping[str, float]
Results = Mapping[str, Mapping[str, Scores]]


def told(scores: Sequence[float], signed: str = "") -> str:
    """Return the mean and its 95 % interval by Student's t; the draws, if some are missing."""
    draws = len(scores)
    text = f"{statistics.mean(scores):{signed}.3f}"
    if draws > 1:
        error = statistics.stdev(scores) / math.sqrt(draws)
        text += f" ± {student.ppf(0.975, draws - 1) * error:.3f}"
    return text if draws == DRAWS else f"{text} ({draws} draw{'s' * (draws > 1)})"


def worth(results: Results, size: int) -> tuple[float, float, float]:
    """Return how many chains without the parent reach the mean score of ``size`` with it.

    Between two numbers of chains that all draws were measured on, the score is taken as linear in
    their logarithm, and what lies beyond them is the first or the last of them. After the number
    come the ends of its 95 % interval, by a bootstrap over draws.
    """
    new = {number: results["scratch"][str(number)] for number in whole(results)}
    chains = list(new)
    draws = sorted(set(results["from"][str(size)]).intersection(*new.values()))
    reached = np.array([results["from"][str(size)][draw] for draw in draws])
    curve = np.array([[new[number][draw] for draw in draws] for number in chains])
    samples = np.random.default_rng(1).integers(len(draws), size=(BOOTSTRAP, len(draws)))

    def equal(sample: np.ndarray) -> float:
        rising = np.maximum.accumulate(curve[:, sample].mean(axis=1))
        return float(np.exp(np.interp(reached[sample].mean(), rising, np.log(chains))))

    low, high = np.percentile([equal(sample) for sample in samples], (2.5, 97.5))
    return equal(np.arange(len(draws))), float(low), float(high)


def whole(results: Results) -> list[int]:
    """Return the numbers of chains without the parent that all draws were measured on."""
    return [int(number) for number, of in results["scratch"].items() if len(of) == DRAWS]


def drawn(results: Results) -> list[str]:
    """Return the arms that have all draws for some number of chains."""
    return [
        arm
        for arm in NAMES
        if any(len(scores) == DRAWS for scores in results.get(arm, {}).values())
    ]


def section(results: Results) -> str:
    """Return the tables."""
    ends = min(whole(results)), max(whole(results))
    arms = {arm: NAMES[arm] for arm in drawn(results)}
    rows = [
        f"| trained on | {' | '.join(arms.values())} |",
        f"| ---: | {' | '.join('---:' for _ in arms)} |",
    ]
    for size in map(str, SIZES):
        cells = [told([*of[size].values()]) if size in (of := results[arm]) else "" for arm in arms]
        rows.append(f"| {int(size):,} chains | {' | '.join(cells)} |")
    pairs = [
        f"| with it | as good as, without it | {' | '.join(f'minus {n:,} without' for n in MANY)} |",
        f"| ---: | ---: | {' | '.join('---:' for _ in MANY)} |",
    ]
    for size, scores in results["from"].items():
        cells = [
            _difference(scores, results["scratch"].get(str(number), {}))
            if number >= int(size)
            else ""
            for number in MANY
        ]
        equal = _equal(*worth(results, int(size)), *ends) if len(scores) == DRAWS else ""
        pairs.append(f"| {int(size):,} chains | {equal} | {' | '.join(cells)} |")
    return "\n".join([*rows, "", *pairs]) + "\n"


def _equal(number: float, low: float, high: float, least: int, most: int) -> str:
    middle, *interval = (_chains(one, least, most) for one in (number, low, high))
    return middle if {middle} == {*interval} else f"{middle} ({' to '.join(interval)})"


def _chains(number: float, least: int, most: int) -> str:
    if not least < round(number) < most:
        return f"{most:,} or more" if round(number) >= most else f"{least} or fewer"
    return f"{int(float(f'{number:.1e}')):,}"


def _difference(with_parent: Scores, without: Scores) -> str:
    both = [with_parent[draw] - without[draw] for draw in with_parent if draw in without]
    return told(both, "+") if both else ""


def curves(results: Results) -> Figure:
    """Draw the scores against the number of chains: a mark for each draw, a line through means."""
    with drawing_style():
        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        axes = figure.subplots()
        for place, arm in enumerate(drawn(results)):
            of_arm, (line, colour) = results[arm], LOOKS[arm]
            # Marks of different arms lie beside each other.
            at = {size: int(size) * 1.07 ** (place - 0.5) for size in of_arm}
            for size, scores in of_arm.items():
                marks: dict[str, Any] = {"color": colour, "markersize": 3.5, "alpha": 0.45, "lw": 0}
                axes.plot([at[size]] * len(scores), [*scores.values()], line[0], **marks)
            means = [statistics.mean(scores.values()) for scores in of_arm.values()]
            axes.plot([*at.values()], means, line, color=colour, label=NAMES[arm].replace("`", ""))
        axes.set_xscale("log")
        axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.set_xlabel("labelled chains")
        axes.set_ylabel("average precision of “disordered”")
        axes.legend(loc="lower right")
    return figure


def page(text: str, results: Results) -> str:
    """Return the text of the page with its tables renewed."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{section(results)}{END}{rest.split(END)[1]}"


def main() -> None:
    """Write the page and its figure."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    write_text_whole(PAGE, page(PAGE.read_text(encoding="utf-8"), results))
    title = "Average precision by labelled chains, with a parent and without"
    write_svg(FIGURE, curves(results), title)


if __name__ == "__main__":
    main()
