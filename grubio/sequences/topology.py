"""Membrane topology and signal peptides: what the labels of a protein mean as a whole.

A scheme is about topology if its classes are named as in :data:`ROLES`, whatever their letters.
Nothing else in grubio knows these classes.

With a grammar in which a signal peptide stands only at the start, the probability that it ends
after a residue is that of being in it there, less that of being in it at the next residue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from grubio.sequences.scheme import LabelScheme
from grubio.sequences.segments import label_runs

Role = Literal["signal", "helix", "strand", "inside", "outside"]
ProteinKind = Literal[
    "globular",
    "signal peptide",
    "membrane protein",
    "membrane protein with signal peptide",
    "barrel",
]

ROLES: Mapping[str, Role] = {
    "signal_peptide": "signal",
    "membrane_helix": "helix",
    "transmembrane_helix": "helix",
    "barrel_strand": "strand",
    "inside": "inside",
    "outside": "outside",
}
"""What a class is, by its name; a hyphen or a blank in a name is as good as ``_``."""

TERMS: Mapping[Role, str] = {
    "signal": "signal_peptide",
    "helix": "transmembrane_helix",
    "strand": "transmembrane_polypeptide_region",
    "inside": "cytoplasmic_polypeptide_region",
    "outside": "non_cytoplasmic_polypeptide_region",
}
"""Terms of the Sequence Ontology."""

_CODES: Mapping[Role, str] = {
    "signal": "S",
    "helix": "M",
    "strand": "B",
    "inside": "I",
    "outside": "O",
}


@dataclass(frozen=True, slots=True)
class Topology:
    """What the labels of one protein say.

    Attributes
    ----------
    kind
        ``globular``, ``signal peptide`` (and no membrane), ``membrane protein``, ``membrane protein
        with signal peptide``, or ``barrel``.
    helices, strands
        Membrane helices and barrel strands, first and last residue, 1-based.
    cleavage
        Last residue of the signal peptide; None without.
    signal_probability
        Probability of a signal peptide: that of the class at the first residue.
    cleavage_probability
        Probability that the signal peptide ends after ``cleavage``; None without.
    n_terminus
        Side of the first residue that is not in a signal peptide; None of a protein without
        membrane segments, or if no label says it.
    type
        Of a protein with one helix: ``I`` (signal peptide, N-terminus outside), ``II`` (none,
        inside) or ``III`` (none, outside); ``multi-pass`` with more; empty for others.
    string
        As TMHMM and Phobius write it: sides and first and last residues of membrane segments,
        ``i7-29o44-66i``, after ``c21/22`` for a signal peptide that is cleaved between these.
    """

    kind: ProteinKind
    helices: tuple[tuple[int, int], ...]
    strands: tuple[tuple[int, int], ...]
    cleavage: int | None
    signal_probability: float
    cleavage_probability: float | None
    n_terminus: Literal["inside", "outside"] | None
    type: str
    string: str

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Names and values for people."""
        rows: list[tuple[str, str]] = [("Kind", self.kind)]
        if self.cleavage is not None:
            rows.append(("Signal peptide", f"1-{self.cleavage}"))
            rows.append(("Cleavage there", f"{100 * (self.cleavage_probability or 0):.0f} %"))
        if self.helices:
            rows.append(("Membrane helices", str(len(self.helices))))
        if self.strands:
            rows.append(("Barrel strands", str(len(self.strands))))
        if self.n_terminus:
            rows.append(("N-terminus", self.n_terminus))
        return [*rows, ("Type", self.type)] if self.type else rows


def roles_of(scheme: LabelScheme) -> dict[str, Role] | None:
    """Return what each letter of a scheme is; None if the scheme is not about topology.

    Examples
    --------
    >>> from grubio.sequences.scheme import custom_scheme
    >>> roles_of(custom_scheme("t", "IMO", ["inside", "membrane helix", "outside"]))
    {'I': 'inside', 'M': 'helix', 'O': 'outside'}
    """
    names = (name.lower().replace("-", "_").replace(" ", "_") for name in scheme.class_names)
    roles = {
        letter: ROLES[name]
        for letter, name in zip(scheme.letters, names, strict=True)
        if name in ROLES
    }
    found = set(roles.values())
    return roles if found >= {"inside", "outside"} and found & {"helix", "strand"} else None


