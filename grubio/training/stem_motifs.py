"""Motifs that a network for sites begins with, so that few sites suffice to be as good as they are.

The first convolution gets filters that are position weight matrices, and keeps them: for each class
the score of a site at every place that covers a base, above a low and above a high threshold, and
the score on the other strand. In a GRU one unit of each layer is the sum of these scores, in which
what is above the high threshold counts most, so that weak places nearby do not outweigh a strong
one. The output of the class begins as that unit. So the network ranks sites as the matrix does
before its first step, and learns what the matrix does not say;
:mod:`grubio.training.motif_share` chooses how much of that is added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.datasets.parquet import DatasetHeader
from grubio.errors import GrubioError
from grubio.files import sha256_of_file
from grubio.metrics.candidates import LabelledStrand, site_truth, strands_of
from grubio.metrics.pwm import ANY_CLASS, PWM, chosen_pwm, plain
from grubio.metrics.sites import HEADLINE_TOLERANCE
from grubio.model.architecture import Architecture
from grubio.model.labeller import Labeller
from grubio.readers.motifs import read_database
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record

NONE, OF_SITES = "none", "sites"
"""The settings for no motifs and for matrices of the training sites; other text is a file."""

_CHANCES = (0.2, 0.01)
"""Places of the background, among those that cover a base, where the filters with the low and with
the high threshold are not silent."""

_STEEPNESS = (0.05, 0.5)
"""How much the score above each threshold counts in the unit of a class."""

_UPDATE = -6.0
_WEIGHT, _BIAS = 8.0, -4.0
_PSEUDO = 0.01


@dataclass(frozen=True)
class StemMotif:
    """The matrix of a class, and how it scores the training strands.

    Attributes
    ----------
    index
        The class.
    pwm
        The matrix.
    floors
        The low and the high threshold, scores below which filters are silent.
    deviation
        Standard deviation of the scores of training sites.
    """

    index: int
    pwm: PWM
    floors: tuple[float, float]
    deviation: float

    @property
    def reach(self) -> int:
        """Most bases from a base of a site to the end of the matrix, on either strand."""
        before, width = self.pwm.before, self.pwm.width
        return max(before, len(self.pwm.log_odds) - before - width) + width - 1

    @property
    def channels(self) -> int:
        """Filters, see :meth:`filters`."""
        return len(self.floors) * self.pwm.width + 1

    def filters(self, width: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return filters ``(channel, base, place)`` of a convolution, and biases ``(channel,)``.

        For each threshold, they are for sites that start 0, 1 and more bases before the base that
        is scored. The last is for the middle of a site on the other strand, with the low threshold.
        """
        matrix, before = self.pwm.log_odds / self.deviation, self.pwm.before
        opposite, after = matrix[::-1, ::-1], len(matrix) - before - self.pwm.width
        shifts = range(self.pwm.width)
        placed = [(matrix, before + shift) for _ in self.floors for shift in shifts]
        placed.append((opposite, after + self.pwm.width // 2))
        filters = np.zeros((len(placed), matrix.shape[1], width), dtype=np.float32)
        for filter_, (rows, ahead) in zip(filters, placed, strict=True):
            first = width // 2 - ahead
            filter_[:, first : first + len(rows)] = rows.T
        thresholds = np.append(np.repeat(self.floors, self.pwm.width), self.floors[0])
        return filters, (-thresholds / self.deviation).astype(np.float32)

    def counts(self) -> npt.NDArray[np.float32]:
        """Return how much each of the filters counts in the unit of the class, ``(channel,)``."""
        return np.append(np.repeat(_STEEPNESS, self.pwm.width), 0).astype(np.float32)


def stem_motifs(
    source: str, header: DatasetHeader, train: Sequence[Record], valid: Sequence[Record]
) -> list[StemMotif]:
    """Return the motifs of the classes of fixed width that have training sites.

    Parameters
    ----------
    source
        ``none``: no motifs. ``sites``: the matrix of the training sites, with the flanks that rank
        validation sites best, as the baseline of an evaluation, of the sites where they are or
        aligned; else a file of motifs.
    header
        Of the dataset.
    train, valid
        Its records.

    Raises
    ------
    GrubioError
        If the dataset has no class of fixed width, or the file has no motif for a class.
    """
    if source == NONE:
        return []
    if not header.sites:
        raise GrubioError(
            "the dataset has no classes of fixed width, so there are no motifs to begin with",
            hint="leave out training.motifs",
        )
    scheme = header.scheme
    strands, held_out = strands_of(train, scheme)[0], strands_of(valid, scheme)[0]
    database = {} if source == OF_SITES else read_database(Path(source))
    found = []
    for letter, width in header.sites.items():
        index = scheme.letters.index(letter)
        if source == OF_SITES:
            pwm = chosen_pwm(strands, held_out, index, width, HEADLINE_TOLERANCE)
        else:
            name = scheme.class_names[index]
            frequencies = _of_class(database, name, len(header.sites), source)
            pwm = _placed(frequencies, strands, index, width)
        if pwm is not None:
            found.append(_scaled(pwm, strands, index))
    return found


def motifs_sha256(source: str) -> str | None:
    """Return the checksum of a file of motifs, or None if the setting names none."""
    return None if source in (NONE, OF_SITES) else sha256_of_file(source)


def with_motifs(architecture: Architecture, motifs: Sequence[StemMotif]) -> Architecture:
    """Return an architecture whose stem has room for motifs besides its own channels."""
    channels = sum(motif.channels for motif in motifs)
    reach = max((motif.reach for motif in motifs), default=0)
    return replace(
        architecture,
        stem_channels=architecture.stem_channels + channels,
        stem_width=max(architecture.stem_width, 2 * reach + 1),
    )


@dataclass(frozen=True)
class Held:
    """What training does not change of a network that begins with motifs, and its first head.

    Attributes
    ----------
    weights
        Parameters, where they are held (bool, of the same shape), and their values.
    head
        Weights and biases of the first head before the first step, if its classes follow motifs.
    """

    weights: Sequence[tuple[Tensor, Tensor, Tensor]]
    head: tuple[Tensor, Tensor] | None = None

    def restore(self) -> None:
        """Set what is held to its values again: weight decay changes it even so."""
        with torch.no_grad():
            for parameter, where, values in self.weights:
                parameter.copy_(
                    torch.where(where.to(parameter.device), values.to(parameter.device), parameter)
                )


def begin_with(labeller: Labeller, motifs: Sequence[StemMotif], own_width: int) -> Held | None:
    """Set the weights of a network made by :func:`with_motifs`; return what training has to hold.

    Parameters
    ----------
    labeller
        A labeller with fresh weights.
    motifs
        What it begins with.
    own_width
        Bases that the filters which are learned see.
    """
    convolution = labeller.network.stem.convolution
    if convolution is None or not motifs:
        return None
    channels, _, width = convolution.weight.shape
    others = labeller.network.stem.features - channels
    learned = torch.zeros_like(convolution.weight)
    first = (width - own_width) // 2
    learned[:, :, first : first + own_width] = 1
    at = channels
    head = labeller.heads[0]
    assert isinstance(head, nn.Linear)
    held: dict[Tensor, Tensor] = {}
    with torch.no_grad():
        # The usual range of a narrower filter.
        scale = (width / own_width) ** 0.5
        convolution.weight.mul_(learned * scale)
        assert convolution.bias is not None
        convolution.bias.mul_(scale)
        for motif in motifs:
            filters, biases = motif.filters(width)
            rows = slice(at - len(filters), at)
            convolution.weight[rows] = 0
            convolution.weight[rows, : filters.shape[1]] = torch.from_numpy(filters)
            convolution.bias[rows] = torch.from_numpy(biases)
            learned[rows] = 0
            at = rows.start
        held |= {convolution.weight: learned == 0, convolution.bias: learned.amax(dim=(1, 2)) == 0}
        layers = _layers(labeller, len(motifs))
        if layers:
            # Nothing but the motifs counts before the first step.
            head.weight.zero_()
            head.bias.zero_()
            stop = others + channels
            for unit, motif in enumerate(motifs):
                first = stop - motif.channels
                for parameter, where in _pass_on(layers, unit, first, motif.counts()).items():
                    held[parameter] = where | held.get(parameter, torch.zeros_like(where))
                head.weight[motif.index, unit] = _WEIGHT
                head.bias[motif.index] = _BIAS
                stop = first
    for parameter, where in held.items():
        _hold(parameter, where)
    return Held(
        [(parameter, where, parameter.detach().clone()) for parameter, where in held.items()],
        (head.weight.detach().clone(), head.bias.detach().clone()) if layers else None,
    )


def _hold(parameter: Tensor, where: Tensor) -> None:
    parameter.register_hook(  # type: ignore[no-untyped-call]
        lambda gradient: gradient.masked_fill(where.to(gradient.device), 0)
    )


def _layers(labeller: Labeller, units: int) -> Sequence[Any]:
    """Return the layers of a GRU with room for some units of motifs, else none."""
    layers = getattr(labeller.network, "layers", ())
    if not all(isinstance(getattr(layer, "forwards", 0), nn.GRU) for layer in layers):
        return ()
    return layers if layers and units < layers[0].forwards.hidden_size else ()


def _pass_on(
    layers: Sequence[Any], unit: int, first: int, counts: npt.NDArray[np.float32]
) -> dict[Tensor, Tensor]:
    """Let a unit of each layer be a sum of the inputs from ``first`` on, which count differently.

    Return the weights to hold, and where.
    """
    hidden = layers[0].forwards.hidden_size
    held = {}
    for layer in layers:
        weights = dict(layer.forwards.named_parameters())
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            weights[name].data[unit::hidden] = 0
            held[weights[name]] = torch.zeros_like(weights[name], dtype=torch.bool)
        weights["bias_ih_l0"].data[hidden + unit] = _UPDATE
        if layer is layers[0]:
            weighted = slice(first, first + len(counts))
            weights["weight_ih_l0"].data[2 * hidden + unit, weighted] = torch.from_numpy(counts)
        else:
            weights["weight_ih_l0"].data[2 * hidden + unit, unit] = 1
    for where in held.values():
        where[unit::hidden] = True
    return held


def _scaled(pwm: PWM, strands: Sequence[LabelledStrand], index: int) -> StemMotif:
    truth = site_truth(strands, index, pwm.width, ANY_CLASS)
    scores = [pwm.scores(strand.sequence) for strand in strands]
    of_sites, others = [], []
    for of_strand, starts in zip(scores, truth.starts, strict=True):
        places = starts[:, None] + np.arange(-pwm.room, pwm.room + 1)
        places = places.clip(0, max(len(of_strand) - 1, 0))
        of_sites += of_strand[places].max(axis=1).tolist()
        others.append(np.delete(of_strand, places.ravel()))
    background = np.concatenate(others)
    low, high = (float(np.quantile(background, 1 - chance / pwm.width)) for chance in _CHANCES)
    return StemMotif(index, pwm, (low, high), max(float(np.std(of_sites)), 1e-3))


def _of_class(
    database: dict[str, npt.NDArray[np.float64]], name: str, classes: int, source: str
) -> npt.NDArray[np.float64]:
    if name in database:
        return database[name]
    if classes == len(database) == 1:
        return next(iter(database.values()))
    raise GrubioError(
        f"has no motif for the class {name}, only {', '.join(sorted(database)[:5])}",
        path=source,
        hint="name each motif as its class is named",
    )


def _placed(
    frequencies: npt.NDArray[np.float64], strands: Sequence[LabelledStrand], index: int, width: int
) -> PWM | None:
    """Return a motif as the matrix of a class, turned and moved to where its sites have it."""
    room = len(frequencies)
    counts = np.zeros((width + 2 * room, DNA.channels))
    composition = np.ones(DNA.channels)
    starts = site_truth(strands, index, width, ANY_CLASS).starts
    for strand, places in zip(strands, starts, strict=True):
        text = plain(strand.sequence)
        composition += [text.count(letter) for letter in DNA.letters]
        padded = DNA.one_hot("N" * room + text + "N" * room)
        for start in places.tolist():
            counts += padded[start : start + len(counts)]
    if not any(map(len, starts)):
        return None
    background = composition / composition.sum()
    odds = np.log2((frequencies + _PSEUDO * background) / (1 + _PSEUDO) / background)
    ways = [
        (float((counts[first : first + room] * matrix).sum()), first, matrix)
        for matrix in (odds, odds[::-1, ::-1])
        for first in range(len(counts) - room + 1)
    ]
    _, first, matrix = max(ways, key=lambda way: way[0])
    before, end = max(room - first, 0), max(first + room, room + width)
    rows = np.zeros((before + end - room, DNA.channels), dtype=np.float32)
    at = first - (room - before)
    rows[at : at + room] = matrix
    return PWM(rows, before, width)
