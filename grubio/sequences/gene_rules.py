"""What a gene of a genome without introns looks like: codons between a start and a stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CODON = 3


@dataclass(frozen=True)
class GeneRules:
    """Genes as codon states: a start codon, codons that are no stop, a stop codon.

    Attributes
    ----------
    label
        The label of coding bases.
    start, stop
        The codons that a gene may begin with, and those that end it; the stop is part of the gene,
        as in the annotation of NCBI.
    least
        Least bases of a gene.
    overlap
        Most bases that two neighbours have in common, on one strand or on both.
    """

    label: str
    start: tuple[str, ...] = ("ATG", "GTG", "TTG")
    stop: tuple[str, ...] = ("TAA", "TAG", "TGA")
    least: int = 90
    overlap: int = 60

    def as_dict(self) -> dict[str, Any]:
        """Return the content from which :func:`gene_rules` rebuilds these rules."""
        return {
            "label": self.label,
            "start": list(self.start),
            "stop": list(self.stop),
            "least": self.least,
            "overlap": self.overlap,
        }


def gene_rules(content: Any, letters: str) -> GeneRules:
    """Return rules for the classes ``letters``, checked.

    Parameters
    ----------
    content
        The label of coding bases, or the attributes of :class:`GeneRules` as a mapping.
    letters
        The labels of the scheme.

    Raises
    ------
    ValueError
        If a key, the label, a codon or a number is wrong.

    Examples
    --------
    >>> gene_rules("C", "C.").stop
    ('TAA', 'TAG', 'TGA')
    >>> gene_rules({"label": "C", "stop": ["TAA", "TAG"]}, "C.").least
    90
    """
    given = dict(content) if isinstance(content, Mapping) else {"label": content}
    default = GeneRules("")
    known = default.as_dict()
    for key in given:
        if key not in known:
            raise ValueError(f"'genes' of a grammar has no '{key}'; it has {', '.join(known)}")
    label = str(given.get("label", ""))
    if len(label) != 1 or label not in letters:
        raise ValueError(f"the label of genes is '{label}', not one of '{letters}'")
    codons = {key: _codons(given.get(key, known[key]), key) for key in ("start", "stop")}
    if both := set(codons["start"]) & set(codons["stop"]):
        raise ValueError(f"'{min(both)}' is a start and a stop codon")
    numbers = {key: _number(given.get(key, known[key]), key) for key in ("least", "overlap")}
    return GeneRules(label, codons["start"], codons["stop"], numbers["least"], numbers["overlap"])


def _codons(value: Any, key: str) -> tuple[str, ...]:
    found = tuple(str(one).upper().replace("U", "T") for one in value)
    if not found or any(len(one) != _CODON or not set(one) <= set("ACGT") for one in found):
        raise ValueError(f"'{key}' of genes is a list of codons such as ATG, not {value!r}")
    return found


def _number(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"'{key}' of genes is a number of bases, not {value!r}")
    return value
