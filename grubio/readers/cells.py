"""Cells of tables that hold a letter for each residue."""

from __future__ import annotations

from collections.abc import Iterable


class AtResidue(ValueError):
    """What is wrong at a position, 1-based."""

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(problem)
        self.position = position


def letters_of(cells: Iterable[object]) -> str:
    """Return the letters of residues, joined.

    Raises
    ------
    AtResidue
        If one is missing, or is not one letter.
    """
    letters = []
    for position, cell in enumerate(cells, start=1):
        text = "" if cell is None else str(cell)
        # A blank alone is a letter: coil in DSSP.
        letter = text if len(text) == 1 else text.strip()
        if len(letter) != 1:
            found = f"'{letter[:40]}'" if letter else "an empty cell"
            raise AtResidue(position, f"{found} where one letter was expected")
        letters.append(letter)
    return "".join(letters)
