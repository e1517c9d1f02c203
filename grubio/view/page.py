"""The page of predictions: one self-contained HTML file.

It is ``page.html`` with ``view.css`` and the scripts. Between its head and its scripts is the data,
one line of JSON per sequence. It is written line by line, so that memory does not grow with the
number of sequences.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio import __version__
from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.sequences.target import Target
from grubio.view.shapes import UNLABELLED, shapes_of, templates_of

_HERE = resources.files("grubio.view")


def page_parts(
    scheme: LabelScheme,
    script: str,
    title: str | None = None,
    *,
    model: str = "",
    targets: Sequence[Target] = (),
) -> tuple[str, str]:
    """Return the parts of the page before and after the data.

    Parameters
    ----------
    scheme
        The classes.
    script
        File name of the script that draws the data.
    title
        Heading of the page.
    model
        The model and what it was trained on, if it is known.
    targets
        Targets besides the labels, which are drawn below them.
    """
    contents = {
        "STYLE": content("view.css"),
        "ABOUT": json_line(about(scheme, title, model=model, targets=targets)),
        "SCRIPT": "".join(map(content, ("page.js", "ribbons.js", script))),
    }
    before, after = (filled(half, contents) for half in content("page.html").split("/*DATA*/"))
    return before, after


def filled(template: str, contents: Mapping[str, str]) -> str:
    """Return a template with its marks, such as ``/*STYLE*/``, replaced by contents."""
    # In one pass: the name of a class may look like a mark.
    return re.sub(r"/\*([A-Z]+)\*/", lambda mark: contents[mark[1]], template)


def about(
    scheme: LabelScheme,
    title: str | None = None,
    *,
    model: str = "",
    targets: Sequence[Target] = (),
) -> dict[str, Any]:
    """Return what the scripts of pages know of all sequences; see :func:`page_parts`."""
    structure = scheme.name in SCHEMES
    usual = "Secondary structure, predicted" if structure else "Predicted labels"
    if structure and any(target.scheme is not None for target in targets):
        usual = "Predictions"
    if not scheme.size:
        usual = f"Predicted values of {', '.join(target.name for target in targets)}"
    return {
        "title": title or usual,
        "scheme": scheme.name.upper() if structure else scheme.name,
        "classes": _classes(scheme),
        "targets": [_drawn(target) for target in targets],
        "unlabelled": asdict(UNLABELLED),
        "background": scheme.background,
        "version": __version__,
        "model": model,
    }


def _classes(scheme: LabelScheme) -> list[dict[str, Any]]:
    names, shapes, ribbons = scheme.class_names, shapes_of(scheme), templates_of(scheme)
    return [
        {"letter": letter, "name": name, "colour": colour, "shape": shapes[letter]}
        | {"ribbon": asdict(ribbons[letter])}
        for letter, name, colour in zip(scheme.letters, names, scheme.colours, strict=True)
    ]


def _drawn(target: Target) -> dict[str, Any]:
    if target.scheme is not None:
        return {"name": target.name, "classes": _classes(target.scheme)}
    low, high = target.shown_range
    return {"name": target.name, "low": low, "high": high, "spread": target.spread}


def json_line(content: Any) -> str:
    """Return a value as JSON that is safe inside a ``script`` element."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def base64_bytes(fractions: npt.NDArray[np.floating]) -> str:
    """Return fractions as bytes (0 to 255) in base64, row by row."""
    levels = np.rint(np.clip(fractions, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")


def content(name: str) -> str:
    """Return a file of this package."""
    return (_HERE / name).read_text(encoding="utf-8")
