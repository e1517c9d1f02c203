"""What differs between the pages of models: sentence, options, facts, card and example."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from html import escape

from grubio import __version__
from grubio.config import CallSettings, GenomeSettings
from grubio.fetching.embedded import embedded_path
from grubio.model.bundle import Bundle
from grubio.readers.fasta import read_fasta
from grubio.runs.files import told_weights

_EXAMPLES = 3
_EXAMPLE_BASES = 3000
_LINE = 60
_GENES = {
    "Genes": "This page labels coding bases and lists runs of them, as <code>grubio predict "
    "--grammar none</code> does; <code>grubio predict</code> alone calls whole genes."
}
_PRECISION = {
    "16": "The weights are those of the model, in half precision.",
    "32": "The weights are rounded to half precision; probabilities can differ from those of "
    "<code>grubio predict</code> in the third decimal.",
}


def predicted(bundle: Bundle) -> str:
    """Return in one sentence what a model predicts."""
    scheme = bundle.scheme.headline
    hidden = scheme.background if bundle.kind == "genome" else None
    classes = [
        name
        for letter, name in zip(scheme.letters, scheme.class_names, strict=True)
        if letter != hidden
    ]
    what = [name for name in (_joined(classes, "or"), *(t.name for t in bundle.additional)) if name]
    if bundle.kind == "genome":
        return f"Finds {_joined(classes, 'and')} on both strands of DNA."
    unit = "residue of a protein" if bundle.alphabet.name == "protein" else "base of DNA"
    return f"Predicts {_joined(what, 'and')} for each {unit}."


def _joined(names: list[str], word: str) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} {word} {last}" if first else last


def options(bundle: Bundle) -> Iterator[str]:
    """Yield the fields of the options of ``grubio predict`` that a page has, as HTML."""
    calls, genome = CallSettings.model_fields, GenomeSettings.model_fields
    schemes = [bundle.scheme]
    if bundle.scheme.headline.name != bundle.scheme.name:
        schemes.append(bundle.scheme.headline)
        named = [
            (str(at), f"{one.name.upper()}, {one.size} classes") for at, one in enumerate(schemes)
        ]
        yield _select("scheme", "Classes", named, named[-1][0])
    if bundle.kind == "genome":
        strands = [("both", "both"), ("+", "plus"), ("-", "minus")]
        yield _select("strand", "Strands", strands, str(genome["strand"].default))
        yield _number("minScore", "Minimum score of a feature", 0, "any", "the model's own")
        if bundle.sites:
            least = genome["min_contig"].default
            yield _number("minContig", "Minimum bases of a contig with sites", 1, 1, least)
        yield _number(
            "minSegment", "Minimum bases of a segment", 1, 1, calls["min_segment"].default
        )
    elif bundle.scheme.size:
        least = calls["min_confidence"].default
        yield _number("minConfidence", "Minimum confidence of a label", 0, "any", least)
        yield _number(
            "minSegment", "Minimum length of a segment", 1, 1, calls["min_segment"].default
        )
        yield _number("maxGap", "Largest gap inside a segment", 0, 1, calls["max_gap"].default)
    if any(target.regions for target in bundle.additional):
        yield _number("regionThreshold", "Threshold of a region", None, "any", "the model's own")
        yield _number("minRegion", "Minimum length of a region", 1, 1, "the model's own")
    invalid = [
        ("error", "stop and say where"),
        ("skip", "leave the record out"),
        ("mask", "read as unknown residues"),
    ]
    yield _select("onInvalid", "Invalid letters", invalid, "error")


def _select(name: str, label: str, choices: list[tuple[str, str]], chosen: str) -> str:
    listed = "".join(
        f'<option value="{escape(value)}"{" selected" * (value == chosen)}>{escape(text)}</option>'
        for value, text in choices
    )
    field = f'<select id="option-{name}" autocomplete="off">{listed}</select>'
    return f"<label>{escape(label)} {field}</label>"


def _number(name: str, label: str, least: int | None, step: int | str, default: object) -> str:
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    bound = "" if least is None else f'min="{least}" '
    field = (
        f'<input type="number" id="option-{name}" {bound}step="{step}" '
        f'placeholder="{escape(shown)}" autocomplete="off">'
    )
    return f"<label>{escape(label)} {field}</label>"


def facts(bundle: Bundle) -> str:
    """Return the model, its version and checksum and how to cite it, as HTML."""
    digest = escape(str(bundle.metadata.get("weights_sha256", "")))
    version = escape(str(bundle.metadata.get("grubio_version", "")))
    rows = {
        "Model": escape(bundle.described),
        "Version": f"trained with grubio {version}; page made by grubio {__version__}",
        "SHA-256": told_weights(digest),
        "Precision": _PRECISION[bundle.weight_precision],
        **(_GENES if bundle.scheme.genes is not None else {}),
        "To cite": f"The grubio developers: grubio {__version__}, model {escape(bundle.name)}, "
        f"SHA-256 {digest[:16]}.",
    }
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{text}</dd>' for name, text in rows.items())}</dl>"


def card_as_html(markdown: str) -> str:
    """Return the card of a model as HTML; tags in it stay text."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))


def example(bundle: Bundle) -> str:
    """Return embedded sequences of the alphabet of a model, as FASTA."""
    if bundle.alphabet.name == "protein":
        records = itertools.islice(read_fasta(embedded_path("example-proteins")), _EXAMPLES)
        return "".join(_fasta(record.id, record.sequence) for record in records)
    contig = next(read_fasta(embedded_path("synthetic-genome")))
    return _fasta(contig.id, contig.sequence[:_EXAMPLE_BASES])


def _fasta(name: str, sequence: str) -> str:
    lines = (sequence[at : at + _LINE] for at in range(0, len(sequence), _LINE))
    return "\n".join((f">{name}", *lines, ""))
