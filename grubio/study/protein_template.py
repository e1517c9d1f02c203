"""The study of the template ``protein-labels``: proteins with one letter for each residue."""

from __future__ import annotations

import json
import string
from collections import Counter
from pathlib import Path

from grubio.config import PrepareSettings
from grubio.config.labels import parse_scheme
from grubio.config.sources import lasting
from grubio.errors import GrubioError
from grubio.fetching.local import local_path
from grubio.readers.labelled import read_labelled
from grubio.sequences.record import Record
from grubio.sequences.scheme import SCHEMES, UNKNOWN_LABEL
from grubio.study.draft import Study
from grubio.text import text_lines

_TRAINED_RESIDUES = 12_000_000
_FEW_RECORDS = 300
_BACKGROUND = ".-_"
_NAME = "protein-labels"
_LEAST_SHARE_OF_RARE = 0.9


def protein_study(records: str | Path, labels: str | Path | None) -> Study:
    """Return the study of labelled proteins.

    Parameters
    ----------
    records
        FASTA, FASTA with a line of labels under each sequence, or a table: a path, or what is
        fetched.
    labels
        FASTA of labels of a FASTA of sequences, likewise.

    Raises
    ------
    GrubioError
        If a file is at fault or holds no labels.
    """
    chains, written = _read(records, labels)
    counts = Counter(letter for one in chains for letter in one.labels or "")
    counts.pop(UNKNOWN_LABEL, None)
    if not counts:
        raise GrubioError("holds no labels", path=labels or records)
    lengths = sorted(map(len, chains))
    said = [
        f"records: {len(chains):,}, {sum(lengths):,} residues, of {lengths[0]:,} to "
        f"{lengths[-1]:,} residues",
        "labels:",
    ]
    total = sum(counts.values())
    said += [f"  {one}  {n:,}  {100 * n / total:.1f} %" for one, n in counts.most_common()]
    scheme, background = _scheme(counts)
    return Study(_config(said, written, scheme, background, sum(lengths), len(chains)), said)


def _read(records: str | Path, labels: str | Path | None) -> tuple[list[Record], list[str]]:
    written = [f"    records: {json.dumps(lasting(records))}"]
    if labels is not None:
        written.append(f"    labels: {json.dumps(lasting(labels))}")
    path = local_path(str(records), None)
    path_of_labels = None if labels is None else Path(local_path(str(labels), None))
    kind = _format_of(path, path_of_labels)
    written += ["    prepare:", f"      format: {kind}"]
    # Any letters: which scheme they are is told from them.
    settings = PrepareSettings.model_construct(
        format=kind, scheme="labels", columns="", on_invalid="error"
    )
    if kind == "fasta":
        letters = string.ascii_uppercase + ".-_"
        settings = PrepareSettings(format="fasta", scheme=f"labels={letters}")

    def refuse(error: GrubioError) -> None:
        raise error

    found = read_labelled([path], settings, refuse, Counter(), labels=path_of_labels)
    return list(found), written


def _format_of(records: str, labels: Path | None) -> str:
    if labels is not None:
        return "fasta"
    first = next((text for _, text in text_lines(records) if text.strip()), "")
    return "three-line" if first.startswith(">") else "tsv"


def _scheme(counts: Counter[str]) -> tuple[str, str]:
    for name in ("ss3", "ss8"):
        if set(counts) <= set(SCHEMES[name].letters) and len(counts) > 2:
            return name, ""
    letters = "".join(sorted(counts))
    common, number = counts.most_common(1)[0]
    background = next((one for one in _BACKGROUND if one in counts), "")
    if not background and number > _LEAST_SHARE_OF_RARE * sum(counts.values()):
        background = common
    text = f"labels={letters}"
    parse_scheme(text, background)
    return text, background


def _config(
    said: list[str], written: list[str], scheme: str, background: str, residues: int, records: int
) -> str:
    lines = [f"# Template {_NAME}. Every key that may stand here: config/README.md", "#"]
    lines += ["# What was found in the files:", *(f"#   {line}" for line in said), ""]
    lines += ["datasets:", f"  {_NAME}:", *written, "      # The labels, one letter each."]
    lines.append(f"      scheme: {json.dumps(scheme)}")
    if background:
        lines += [
            "      # The label that means nothing special; scores give no credit for it.",
            f"      background: {json.dumps(background)}",
        ]
    lines += ["    # Homologs are never in two splits.", "    split:"]
    if records < _FEW_RECORDS:
        lines += [
            f"      # {records:,} records are few: each is tested once, by one of five models.",
            "      folds: 5",
        ]
    else:
        lines += ["      valid_fraction: 0.1", "      test_fraction: 0.1"]
    epochs = int(min(max(_TRAINED_RESIDUES / max(residues, 1), 3), 15))
    units, layers = (32, 1) if residues < 50_000 else (96, 2)
    batch = int(min(max(residues / 60, 1000), 6000) // 100 * 100)
    lines += [
        "",
        "model:",
        "  # Units of each direction, and layers.",
        f"  hidden_size: {units}",
        f"  layers: {layers}",
        "training:",
        f"  # About {residues * epochs / 1e6:.1f} million residues are learned from in all.",
        f"  epochs: {epochs}",
        f"  batch_residues: {batch}",
        "",
        "runs:",
        f"  {_NAME}:",
        f"    dataset: {_NAME}",
    ]
    return "\n".join(lines) + "\n"
