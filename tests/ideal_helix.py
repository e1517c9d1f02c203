"""An ideal alpha helix with atoms N, CA, C and O, built from internal coordinates."""

from __future__ import annotations

import numpy as np

# Bond lengths in Angstrom, angles in degrees: Engh and Huber, Acta Cryst. A47:392 (1991).
_BONDS = {"N": 1.329, "CA": 1.458, "C": 1.525, "O": 1.231}
_ANGLES = {"N": 116.2, "CA": 121.7, "C": 111.2, "O": 120.5}
_PHI, _PSI, _OMEGA = -60.0, -45.0, 180.0


def _next_atom(a, b, c, length: float, angle: float, torsion: float):
    angle, torsion = np.radians([angle, torsion])
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal)
    frame = np.stack([along, np.cross(normal, along), normal])
    step = [-np.cos(angle), np.sin(angle) * np.cos(torsion), np.sin(angle) * np.sin(torsion)]
    return c + length * np.array(step) @ frame


def helix_as_pdb(residues: int, chain: str = "A", first: int = 1) -> str:
    """Return a PDB file of a poly-alanine helix."""
    n, ca = np.zeros(3), np.array([1.458, 0.0, 0.0])
    c = ca + 1.525 * np.array([-np.cos(np.radians(111.2)), np.sin(np.radians(111.2)), 0])
    lines = ["HEADER    TEST STRUCTURE                          01-JAN-00   1TST"]
    lines += ["CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1"]
    serial = 0
    for number in range(first, first + residues):
        following = _next_atom(n, ca, c, _BONDS["N"], _ANGLES["N"], _PSI)
        oxygen = _next_atom(n, ca, c, _BONDS["O"], _ANGLES["O"], _PSI + 180)
        for name, (x, y, z) in (("N", n), ("CA", ca), ("C", c), ("O", oxygen)):
            serial += 1
            lines.append(
                f"ATOM  {serial:5d}  {name:<3} ALA {chain}{number:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           {name[0]}"
            )
        next_ca = _next_atom(ca, c, following, _BONDS["CA"], _ANGLES["CA"], _OMEGA)
        next_c = _next_atom(c, following, next_ca, _BONDS["C"], _ANGLES["C"], _PHI)
        n, ca, c = following, next_ca, next_c
    return "\n".join([*lines, "TER", "END"]) + "\n"
