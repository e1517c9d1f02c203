"""Codons as amino acids."""

from __future__ import annotations

from collections.abc import Collection

_BASES = "TCAG"
_AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
_STANDARD = {
    first + second + third: _AMINO_ACIDS[16 * i + 4 * j + k]
    for i, first in enumerate(_BASES)
    for j, second in enumerate(_BASES)
    for k, third in enumerate(_BASES)
}


def translated(
    bases: str, stop: Collection[str] = ("TAA", "TAG", "TGA"), *, begun: bool = True
) -> str:
    """Return the protein of coding bases, without the stop at its end.

    Parameters
    ----------
    bases
        Codons in upper case; what is left over at the end is not read.
    stop
        The codons that end a gene. Others are read as in the standard code, TGA and TAG that are no
        stop as W and Q (NCBI's tables 4 and 6).
    begun
        Whether the first codon is a start, which is read as M whatever it is.

    Examples
    --------
    >>> translated("GTGAAATAA"), translated("GTGAAA", begun=False), translated("ATGTGATAA", ["TAA"])
    ('MK', 'VK', 'MW')
    """
    codons = [bases[at : at + 3] for at in range(0, len(bases) - 2, 3)]
    amino_acids = [_amino_acid(codon, stop) for codon in codons]
    if begun and amino_acids:
        amino_acids[0] = "M"
    text = "".join(amino_acids)
    return text[:-1] if text.endswith("*") else text


def _amino_acid(codon: str, stop: Collection[str]) -> str:
    if codon in stop:
        return "*"
    found = _STANDARD.get(codon, "X")
    return found if found != "*" else "W" if codon == "TGA" else "Q"
