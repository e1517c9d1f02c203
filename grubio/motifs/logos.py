"""Logos of motifs and maps of in-silico mutagenesis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from grubio.sequences.alphabet import DNA
from grubio.view.svg import GRID, drawing_style

# From the palette of Okabe and Ito, for any colour vision.
_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}

Floats = npt.NDArray[np.float64]


def logo_figure(matrix: Floats, bits: Floats, first: int, width: int, title: str) -> Figure:
    """Draw a sequence logo: the height of a letter is its frequency times the information.

    Parameters
    ----------
    matrix
        Frequencies, ``(place, base)``.
    bits
        Information, ``(place,)``.
    first
        Place of the first row; the first base of the site is 0.
    width
        Length of the site, which is shaded.
    """
    import logomaker
    import pandas as pd

    with drawing_style():
        figure = Figure(figsize=(max(4.0, 0.19 * len(matrix)), 2.2), layout="constrained")
        axes = figure.subplots()
        heights = pd.DataFrame(
            matrix * bits[:, None],
            columns=list(DNA.letters),
            index=np.arange(first, first + len(matrix)),
        )
        axes.axvspan(-0.5, width - 0.5, color=GRID, linewidth=0, zorder=-2)
        logomaker.Logo(heights, ax=axes, color_scheme=_COLOURS, show_spines=False)
        # With an uneven background a place can have more than 2 bits.
        axes.set_ylim(0, max(2.0, 1.05 * float(bits.max())))
        axes.set_ylabel("bits")
        axes.set_xlabel("bases from the first base of the site")
        axes.set_title(title)
        axes.grid(visible=False)
    return figure


def effects_figure(
    maps: Sequence[tuple[str, str, Floats]], first: int, width: int, name: str
) -> Figure:
    """Draw the effects of substitutions on the scores of sites, one map per site.

    Parameters
    ----------
    maps
        Locus, reference bases, and changes ``(place, base)`` of each site.
    first
        Place of the first row.
    width
        Length of the site, whose letters are bold.
    name
        The class.
    """
    largest = max(float(np.abs(effects).max()) for _, _, effects in maps) or 1.0
    places = maps[0][2].shape[0]
    with drawing_style():
        figure = Figure(
            figsize=(max(5.0, 0.14 * places), 0.6 + 1.25 * len(maps)), layout="constrained"
        )
        grid = figure.subplots(len(maps), 1, squeeze=False)[:, 0]
        image = None
        for axes, (locus, text, effects) in zip(grid, maps, strict=True):
            image = axes.imshow(effects.T, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
            axes.set_yticks(range(DNA.channels), list(DNA.letters))
            axes.set_xticks(range(places), list(text), fontsize=6)
            for label in axes.get_xticklabels()[-first : width - first]:
                label.set(fontweight="bold", fontsize=7)
            axes.tick_params(length=0)
            axes.set_title(f"{name} {locus}", fontsize=8)
            axes.grid(visible=False)
        if image is not None:
            figure.colorbar(image, ax=list(grid), label="change of log-odds, bits", shrink=0.6)
        grid[-1].set_xlabel(f"reference bases, the site in bold; the first is at place {first}")
    return figure
