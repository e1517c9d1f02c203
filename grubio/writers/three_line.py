"""Three lines for each protein, as TMHMM's successors write membrane topology.

``>id | KIND``, the residues, and a letter for each: ``S`` signal peptide, ``M`` membrane helix,
``B`` barrel strand, ``I`` inside, ``O`` outside, ``?`` without a confident label. ``KIND`` is that
of DeepTMHMM: ``GLOB``, ``SP``, ``TM``, ``SP+TM`` or ``BETA``.
"""

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.topology import ProteinKind, codes_of, roles_of, topology
from grubio.writers.text import TextFormat

KINDS: dict[ProteinKind, str] = {
    "globular": "GLOB",
    "signal peptide": "SP",
    "membrane protein": "TM",
    "membrane protein with signal peptide": "SP+TM",
    "barrel": "BETA",
}


class ThreeLineFormat(TextFormat[LabelledSequence]):
    """Id with kind, residues, letters."""

    def text(self, item: LabelledSequence) -> str:
        """Return the three lines of a protein."""
        own = next(one for one in item.labellings if roles_of(one.scheme))
        found = topology(own.labels, own.probabilities, own.scheme)
        kind = KINDS[found.kind] if found else ""
        return f">{item.id} | {kind}\n{item.sequence}\n{codes_of(own.labels, own.scheme)}\n"
