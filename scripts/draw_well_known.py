"""Draw the proteins of docs/well_known.fasta, with the bundled models, as docs/well_known.svg.

``python scripts/draw_well_known.py`` writes the picture anew: topology above, CheZOD scores below.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import grubio
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.segments import label_runs
from grubio.sequences.topology import roles_of
from grubio.view.shapes import HEIGHT, place, templates_of

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, LEFT, ROW, CURVE = 860, 12, 118, 34
LOW, HIGH = -4.0, 18.0


def main() -> None:
    """Write the picture."""
    model = grubio.load(["protein-topology", "protein-disorder"], device="cpu", threads=1)
    found = [
        one for one in model.predict(DOCS / "well_known.fasta") if isinstance(one, LabelledSequence)
    ]
    lines = (DOCS / "well_known.fasta").read_text(encoding="utf-8").splitlines()
    names = [line[1:] for line in lines if line.startswith(">")]
    pairs = enumerate(zip(found, names, strict=True))
    drawn = [_protein(one, name, ROW * at) for at, (one, name) in pairs]
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {WIDTH + 2 * LEFT} {ROW * len(found)}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1c2127">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(drawn)}</svg>\n'
    )
    (DOCS / "well_known.svg").write_text(text, encoding="utf-8")
    for one in found:
        print(one.id, one.topology())


def _protein(one: LabelledSequence, name: str, top: int) -> str:
    cell = WIDTH / len(one)
    own = next(each for each in one.labellings if roles_of(each.scheme))
    shapes = templates_of(own.scheme)
    ribbons = "".join(
        place(shapes[letter], LEFT, last - first, cell).join(
            (f'<g transform="translate({first * cell:.1f} {top + 24})">', "</g>")
        )
        for letter, first, last in label_runs(own.labels)
    )
    values = one.predicted("chezod")
    base = top + 24 + HEIGHT + 8

    def y(value: float) -> float:
        return base + CURVE * (1 - (min(max(value, LOW), HIGH) - LOW) / (HIGH - LOW))

    points = " ".join(f"{LEFT + (i + 0.5) * cell:.1f},{y(v):.1f}" for i, v in enumerate(values))
    regions = "".join(
        f'<rect x="{LEFT + (r.start - 1) * cell:.1f}" y="{base + CURVE + 2}" '
        f'width="{len(r) * cell:.1f}" height="4" fill="#D55E00"/>'
        for r in one.regions()
    )
    facts = one.topology()
    said = "" if facts is None else f" · {facts.kind} {facts.string[:60]}"
    return (
        f'<text x="{LEFT}" y="{top + 16}"><tspan font-weight="600">{escape(name)}</tspan>'
        f"{escape(said)}</text>{ribbons}"
        f'<path d="M{LEFT} {y(8):.1f}h{WIDTH}" stroke="#dfe3e8" stroke-dasharray="4 3"/>'
        f'<polyline points="{points}" fill="none" stroke="#59636e" stroke-width="1.3"/>{regions}'
    )


if __name__ == "__main__":
    main()
