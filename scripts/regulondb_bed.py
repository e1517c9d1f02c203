"""Tables of RegulonDB promoters as BED, for config/ecoli_promoters.yaml.

RegulonDB (https://regulondb.ccg.unam.mx; free for academic, non-commercial use; cite it) has no
stable address for these tables, so they are not fetched. Two tables are read, tab-separated with a
header line:

    start sites   columns tss (1-based), strand, name, sigma, confidence
    -35 boxes     columns promoter, sigma, tss, strand, minus35_outer_edge_upstream_of_tss

Names in the BED are the sigma factor for a start site (one base), and the sigma factor followed by
``-35`` for a box (six bases from its outer edge).

    python scripts/regulondb_bed.py tss.tsv minus35.tsv --contig NC_000913.3 resources/promoters.bed
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from grubio.files import write_text_whole

BOX = 6


def start_sites(path: Path) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end (0-based, half-open), strand and name of each transcription start."""
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            start = int(row["tss"]) - 1
            yield start, start + 1, row["strand"], row["sigma"]


def boxes(path: Path) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end (0-based, half-open), strand and name of each -35 box."""
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            tss, upstream = int(row["tss"]) - 1, int(row["minus35_outer_edge_upstream_of_tss"])
            start = tss - upstream if row["strand"] == "+" else tss + upstream - BOX + 1
            yield start, start + BOX, row["strand"], f"{row['sigma']}-35"


def main() -> None:
    """Write both tables as one BED file, in the order of the genome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("starts", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--contig", required=True)
    arguments = parser.parse_args()
    sites = sorted(set(start_sites(arguments.starts)) | set(boxes(arguments.boxes)))
    lines = (
        f"{arguments.contig}\t{start}\t{end}\t{name}\t0\t{strand}\n"
        for start, end, strand, name in sites
    )
    write_text_whole(arguments.output, "".join(lines))


if __name__ == "__main__":
    main()
