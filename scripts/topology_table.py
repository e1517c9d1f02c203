"""The table of labelled proteins that ``config/protein_topology.yaml`` reads.

``python scripts/topology_table.py topology.tsv.xz resources/topology.tsv``

The input is a table with ``id``, ``sequence``, ``labels`` and ``fold``: TMbed's proteins
(Bernhofer and Rost, BMC Bioinformatics 23:326, 2022; Apache-2.0), with the labels of its
repository: ``1`` inside, ``2`` outside, ``H`` helix, ``B`` strand, ``S`` signal peptide and ``U``
unknown; lower case is a helix or strand in the other direction. The output has the letters of the
scheme ``topology``, ``?`` for what is unknown, and the authors' folds, which keep homologs apart.
"""

import csv
import lzma
import sys

LETTERS = str.maketrans("12HhBbSU", "IOMMBBS?")


def main() -> None:
    """Write the table."""
    given, made = sys.argv[1:]
    csv.field_size_limit(10**8)
    with (
        lzma.open(given, "rt", encoding="utf-8") as lines,
        open(made, "w", encoding="utf-8", newline="") as output,
    ):
        writer = csv.writer(output, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "sequence", "labels", "fold"))
        for row in csv.DictReader(lines, delimiter="\t"):
            labels = row["labels"].translate(LETTERS)
            writer.writerow((row["id"], row["sequence"], labels, row["fold"]))


if __name__ == "__main__":
    main()
