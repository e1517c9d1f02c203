"""The table of labelled proteins that ``config/protein_topology.yaml`` reads.

``python scripts/topology_table.py topology.tsv.xz resources/topology.tsv``

The input is a table with ``id``, ``sequence``, ``labels`` and ``fold``: TMbed's proteins
(Bernhofer and Rost, BMC Bioinformatics 23:326, 2022; Apache-2.0), with the labels of its
repository: ``1`` inside, ``2`` outside, ``H`` helix, ``B`` strand, ``S`` signal peptide and ``U``
unknown; lower case is a helix or strand in the other direction. The output has the letters of the
scheme ``topology``, ``?`` for what is unknown, and the authors' folds, which keep homologs apart.

A protein is there several times, whole and cut to its first 60 to 149 residues, each time to
others: all copies together are the training, in one pass. The cut ones show signal peptides, and
what else a protein begins with, in a fraction of the time; the whole ones, what is no helix or
strand. Proteins with membrane segments or a signal peptide are one in five of all, and have a third
of the residues of the table.
"""

import csv
import lzma
import sys
import zlib

LETTERS = str.maketrans("12HhBbSU", "IOMMBBS?")
SHORT, SPREAD = 60, 90
COPIES = {"M": (6, 4), "B": (4, 2), "S": (2, 7), "": (1, 5)}
"""How often a protein with such labels is there whole, and how often cut."""


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
            kind = next(kind for kind in COPIES if kind in labels)
            whole, cut = COPIES[kind]
            for copy in range(whole + cut):
                name = f"{row['id']}/{copy + 1}"
                size = len(labels) if copy < whole else SHORT + zlib.crc32(name.encode()) % SPREAD
                writer.writerow((name, row["sequence"][:size], labels[:size], row["fold"]))


if __name__ == "__main__":
    main()
