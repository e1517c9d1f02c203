"""The motifs of a run, as written by ``grubio motifs``, for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pydantic import BaseModel

from grubio.errors import GrubioError
from grubio.runs.files import MOTIFS_FILE, MOTIFS_FOLDER
from grubio.runs.folder import Run
from grubio.view.svg import inline_svg_text


class LearnedMotif(BaseModel, arbitrary_types_allowed=True):
    """The motif of one class, as in ``motifs.json``, with its figures.

    Attributes
    ----------
    name
        The class.
    sites, called
        Number of aligned sites, and of those the model calls.
    split, lowest_score
        Split with the sites, and their lowest score.
    site_consensus, core_consensus
        Consensus of the site, without and with its informative flanks.
    core_first_place
        Place of the first base of ``core_consensus`` relative to the site.
    site_bits
        Information of the site.
    match
        Most similar motif of the database, if one was given.
    logo, effects
        The figures; None if the file is missing.
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
    match: dict[str, Any] | None = None
    logo: Markup | None
    effects: Markup | None


def learned_motifs(run: Run) -> list[LearnedMotif] | None:
    """Return the motifs of a run in the order of its classes; None if it has no such file.

    Raises
    ------
    GrubioError
        If the file is not as ``grubio motifs`` writes it.
    """
    folder = run.folder / MOTIFS_FOLDER
    path = folder / MOTIFS_FILE
    # Those in the folder of a cross-validation are of an earlier model.
    if run.metrics.folds or not path.is_file():
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
    logo = f"Logo of {name}; it reads {content['core_consensus']}"
    effects = f"Effects of substitutions in {name} sites"
    return LearnedMotif(
        **content,
        name=name,
        logo=_figure(folder / f"{name}.logo.svg", f"logo-{place}", logo),
        effects=_figure(folder / f"{name}.ism.svg", f"ism-{place}", effects),
    )


def _figure(path: Path, name: str, description: str) -> Markup | None:
    if not path.is_file():
        return None
    return inline_svg_text(path.read_text(encoding="utf-8"), name, description)
