"""A trained model as a page: ``predictor.html`` with styles, scripts, engine, weights and card."""

from __future__ import annotations

import base64
from html import escape
from importlib import resources
from pathlib import Path

from grubio.files import write_text_whole
from grubio.model.bundle import CARD_FILE, METADATA_FILE, WEIGHTS_FILE, Bundle, load_bundle
from grubio.model.card import card
from grubio.overwriting import keep_apart
from grubio.page.content import require_page, settings_of, weights_of
from grubio.page.parts import card_as_html, example, facts, options, predicted
from grubio.view.page import content, filled, json_line

_HERE = resources.files("grubio.page")
_SCRIPTS = ("reading.js", "calls.js", "formats.js", "predictor.js")


def write_page(model: str | Path, output: str | Path, *, title: str | None = None) -> None:
    """Write a trained model as one self-contained HTML file that labels in the browser.

    The page needs no network. It holds the weights in half precision, what computes them, the card
    of the model, its version and checksum. The same model gives the same bytes.

    Parameters
    ----------
    model
        Folder of the model.
    output
        HTML file to write.
    title
        Heading of the page; the name of the model by default.

    Raises
    ------
    GrubioError
        If the model is damaged or one that pages cannot compute, or the file cannot be written.
    """
    folder = Path(model)
    bundle = load_bundle(folder)
    files = [folder / name for name in (METADATA_FILE, WEIGHTS_FILE, CARD_FILE)]
    keep_apart([path for path in files if path.exists()], output)
    text = files[-1].read_text(encoding="utf-8") if files[-1].exists() else None
    write_text_whole(output, render_page(bundle, text, title=title))


def render_page(bundle: Bundle, card_text: str | None = None, *, title: str | None = None) -> str:
    """Return the page of a model as HTML; see :func:`write_page`.

    Parameters
    ----------
    bundle
        The model.
    card_text
        Its card, as Markdown; by default what its metadata say.
    title
        Heading of the page; the name of the model by default.

    Raises
    ------
    GrubioError
        If it is a model that pages cannot compute.
    """
    require_page(bundle)
    genome, alphabet = bundle.kind == "genome", bundle.alphabet.title
    drawing = "features.js" if genome else "sequences.js"
    scripts = [*map(content, ("page.js", "ribbons.js", drawing)), *map(_own, _SCRIPTS)]
    kernel = (_HERE / "kernel.wasm").read_bytes()
    return filled(
        _own("template.html"),
        {
            "TITLE": escape(title or bundle.name),
            "SUBTITLE": escape(predicted(bundle)),
            "FIELD": f"{alphabet[0].upper()}{alphabet[1:]} sequences, as FASTA",
            "PLACEHOLDER": f"Paste FASTA or a single {alphabet} sequence, or drop a file here.",
            "OPTIONS": "".join(options(bundle)),
            "STYLE": content("view.css") + _own("page.css"),
            "FACTS": facts(bundle),
            "CARD": card_as_html(card_text or card(bundle.metadata)),
            "SETTINGS": json_line(settings_of(bundle) | {"example": example(bundle)}),
            "WEIGHTS": weights_of(bundle),
            "KERNEL": base64.b64encode(kernel).decode("ascii"),
            "ENGINE": _own("engine.js"),
            "DECODING": _own("decoding.js"),
            "WORKER": _own("worker.js"),
            "SCRIPT": "\n".join(scripts),
        },
    )


def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