def codes_of(labels: str, scheme: LabelScheme) -> str:
    """Return labels in the letters of TMHMM's successors: S, M, B, I, O, and ``?``.

    Raises
    ------
    ValueError
        If the scheme is not about topology.
    """
    roles = roles_of(scheme)
    if roles is None:
        raise ValueError(f"scheme {scheme.name} is not about topology")
    codes = {letter: _CODES[role] for letter, role in roles.items()}
    return "".join(codes.get(letter, "?") for letter in labels)


def topology(
    labels: str, probabilities: npt.NDArray[np.floating], scheme: LabelScheme
) -> Topology | None:
    """Return what labels say of a protein; None if the scheme is not about topology.

    Parameters
    ----------
    labels
        One letter per residue.
    probabilities
        ``(residue, class)``.
    scheme
        The classes.

    Examples
    --------
    >>> from grubio.sequences.scheme import custom_scheme
    >>> names = ["signal-peptide", "membrane-helix", "inside", "outside"]
    >>> scheme = custom_scheme("topology", "SMIO", names)
    >>> labels = "SSSOOMMMMII"
    >>> found = topology(labels, np.eye(4)[scheme.encode(labels)], scheme)
    >>> found.kind, found.string, found.type, found.cleavage_probability
    ('membrane protein with signal peptide', 'c3/4o6-9i', 'I', 1.0)
    """
    roles = roles_of(scheme)
    if roles is None:
        return None
    runs = [
        (roles[letter], first + 1, last)
        for letter, first, last in label_runs(labels)
        if letter in roles
    ]
    helices, strands = (
        tuple((first, last) for role, first, last in runs if role == wanted)
        for wanted in ("helix", "strand")
    )
    cleavage = runs[0][2] if runs and runs[0][:2] == ("signal", 1) else None
    signal = _column(probabilities, roles, scheme, "signal")
    sides = [run for run in runs if run[0] in ("inside", "outside")]
    n_terminus = sides[0][0] if sides and (helices or strands) else None
    return Topology(
        _kind(cleavage, helices, strands),
        helices,
        strands,
        cleavage,
        float(signal[0]),
        _ends_after(signal, cleavage),
        n_terminus if n_terminus in ("inside", "outside") else None,
        _type(cleavage, helices, strands, n_terminus),
        _string(runs, cleavage, bool(helices or strands)),
    )


def _column(
    probabilities: npt.NDArray[np.floating],
    roles: Mapping[str, Role],
    scheme: LabelScheme,
    role: Role,
) -> npt.NDArray[np.float64]:
    columns = [scheme.letters.index(letter) for letter, own in roles.items() if own == role]
    return np.asarray(probabilities[:, columns].sum(axis=1, dtype=np.float64))


def _ends_after(signal: npt.NDArray[np.float64], cleavage: int | None) -> float | None:
    if cleavage is None:
        return None
    following = signal[cleavage] if cleavage < len(signal) else 0.0
    return float(max(signal[cleavage - 1] - following, 0.0))


def _kind(cleavage: int | None, helices: object, strands: object) -> ProteinKind:
    if strands:
        return "barrel"
    if helices:
        return "membrane protein" if cleavage is None else "membrane protein with signal peptide"
    return "globular" if cleavage is None else "signal peptide"


def _type(
    cleavage: int | None,
    helices: tuple[tuple[int, int], ...],
    strands: tuple[tuple[int, int], ...],
    n_terminus: str | None,
) -> str:
    if strands or not helices:
        return ""
    if len(helices) > 1:
        return "multi-pass"
    if n_terminus == "inside":
        return "II" if cleavage is None else ""
    return "I" if cleavage is not None else "III" if n_terminus else ""


def _string(runs: list[tuple[Role, int, int]], cleavage: int | None, membrane: bool) -> str:
    text = "" if cleavage is None else f"c{cleavage}/{cleavage + 1}"
    if not membrane:
        return text
    for role, first, last in runs:
        if role in ("inside", "outside"):
            text += role[0]
        elif role in ("helix", "strand"):
            text += f"{first}-{last}"
    return text
