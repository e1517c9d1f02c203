"""Data that come with grubio, by name."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from grubio.errors import GrubioError


@dataclass(frozen=True)
class EmbeddedFile:
    """A file of the package and its description."""

    filename: str
    description: str


EMBEDDED: Mapping[str, EmbeddedFile] = {
    "pdb-demo": EmbeddedFile(
        "pdb_demo.tsv.xz", "PDB chains with SS8 labels, split without homologs (TSV)"
    ),
    "example-proteins": EmbeddedFile(
        "example_proteins.fasta", "eight protein sequences without labels (FASTA)"
    ),
    "synthetic-genome": EmbeddedFile(
        "synthetic_genome.fasta.xz", "a SYNTHETIC genome of 300 kb in three contigs (FASTA)"
    ),
    "synthetic-sites": EmbeddedFile(
        "synthetic_sites.bed", "the promoters planted into the SYNTHETIC genome (BED)"
    ),
}


def embedded_path(name: str) -> Path:
    """Return where a file of embedded data is.

    Raises
    ------
    GrubioError
        If there is no data of that name.
    """
    if name not in EMBEDDED:
        near = difflib.get_close_matches(name, EMBEDDED, 1)
        raise GrubioError(
            f"no embedded data has the name '{name}'",
            hint=f"did you mean '{near[0]}'?" if near else f"names: {', '.join(EMBEDDED)}",
        )
    return Path(str(resources.files("grubio.data"))) / EMBEDDED[name].filename
