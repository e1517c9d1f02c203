"""Mask long coil in a table of predicted structures, where much of it is disorder.

python scripts/mask_long_coil.py human_alphafold_ss8.tsv.xz resources/human_alphafold.tsv

The table has an id, a sequence and SS8 labels in each row, and no header line. Every run of 20 or
more residues that are neither in a helix nor in a strand or bridge (C, T or S) counts in no loss.
The output has columns id, sequence, ss8 and mask.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from grubio.files import table_text, write_text_whole
from grubio.readers.table import rows_of

LONG_COIL = re.compile("[CTS]{20,}")


def mask_of(labels: str) -> str:
    """Return the mask of a chain, ``0`` in long coil.

    Examples
    --------
    >>> mask_of("HHH" + 20 * "C" + "E") == "111" + 20 * "0" + "1"
    True
    """
    counted = LONG_COIL.sub(lambda found: "0" * len(found[0]), labels)
    return "".join("0" if letter == "0" else "1" for letter in counted)


def main() -> None:
    """Write the table with the mask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    rows = ([*cells, mask_of(cells[2])] for _, cells in rows_of(arguments.table))
    columns = ("id", "sequence", "ss8", "mask")
    write_text_whole(arguments.output, table_text(columns, rows))


if __name__ == "__main__":
    main()
