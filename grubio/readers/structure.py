"""PDB and mmCIF files, plain or compressed, labelled by ``mkdssp``.

``mkdssp`` (Debian and Ubuntu: package ``dssp``) is run on each file; its output is read as in
:mod:`grubio.readers.dssp`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.readers.dssp import entry_name, read_dssp
from grubio.sequences.record import Record


def read_structure(path: str | Path) -> Iterator[Record]:
    """Yield the unbroken stretches of the chains of a structure, with DSSP labels.

    Raises
    ------
    GrubioError
        If mkdssp is not installed, fails, or finds no residues.
    """
    program = shutil.which("mkdssp")
    if program is None:
        raise GrubioError(
            "mkdssp is needed to label structures, and is not installed",
            path=path,
            hint="apt install dssp, or conda install -c conda-forge dssp",
        )
    with tempfile.TemporaryDirectory(prefix="grubio-dssp-") as name:
        plain, result = Path(name) / "structure", Path(name) / "result.dssp"
        with open_input(path) as raw, open(plain, "wb") as out:
            shutil.copyfileobj(raw, out)
        command = [program, "--output-format", "dssp", str(plain), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not result.exists():
            said = done.stderr.strip().splitlines() or ["no message"]
            raise GrubioError(f"mkdssp failed: {said[-1]}", path=path)
        yield from read_dssp(result, entry=entry_name(path))
