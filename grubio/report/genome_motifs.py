"""What ``grubio motifs`` wrote about a run, for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grubio.errors import GrubioError
from grubio.runs.files import MOTIFS_FILE, MOTIFS_FOLDER
from grubio.runs.folder import Run
from grubio.view.svg import inline_svg_text


@dataclass(frozen=True)
class LearnedMotif:
    """The motif of one class.

    Attributes
    ----------
    name
        The class.
    sites, called
        How many sites were aligned, and how many of them the model calls.
    split, lowest_score
        The split that they lie in, and the lowest score among them.
    site_consensus, core_consensus
        Consensus of the site, and with what is informative beside it.
    core_first_place
        Place of the first base of ``core_consensus``, from the first base of the site.
    site_bits
        Information of the site.
    match
        Nearest motif of the user's database, if one was given.
    logo, effects
        The figures; None where their file is missing.
    """

    name: str
    sites: int
    called: int
    split: str
    lowest_score: float
    site_consensus: str
    core_consensus: str
    core_first_place: int
    site_bits: float
    match: Mapping[str, Any] | None
    logo: Markup | None
    effects: Markup | None


def learned_motifs(run: Run) -> list[LearnedMotif] | None:
    """Return the motifs of a run in the order of its classes; None if none were made.

    Raises
    ------
    GrubioError
        If a file of the folder is not as ``grubio motifs`` writes it.
    """
    folder = run.folder / MOTIFS_FOLDER
    path = folder / MOTIFS_FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [name for name in run.scheme.class_names if name in content]
        return [_motif(folder, name, place, content[name]) for place, name in enumerate(names)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GrubioError(
            f"is not as expected ({error!r})", path=path, hint="make it again: grubio motifs"
        ) from error


def _motif(folder: Path, name: str, place: int, content: Mapping[str, Any]) -> LearnedMotif:
    consensus = str(content["core_consensus"])
    return LearnedMotif(
        name=name,
        sites=int(content["sites"]),
        called=int(content["called"]),
        split=str(content["split"]),
        lowest_score=float(content["lowest_score"]),
        site_consensus=str(content["site_consensus"]),
        core_consensus=consensus,
        core_first_place=int(content["core_first_place"]),
        site_bits=float(content["site_bits"]),
        match=content.get("match"),
        logo=_figure(
            folder / f"{name}.logo.svg", f"logo-{place}", f"Logo of {name}; it reads {consensus}"
        ),
        effects=_figure(
            folder / f"{name}.ism.svg", f"ism-{place}", f"Effects of substitutions in {name} sites"
        ),
    )


def _figure(path: Path, name: str, description: str) -> Markup | None:
    if not path.is_file():
        return None
    return inline_svg_text(path.read_text(encoding="utf-8"), name, description)
