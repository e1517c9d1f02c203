"""Test chains in the report: a table of all, and the data of those that can be drawn.

The page contains the observed and predicted classes of every test chain. Of a large test set it
has the chains with the lowest and the highest scores and an even sample of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grubio.report.residue_drawing import typical, worst_and_best
from grubio.report.templating import scheme_title, text_colour
from grubio.runs.chain_predictions import read_chain_predictions
from grubio.runs.numbers import percent
from grubio.runs.score_names import SCORES
from grubio.runs.tables import CHAIN_SCORES, ChainScore
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import LabelScheme
from grubio.text import plural
from grubio.view.page import base64_bytes, json_line
from grubio.view.shapes import shapes_of, templates_of

MOST_BYTES = 3_000_000
"""Maximum size of the data of chains in a page."""
MOST_ROWS = 4000
"""A longer table has only the chains that can be drawn."""

_EXTREMES = 100


@dataclass(frozen=True)
class ChainTable:
    """The test chains of a page, in the order of evaluation.

    Attributes
    ----------
    total
        Number of test chains, also of those without a row.
    columns
        Key and name of each score of single chains that the run has.
    notes
        Title of the drawing of each chain.
    places
        Index in ``data`` of each chain that can be drawn.
    data
        JSON for the script of the page.
    """

    rows: list[ChainScore]
    total: int
    columns: list[tuple[str, str]]
    notes: dict[str, str]
    places: dict[str, int]
    data: Markup

    @property
    def drawable(self) -> int:
        """Number of chains that the page can draw."""
        return len(self.places)


def chain_table(
    predictions: Path | None, scheme: LabelScheme, chains: Sequence[ChainScore], score_name: str
) -> ChainTable:
    """Return the test chains with the data of as many as fit.

    ``score_name`` is the name of the score of a chain.

    Raises
    ------
    GrubioError
        If the file of predictions is damaged or lacks a column.
    """
    held = [] if predictions is None else fitting_chains(chains, MOST_BYTES, scheme.size)
    notes = {chain.id: _note(chain, score_name) for chain in chains}
    content = [] if predictions is None else _contents(predictions, scheme, held)
    for chain in content:
        chain["note"] = notes[chain["id"]]
    places = {chain["id"]: place for place, chain in enumerate(content)}
    rows = chains if len(chains) <= MOST_ROWS else [c for c in chains if c.id in places]
    columns = [
        (key, SCORES[key].title.removesuffix("'99"))
        for key in CHAIN_SCORES
        if any(chain.others.get(key) is not None for chain in chains)
    ]
    data = {"schemes": _schemes(scheme), "chains": content}
    return ChainTable(list(rows), len(chains), columns, notes, places, Markup(json_line(data)))


def fitting_chains(chains: Sequence[ChainScore], most: int, classes: int) -> list[ChainScore]:
    """Return the chains whose data fit into ``most`` bytes, in the order given.

    If not all fit: the chains that the page shows at first, then those with the 100 lowest and the
    100 highest scores, then an even sample of the others by score, as long as there is room.
    """
    ranked = sorted((c for c in chains if c.score is not None), key=lambda c: (c.score, c.id))
    unscored = [chain for chain in chains if chain.score is None]
    worst, best = worst_and_best(chains)
    first = [*worst, *best, *typical(chains)]
    for low, high in zip(ranked[:_EXTREMES], ranked[::-1][:_EXTREMES], strict=True):
        first += [low, high]
    order = [*first, *_evenly(ranked[_EXTREMES:-_EXTREMES]), *unscored]
    taken: set[str] = set()
    room = most
    for chain in order:
        size = _bytes_of(chain, classes)
        if chain.id not in taken and size <= room:
            taken.add(chain.id)
            room -= size
    return [chain for chain in chains if chain.id in taken]


def _note(chain: ChainScore, score_name: str) -> str:
    parts = [] if chain.score is None else [f"{score_name} {percent(chain.score)}"]
    parts.append(plural(chain.residues, "residue"))
    if chain.identity is not None:
        parts.append(f"{percent(chain.identity, 0)} identical to {chain.nearest} in training")
    return ", ".join(parts)


def _evenly(ranked: Sequence[ChainScore]) -> list[ChainScore]:
    """Return all, ordered such that any first few are an even sample (van der Corput)."""
    bits = max(len(ranked) - 1, 0).bit_length()
    places = (int(f"{n:0{bits}b}"[::-1], 2) if bits else n for n in range(1 << bits))
    return [ranked[place] for place in places if place < len(ranked)]


def _bytes_of(chain: ChainScore, classes: int) -> int:
    # Four letters and the probabilities of each residue; base64 writes three bytes as four.
    return chain.residues * (4 + 4 * classes // 3 + 1) + 160 + len(chain.id)


def _schemes(scheme: LabelScheme) -> list[dict[str, Any]]:
    coarse = scheme.headline
    chain = [coarse] if coarse is scheme else [coarse, scheme]
    return [
        {
            "name": one.name,
            "title": scheme_title(one),
            "letters": one.letters,
            "names": one.class_names,
            "colours": one.colours,
            "inks": [text_colour(colour) for colour in one.colours],
            "shapes": list(shapes_of(one).values()),
            "ribbons": [asdict(drawing) for drawing in templates_of(one).values()],
            "coarse": "".join(scheme.reduction.get(letter, letter) for letter in one.letters),
        }
        for one in chain
    ]


def _contents(
    predictions: Path, scheme: LabelScheme, chains: Sequence[ChainScore]
) -> list[dict[str, str]]:
    if not chains:
        return []
    coarse = scheme.headline
    matrix = scheme.reduction_matrix(coarse)
    found = read_chain_predictions(predictions, scheme, [chain.id for chain in chains])
    return [
        {
            "id": chain.id,
            "residues": one.residues,
            "observed": one.observed,
            "fine": scheme.decode(*best_classes([one.probabilities], scheme)),
            "coarse": coarse.decode(*best_classes([one.probabilities @ matrix], coarse)),
            "p": base64_bytes(one.probabilities),
        }
        for chain in chains
        if (one := found.get(chain.id))
    ]
