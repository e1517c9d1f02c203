"""The part of docs/performance.md about large inputs and genomes, and its figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def scale_lines(scale: Mapping[str, Any], start: float) -> list[str]:
    """Return the lines about large inputs; the program takes ``start`` seconds to start."""
    lines = [
        "",
        "## Large inputs",
        "",
        "`python benchmarks/scale.py`. A tiny network (one layer of width 8) stands for the model, "
        "so that reading, checking, batching and writing are what is measured: proteins and short "
        "records with one thread, labels written as FASTA; contigs, both strands, with two "
        "threads, sites written as BED. Every protein and every short record "
        "came back once, in its place.",
        "",
        "| input | residues | seconds | CPU seconds | peak memory (MB) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in ("proteins", "short records"):
        lines += [_cost(f"{row['records']:,} {kind}", row) for row in scale[kind]]
    lines += [_cost("one contig", row) for row in scale["contigs"]]
    lines.append(_cost("one protein as long as titin, `protein-ss`", scale["titin"]))
    return [
        *lines,
        "",
        "![Seconds and peak memory by residues](performance.svg)",
        "",
        f"The figure leaves out the {start:.1f} seconds that the program takes to start. Beyond them "
        "time is linear in residues. Memory grows with the ids, which are kept to find repeats, and with the bases "
        "of the longest contig, whose text is held.",
    ]


def genome_lines(genome: Mapping[str, Any]) -> list[str]:
    """Return the lines about a bacterial genome."""
    lines = [
        "",
        "## A bacterial genome",
        "",
        f"`python benchmarks/genome_speed.py GENOME --threads {genome['threads']}`: *E. coli* "
        f"K-12, both strands, with `{genome['model']}`, sites written as BED; and contigs that "
        "are shorter and longer.",
        "",
        "| bases | seconds | CPU seconds | peak memory (MB) |",
        "| ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['bases']:,} | {row['seconds']:.0f} | {row['cpu_seconds']:.0f} "
        f"| {row['megabytes']:.0f} |"
        for row in genome["contigs"]
    ]
    return lines


def draw(scale: Mapping[str, Any], start: float, path: Path) -> None:
    """Draw time after the seconds of starting, and memory, by residues; and a linear line."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "performance"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for kind, colour, marker in (
        ("proteins", "#0072B2", "o"),
        ("short records", "#D55E00", "s"),
        ("contigs", "#009E73", "^"),
    ):
        residues = [row["residues"] for row in scale[kind]]
        for one, column in zip(axes, ("cpu_seconds", "megabytes"), strict=True):
            before = start if column == "cpu_seconds" else 0
            values = [row[column] - before for row in scale[kind]]
            if before:
                # Less than this is the noise of starting.
                values = [value if value > 0.2 else math.nan for value in values]
            one.plot(residues, values, marker=marker, color=colour, label=kind)
    shortest, longest = 10**5, max(row["residues"] for row in scale["short records"])
    last = scale["short records"][-1]["cpu_seconds"]
    axes[0].plot(
        [shortest, longest],
        [0.4 * last * shortest / longest, 0.4 * last],
        ":",
        color="#555555",
        label="linear",
    )
    axes[0].set_yscale("log")
    axes[0].set_ylabel("CPU seconds after starting")
    axes[0].legend(frameon=False)
    axes[1].axhline(1500, linestyle=":", color="#555555")
    axes[1].set_ylabel("peak memory (MB)")
    axes[1].set_ylim(bottom=0)
    for one in axes:
        one.set_xscale("log")
        one.set_xlabel("residues")
        one.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def _cost(name: str, cost: Mapping[str, float]) -> str:
    return (
        f"| {name} | {cost['residues']:,} | {cost['seconds']:.1f} | {cost['cpu_seconds']:.1f} "
        f"| {cost['megabytes']:.0f} |"
    )
