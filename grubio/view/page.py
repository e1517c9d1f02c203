"""The page that shows predictions: one HTML file that needs no network.

The page is ``page.html`` with ``view.css``, ``page.js``, ``ribbons.js`` and a further script in
place. Between its head and its script stands the data: one line of JSON per sequence, with
probabilities as bytes (0 to 255) in base64, residue by residue. It is written line by line, so that
memory does not grow with the number of sequences.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from importlib import resources
from typing import Any

from grubio import __version__
from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.view.shapes import UNLABELLED, shapes_of, templates_of

_HERE = resources.files("grubio.view")


def page_parts(scheme: LabelScheme, script: str, title: str | None = None) -> tuple[str, str]:
    """Return what stands before and after the lines of data.

    Parameters
    ----------
    scheme
        The classes.
    script
        Name of the script that draws the data.
    title
        Heading of the page; what is predicted by default.
    """
    classes = [
        {
            "letter": letter,
            "name": name,
            "colour": colour,
            "shape": shape,
            "ribbon": asdict(drawing),
        }
        for (letter, shape), drawing, name, colour in zip(
            shapes_of(scheme).items(),
            templates_of(scheme).values(),
            scheme.class_names,
            scheme.colours,
            strict=True,
        )
    ]
    structure = scheme.name in SCHEMES
    usual = "Secondary structure, predicted" if structure else "Predicted labels"
    about = {
        "title": title or usual,
        "scheme": scheme.name.upper() if structure else scheme.name,
        "classes": classes,
        "unlabelled": asdict(UNLABELLED),
        "background": scheme.background,
        "version": __version__,
    }
    contents = {
        "STYLE": _content("view.css"),
        "ABOUT": json_line(about),
        "SCRIPT": "".join(map(_content, ("page.js", "ribbons.js", script))),
    }
    # One pass over each half: the name of a class may look like a mark.
    before, after = (
        re.sub(r"/\*([A-Z]+)\*/", lambda mark: contents[mark[1]], half)
        for half in _content("page.html").split("/*DATA*/")
    )
    return before, after


def json_line(content: Any) -> str:
    """Return a value as JSON that can stand inside a ``script`` element."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _content(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
