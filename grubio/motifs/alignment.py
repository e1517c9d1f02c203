"""Called sites shifted by a few bases so that their sequences agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grubio.metrics.site_alignment import best_shifts
from grubio.motifs.best_sites import AlignedSite
from grubio.readers.motifs import Matrix
from grubio.sequences.alphabet import DNA


def aligned(sites: Sequence[AlignedSite], room: int, background: Matrix) -> list[AlignedSite]:
    """Return sites moved by up to ``room`` bases each, as :func:`best_shifts` moves them.

    Parameters
    ----------
    sites
        Their sequences have ``room`` more bases on each side than those that are returned.
    room
        Largest shift.
    background
        Frequencies of the bases, ``(base,)``.

    Returns
    -------
    list of AlignedSite
        In the order given.
    """
    one_hot = np.array([DNA.one_hot(site.sequence) for site in sites], dtype=np.float64)
    shifts = best_shifts(one_hot, room, background).tolist()
    return [_moved(site, shift, room) for site, shift in zip(sites, shifts, strict=True)]


def _moved(site: AlignedSite, shift: int, room: int) -> AlignedSite:
    text = site.sequence[room + shift : len(site.sequence) - room + shift]
    return replace(site, start=site.start + shift, sequence=text)
