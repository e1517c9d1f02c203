"""How much gradient reaches a residue from another one, by their distance.

The gradient of the logits of a residue with respect to the one-hot vector of a residue ``d`` places
before or behind it, and to its profile if the model reads profiles, is a matrix
``(class, channel)``. Its squared Frobenius norm is estimated without bias by one backward pass from
a random sum of the logits with signs +1 and -1 (Hutchinson, Commun. Stat. Simul. Comput. 19:433,
1990). Where this norm is near zero, training cannot learn what the other residue has to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grubio.files import table_text
from grubio.metrics.bootstrap import bootstrap_weights, share
from grubio.model.batching import Example, padded
from grubio.model.bundle import Bundle
from grubio.model.labeller import Ensemble, Labeller, members_of, model_of

DISTANCES = (1, 2, 5, 10, 20, 50, 100, 200)
"""Places between two residues."""

_POSITIONS = 32
_MOST_RESIDUES = 250
"""Residues on each side of a position that the network sees."""
_TOGETHER = 16
_REPLICATES = 1000
_SEED = 1
_COLUMNS = ("distance", "gradient", "low", "high", "pairs")


def gradient_reach(bundle: Bundle, examples: Sequence[Example]) -> str:
    """Return a table (TSV) of the norm of the gradient by distance.

    Positions are drawn at random from all residues. The norm is the root of the mean square over
    pairs of residues at the distance, before and behind, with a 95 % bootstrap interval over
    sequences. Distances that no sequence spans are left out.

    Parameters
    ----------
    bundle
        The model.
    examples
        Sequences, with their profiles if the model reads them.
    """
    generator = np.random.default_rng(_SEED)
    lengths = np.array([len(example) for example in examples])
    drawn = np.sort(generator.choice(lengths.sum(), min(_POSITIONS, lengths.sum()), replace=False))
    owners = np.searchsorted(np.cumsum(lengths), drawn, side="right")
    places = drawn - (np.cumsum(lengths) - lengths)[owners]
    order = np.argsort(lengths[owners], kind="stable")
    # In single precision the smallest gradients of a plain recurrent network would be zero.
    exact = model_of(bundle).double()
    sums = np.zeros((len(examples), len(DISTANCES), 2))
    for start in range(0, len(order), _TOGETHER):
        chosen = order[start : start + _TOGETHER]
        pieces, own_places = [], []
        for number in chosen:
            first = max(0, int(places[number]) - _MOST_RESIDUES)
            last = int(places[number]) + _MOST_RESIDUES + 1
            pieces.append(examples[owners[number]].part(first, last))
            own_places.append(int(places[number]) - first)
        squares = _squared_norms(exact, pieces, own_places, generator)
        for number, square, place in zip(chosen, squares, own_places, strict=True):
            sums[owners[number]] += _by_distance(square, place)
    return table_text(_COLUMNS, _rows(sums))


def _squared_norms(
    model: Labeller | Ensemble,
    examples: Sequence[Example],
    places: Sequence[int],
    generator: np.random.Generator,
) -> list[npt.NDArray[np.float64]]:
    """Return for each sequence ``(residue,)``: what reaches its place from each residue."""
    stems = [member.network.stem for member in members_of(model)]
    stem = stems[0]
    batch = padded(examples, stem.pad_code)
    codes, lengths = batch.codes, batch.lengths
    # Each residue of the batch has a code, and so a row of channels, of its own.
    channels = stem.channel_table[torch.from_numpy(codes).long().flatten()].requires_grad_()
    tables = {
        name: channels for name, _ in model.named_buffers() if name.endswith("stem.channel_table")
    }
    inputs, profiles = [channels], None
    if any(stem.reads_profiles for stem in stems) and batch.profiles is not None:
        profiles = torch.from_numpy(batch.profiles).double().requires_grad_()
        inputs.append(profiles)
    arguments = (
        torch.arange(codes.size).view(codes.shape),
        torch.from_numpy(lengths),
        profiles,
    )
    with torch.enable_grad():
        outputs = torch.func.functional_call(model, tables, arguments)
        logits: Tensor = outputs[model.targets[0].name]
        found = logits[torch.tensor(places), torch.arange(len(places))]
        signs = torch.from_numpy(generator.choice((-1.0, 1.0), found.shape))
        gradients = torch.autograd.grad((found * signs).sum(), inputs)
    per_residue = [g.square().reshape(codes.size, -1).sum(dim=1) for g in gradients]
    squares = torch.stack(per_residue).sum(dim=0).view(codes.shape).numpy()
    return [squares[:length, column] for column, length in enumerate(lengths)]


def _by_distance(squares: npt.NDArray[np.float64], place: int) -> npt.NDArray[np.float64]:
    """Return the sum of the squares at each distance, and how many there are, ``(distance, 2)``."""
    found = np.zeros((len(DISTANCES), 2))
    for row, distance in enumerate(DISTANCES):
        for other in (place - distance, place + distance):
            if 0 <= other < len(squares):
                found[row] += (squares[other], 1)
    return found


def _rows(sums: npt.NDArray[np.float64]) -> list[list[str]]:
    used = sums[sums[:, :, 1].any(axis=1)]
    weights = bootstrap_weights(max(1, len(used)), _REPLICATES, _SEED)
    rows = []
    for distance, (squares, pairs) in zip(DISTANCES, sums.sum(axis=0), strict=True):
        if not pairs:
            continue
        place = DISTANCES.index(distance)
        mean = share(used[:, place, 0], used[:, place, 1], weights).score
        ends = [math.sqrt(value or 0.0) for value in (mean.low, mean.high)]
        numbers = (math.sqrt(squares / pairs), *ends)
        rows.append([str(distance), *(f"{number:.4g}" for number in numbers), str(int(pairs))])
    return rows
