"""The part of docs/performance.md about training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matrix_limits import LIMITS, named_limits, shares_of


def training_lines(learned: Mapping[str, Any]) -> list[str]:
    """Return the lines about the rate of a step."""
    lines = [
        f"`python benchmarks/training_speed.py --steps {learned['steps']}`: batches of "
        f"{learned['batch_residues']:,} residues, {learned['threads']} thread. `bf16` and `32` are "
        "grubio in the two precisions of [training](train.md#precision); `32` is the path of earlier "
        "versions.",
    ]
    for width, found in learned["widths"].items():
        lines += [
            "",
            f"Width {width}, {found['parameters']:,} weights:",
            "",
            f"| way | residues per second | {' | '.join(LIMITS)} | bf16 is faster by |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, rate in found["residues_per_second"].items():
            ratio = f"{found['bf16_over'][name]:.2f}" if name in found["bf16_over"] else ""
            share = shares_of(found["share_of_matrix_rate"].get(name, {}))
            lines.append(f"| {name} | {rate:,.0f} | {share} | {ratio} |")
    padding, parts = learned["padding"], learned["shares_of_a_step"]
    return [
        *lines,
        "",
        f"Six operations count for each weight and residue; {named_limits(learned['matrix_rates'])}. "
        f"{100 * padding['batches of like length']:.1f} % of what it computes is padding "
        f"({100 * padding['random batches']:.0f} % in random batches). Products in bfloat16 are "
        f"{_gain_of_bfloat16(learned['matrix_rates']):.1f} times as fast as in float32 on this "
        "processor, which is the most that a step can gain; it gains less, since gates, states and "
        "losses are float32.",
        "",
        f"Shares of the time of a step at width {next(iter(learned['widths']))}:",
        "",
        f"| precision | {' | '.join(parts['bf16'])} |",
        f"| --- |{' ---: |' * len(parts['bf16'])}",
        *(
            f"| {name} | {' | '.join(f'{100 * part:.1f} %' for part in found.values())} |"
            for name, found in parts.items()
        ),
    ]


def precision_lines(found: Mapping[str, Any], longer: Mapping[str, Any] | None) -> list[str]:
    """Return the lines about what bfloat16 does to the score."""
    means, spread = found["mean_valid_score"], found["standard_deviation"]
    timed = [row for row in found["runs"] if row["residues_per_second"]]
    places = sorted({f"{row['processor']}, {row['jobs']} trainings at a time" for row in timed})
    return [
        "",
        f"`python benchmarks/precision.py`: the demonstration study (width {found['hidden_size']}, "
        f"{found['epochs']} epochs) in both precisions, {len(found['runs']) // 2} seeds. The mean "
        f"validation score is {means['32']:.4f} in float32 and {means['bf16']:.4f} in bfloat16; the "
        f"standard deviation over seeds is {spread['32']:.4f} and {spread['bf16']:.4f}. bfloat16 "
        f"trained {found['median_gain_in_speed']:.2f} times as fast "
        f"(median of {len(timed) // 2} seeds; {'; '.join(places)})."
        + (_longer_sentence(longer) if longer else ""),
    ]


def parallel_lines(parallel: Mapping[str, Any]) -> list[str]:
    """Return the lines about two processes."""
    means = parallel["mean_valid_score"]
    return [
        "",
        f"`python benchmarks/parallel_training.py`: a small network, {parallel['residues']:,} "
        f"residues, {parallel['epochs']} epochs, {len(parallel['seeds'])} seeds. The mean "
        f"validation score is {means['1']:.4f} with one "
        f"process and {means['2']:.4f} with two of half the batch each; the standard deviation "
        f"of one process over seeds is {parallel['standard_deviation_of_one']:.4f}.",
        "",
        f"How much a second process of this machine gains, with one thread each, "
        f"{parallel['timed_chains']} chains:",
        "",
        "| network | way | residues per second | gain |",
        "| --- | --- | ---: | ---: |",
        *(
            f"| width {parallel['width'][name]} | {way} | {rate:,.0f} "
            f"| {rate / ways['one process']:.2f} |"
            for name, ways in parallel["median_residues_per_second"].items()
            for way, rate in ways.items()
        ),
    ]


def _gain_of_bfloat16(rates: Sequence[Mapping[str, Any]]) -> float:
    best = {one["precision"]: 0.0 for one in rates}
    for one in rates:
        best[one["precision"]] = max(best[one["precision"]], one["gflops"])
    return best["bfloat16"] / best["float32"]


def _longer_sentence(found: Mapping[str, Any]) -> str:
    means = found["mean_valid_score"]
    return (
        f" In one long run of {found['epochs']} epochs (`--seeds 1 --epochs {found['epochs']} "
        f"--results benchmarks/precision_long.json`) it is {means['32']:.4f} in float32 and "
        f"{means['bf16']:.4f} in bfloat16, a difference of {abs(found['mean_difference']):.4f}."
    )
