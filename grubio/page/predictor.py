"""Write a trained model as a page: ``predictor.html``, its styles, scripts, model and card."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from grubio import __version__
from grubio.config import CallSettings, GenomeSettings
from grubio.fetching.embedded import embedded_path
from grubio.files import write_text_whole
from grubio.model.bundle import CARD_FILE, Bundle, load_bundle
from grubio.model.card import card
from grubio.page.content import require_page, settings_of, weights_of
from grubio.view.page import content, filled, json_line

_HERE = resources.files("grubio.page")

# The promoter region of the lac operon of Escherichia coli.
_LAC = (
    "GCGCAACGCAATTAATGTGAGTTAGCTCACTCATTAGGCACCCCAGGCTTTACACTTTATGCTTCCGGCTCGTATGTTGTGTGGAATTGTGAGCGGATAAC"
    "AATTTCACACAGGAAACAGCTATGACCATGATTACGGATTCACTGGCC"
)


def write_page(model: str | Path, output: str | Path, *, title: str | None = None) -> None:
    """Write a trained model as one self-contained HTML file that labels in the browser.

    The page needs no network: it holds the weights in half precision, the engine, the card of the
    model, its version and checksums. The same model gives the same bytes.

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
        If the model is damaged or of a shape that pages cannot compute, or the file cannot be
        written.
    """
    bundle = load_bundle(model)
    path = Path(model) / CARD_FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else None
    write_text_whole(output, render_page(bundle, text, title=title))


def render_page(bundle: Bundle, card_text: str | None = None, *, title: str | None = None) -> str:
    """Return the page of a model as HTML.

    Parameters
    ----------
    bundle
        The model.
    card_text
        Its card, as Markdown; by default the one that its metadata give.
    title
        Heading of the page; the name of the model by default.

    Raises
    ------
    GrubioError
        If it is of a shape that pages cannot compute.
    """
    require_page(bundle)
    genome = bundle.kind == "genome"
    drawing = "features.js" if genome else "sequences.js"
    scripts = [content("page.js"), content("ribbons.js"), content(drawing)]
    scripts += [_own(name) for name in ("reading.js", "formats.js", "predictor.js")]
    alphabet = bundle.alphabet.title
    example = f">lac\n{_LAC}\n" if genome or alphabet == "DNA" else _example_proteins()
    return filled(
        _own("predictor.html"),
        {
            "TITLE": escape(title or bundle.name),
            "SUBTITLE": escape(_subtitle(bundle)),
            "FIELD": f"{'Contigs' if genome else 'Sequences'} ({alphabet}), FASTA",
            "PLACEHOLDER": f"Paste FASTA or a bare {alphabet} sequence, or drop a file here",
            "VERB": "Label",
            "OPTIONS": "".join(_options(bundle)),
            "STYLE": content("view.css") + _own("page.css"),
            "FACTS": _facts(bundle),
            "CARD": _html(card_text or card(bundle.metadata)),
            "SETTINGS": json_line(settings_of(bundle) | {"example": example}),
            "WEIGHTS": weights_of(bundle),
            "KERNEL": base64.b64encode((_HERE / "kernel.wasm").read_bytes()).decode("ascii"),
            "ENGINE": _own("engine.js"),
            "DECODING": _own("decoding.js"),
            "WORKER": _own("worker.js"),
            "SCRIPT": "\n".join(scripts),
        },
    )


def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _example_proteins() -> str:
    text = embedded_path("example-proteins").read_text(encoding="utf-8")
    return "".join(f">{record}" for record in text.split(">")[1:4])


def _subtitle(bundle: Bundle) -> str:
    names = [
        name
        for letter, name in zip(
            bundle.scheme.headline.letters, bundle.scheme.headline.class_names, strict=True
        )
        if letter != bundle.scheme.headline.background or bundle.kind != "genome"
    ]
    what = [", ".join(names)] if names else []
    what += [target.name for target in bundle.additional]
    unit = (
        "base of both strands of DNA"
        if bundle.kind == "genome"
        else f"residue of a {bundle.alphabet.title} sequence"
    )
    return f"Predicts for every {unit}: {'; '.join(what)}. The model runs in this page."


def _options(bundle: Bundle) -> Iterator[str]:
    calls, genome = CallSettings.model_fields, GenomeSettings.model_fields
    schemes = [bundle.scheme] + [bundle.scheme.headline] * (
        bundle.scheme.headline.name != bundle.scheme.name
    )
    if len(schemes) > 1:
        choices = [
            (str(at), f"{scheme.name.upper()}, {scheme.size} classes")
            for at, scheme in enumerate(schemes)
        ]
        yield _select("scheme", "Classes", choices, str(len(schemes) - 1))
    if bundle.kind == "genome":
        strands = [("both", "both strands"), ("+", "plus strand"), ("-", "minus strand")]
        yield _select("strand", "Strands", strands, str(genome["strand"].default))
        yield _number(
            "minScore",
            "Minimum score of a feature",
            'min="0" max="1" step="any" placeholder="the model\'s own"',
        )
    elif bundle.scheme.size:
        yield _number(
            "minConfidence",
            "Minimum confidence of a label",
            f'min="0" max="1" step="any" placeholder="{calls["min_confidence"].default}"',
        )
    if bundle.scheme.size:
        yield _number(
            "minSegment",
            "Minimum length of a segment",
            f'min="1" step="1" placeholder="{calls["min_segment"].default}"',
        )
        if bundle.kind != "genome":
            yield _number(
                "maxGap",
                "Join segments across gaps of",
                f'min="0" step="1" placeholder="{calls["max_gap"].default}"',
            )
    invalid = [
        ("error", "stop and say where"),
        ("skip", "leave the record out"),
        ("mask", "read as unknown residues"),
    ]
    yield _select("onInvalid", "Invalid letters", invalid, "error")


def _select(name: str, label: str, choices: list[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" * (value == chosen)}>{escape(text)}</option>'
        for value, text in choices
    )
    return f'<label>{escape(label)} <select id="option-{name}" autocomplete="off">{options}</select></label>'


def _number(name: str, label: str, attributes: str) -> str:
    return f'<label>{escape(label)} <input type="number" id="option-{name}" autocomplete="off" {attributes}></label>'


def _facts(bundle: Bundle) -> str:
    metadata = bundle.metadata
    made = metadata.get("grubio_version", "")
    digest = metadata.get("weights_sha256", "")
    cite = (
        f"The grubio developers: grubio {__version__}, model {bundle.name} "
        f"(SHA-256 of its weights {digest[:16]})."
    )
    facts: list[tuple[str, Any]] = [
        ("Model", escape(bundle.described)),
        ("Version", f"trained with grubio {escape(str(made))}, page made by grubio {__version__}"),
        ("SHA-256", f"<code>{escape(digest)}</code> of the weights"),
        (
            "Precision",
            "weights in half precision; probabilities may differ from those of <code>grubio predict</code> in the third decimal",
        ),
        ("To cite", escape(cite)),
    ]
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{text}</dd>' for name, text in facts)}</dl>"


def _html(markdown: str) -> str:
    # Raw HTML in a card stays text.
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
