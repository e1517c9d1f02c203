"""The table of labelled proteins that ``config/protein_topology.yaml`` reads.

``python scripts/topology_table.py topology.tsv.xz resources/topology.tsv``

The input is a table with ``id``, ``sequence``, ``labels`` and ``fold``: TMbed's proteins
(Bernhofer and Rost, BMC Bioinformatics 23:326, 2022; Apache-2.0), with the labels of its
repository: ``1`` inside, ``2`` outside, ``H`` helix, ``B`` strand, ``S`` signal peptide and ``U``
unknown; lower case is a helix or strand in the other direction. The output has the letters of the
scheme ``topology``, ``?`` for what is unknown, and the authors' folds, which keep homologs apart.

Four of five proteins are globular and have no signal peptide, and most of one in ten is a secreted
protein. Three of four of both are cut to their first 60 to 149 residues, and the others to 400, so
that training sees all others, and every N-terminus, more often in the same time.
"""

import csv
import lzma
import sys
import zlib

LETTERS = str.maketrans("12HhBbSU", "IOMMBBS?")
SHORT, SPREAD, LONG = 60, 90, 400


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
            size = len(labels)
            if not set(labels) & {*"MB"}:
                number = zlib.crc32(row["id"].encode())
                size = SHORT + number // 4 % SPREAD if number % 4 else LONG
            writer.writerow((row["id"], row["sequence"][:size], labels[:size], row["fold"]))


if __name__ == "__main__":
    main()
