"""The features of a contig as HTML for a notebook: a map of both strands, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.scheme import LabelScheme
from grubio.view.shapes import text

_WIDTH = 760
_LANE = 34
_AT_END = ' text-anchor="end"'
_MOST_DRAWN = 400
_MOST_LISTED = 10


def contig_html(
    name: str, length: int, features: Sequence[CalledFeature], scheme: LabelScheme
) -> str:
    """Return a map of the 400 best features, plus strand on top, and a table of the ten best."""
    ranked = sorted(features, key=lambda feature: -feature.score)
    colours = dict(zip(scheme.letters, scheme.colours, strict=True))
    names = dict(zip(scheme.letters, scheme.class_names, strict=True))
    scale = _WIDTH / length
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + 30}" height="{2 * _LANE + 20}" '
        'role="img" fill="currentColor" font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{len(features)} features of {escape(name)}</title>"
        f'<path d="M20 {_LANE}h{_WIDTH}" stroke="currentColor" opacity=".5"/>'
        f"{text(4, _LANE - 8, '+')}{text(4, _LANE + 18, '−')}"  # noqa: RUF001
        f"{text(20, 2 * _LANE + 14, '1')}"
        f"{text(20 + _WIDTH, 2 * _LANE + 14, f'{length:,}', _AT_END)}"
    ]
    for feature in ranked[:_MOST_DRAWN]:
        height = 6 + 22 * feature.score
        top = _LANE - height - 1 if feature.locus.strand == "+" else _LANE + 1
        parts.append(
            f'<rect x="{20 + feature.locus.start * scale:.1f}" y="{top:.1f}" '
            f'width="{max(len(feature.locus) * scale, 2):.1f}" height="{height:.1f}" '
            f'fill="{colours[feature.letter]}"/>'
        )
    rows = "".join(
        f"<tr><td>{escape(names[f.letter])}</td><td>{f.locus.start + 1:,}</td>"
        f"<td>{f.locus.end:,}</td><td>{f.locus.strand}</td><td>{f.score:.3f}</td></tr>"
        for f in ranked[:_MOST_LISTED]
    )
    table = (
        "<table><thead><tr><th>feature</th><th>start</th><th>end</th><th>strand</th>"
        f"<th>score</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    rest = len(ranked) - _MOST_LISTED
    more = f"<div>and {rest:,} more with lower scores</div>" if rest > 0 else ""
    return (
        '<div style="font: 14px/1.5 system-ui, sans-serif; overflow-x: auto">'
        f"<div><b>{escape(name)}</b> · {length:,} bases · "
        f"{len(ranked):,} features</div>"
        f"{''.join(parts)}</svg>{table if ranked else '<div>no feature was called</div>'}{more}"
        "</div>"
    )
