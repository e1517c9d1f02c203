"""Cells of tables: text, and a letter for each residue."""

from __future__ import annotations

from collections.abc import Iterable


class AtResidue(ValueError):
    """What is wrong at a position, 1-based."""

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(problem)
        self.position = position


def text_of(cell: object) -> str:
    """Return the text of a cell; that of a list is its letters, as Hugging Face keeps labels.

    Raises
    ------
    ValueError
        If bytes are not UTF-8, or a part of a list is not one letter (:class:`AtResidue`).
    """
    if isinstance(cell, list):
        return letters_of(cell)
    if isinstance(cell, bytes):
        return cell.decode()
    return "" if cell is None else str(cell)


def letters_of(cells: Iterable[object]) -> str:
    """Return the letters of residues, joined.

    Raises
    ------
    AtResidue
        If one is missing, or is not one letter.
    """
    letters = []
    for position, cell in enumerate(cells, start=1):
        text = text_of(cell)
        # A blank alone is a letter: coil in DSSP.
        letter = text if len(text) == 1 else text.strip()
        if len(letter) != 1:
            found = f"'{letter[:40]}'" if letter else "an empty cell"
            raise AtResidue(position, f"{found} where one letter was expected")
        letters.append(letter)
    return "".join(letters)
