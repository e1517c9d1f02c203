"""docs/performance.md and docs/scaling.md, made of the results of the speed benchmarks.

python benchmarks/performance_page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelling_lines import decoding_lines, labelling_lines
from scaling_page import scaling_page
from size_lines import draw, genome_lines, scale_lines
from training_lines import parallel_lines, precision_lines, training_lines

BENCHMARKS = Path(__file__).parent
DOCS = BENCHMARKS.parent / "docs"
FILES = (
    "throughput",
    "decoding",
    "startup",
    "training_speed",
    "scale",
    "genome_speed",
    "parallel_training",
    "precision",
    "precision_long",
)


def results() -> dict[str, Any]:
    """Return the results of the speed benchmarks that have been run, by name."""
    paths = {name: BENCHMARKS / f"{name}.json" for name in FILES}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def performance_page(found: Mapping[str, Any]) -> str:
    """Return docs/performance.md."""
    start, learned = found["startup"], found["training_speed"]
    lines = [
        "# Performance",
        "",
        "This page is made by `python benchmarks/performance_page.py` from the JSON files that the "
        "scripts in `benchmarks/` write, on a machine of two cores. Seconds and rates are of that "
        "machine and vary by tens of percent from run to run: compare the rows of one table. It has no "
        "GPU: the tests of labelling and training on CUDA are skipped there, and run where there is "
        "a device (`pytest tests/model tests/training -k gpu`).",
        "",
        *labelling_lines(found["throughput"]),
        *decoding_lines(found.get("decoding", {})),
        "",
        "## Starting",
        "",
        f"`python benchmarks/startup.py`, medians of {start['runs']} runs:",
        "",
        "| command | seconds | CPU seconds | peak memory (MB) |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| `{name}` | {value:.2f} | {start['median_cpu_seconds'][name]:.2f} | "
            f"{start['peak_megabytes'][name]:.0f} |"
            for name, value in start["median_seconds"].items()
        ),
        "",
        "## Training",
        "",
        *training_lines(learned),
    ]
    if "precision" in found:
        lines += precision_lines(found["precision"], found.get("precision_long"))
    if "parallel_training" in found:
        lines += parallel_lines(found["parallel_training"])
    if "scale" in found:
        lines += scale_lines(found["scale"], _starting(found))
    if "genome_speed" in found:
        lines += genome_lines(found["genome_speed"])
    return "\n".join(lines) + "\n"


def _starting(found: Mapping[str, Any]) -> float:
    return float(found["startup"]["median_cpu_seconds"]["grubio predict of one protein"])


def main() -> None:
    """Write the pages."""
    found = results()
    (DOCS / "performance.md").write_text(performance_page(found))
    (DOCS / "scaling.md").write_text(scaling_page(found))
    if "scale" in found:
        draw(found["scale"], _starting(found), DOCS / "performance.svg")


if __name__ == "__main__":
    main()
