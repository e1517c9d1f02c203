"""Write the evolutionary profiles of data/pdb_chains.tsv.xz, which are too large to be kept here.

They are in the structure database of ProMod3 3.2.1 (Debian 12: ``apt install promod3
promod3-data``; Apache-2.0), made with HHblits. Run it with the Python that has ProMod3:

    /usr/bin/python3 scripts/pdb_profiles.py resources/pdb_profiles_q6.npz

The archive has one array ``freq``, uint8 ``(residue, 20)``: substitution frequencies in
sixty-thirds, columns ``ACDEFGHIKLMNPQRSTVWY``, residues in the order of the table.
"""

from __future__ import annotations

import sys

import numpy as np
from promod3 import loop

LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def main() -> None:
    """Write the archive that is named on the command line."""
    database = loop.LoadStructureDB()
    rows = []
    for number in range(database.GetNumCoords()):
        info = database.GetCoordInfo(number)
        profile = database.GetSequenceProfile(loop.FragmentInfo(number, 0, info.size))
        rows.append([[column.GetFreq(letter) for letter in LETTERS] for column in profile.columns])
    frequencies = np.concatenate([np.array(row, dtype=np.float32) for row in rows])
    np.savez_compressed(sys.argv[1], freq=np.rint(63 * frequencies).astype(np.uint8))


if __name__ == "__main__":
    main()
