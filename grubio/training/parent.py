"""The model that a training starts from: its weights, which of them learn, and how fast.

The weights of the stem and of the layers are those of the parent, and so is the head of each target
that both have. Heads of other targets start with fresh weights. Profiles may be read beside what
the parent reads: their weights begin as zeros, so that training starts at the parent's answers.
Values without a range are standardised by the training data of each model; their heads are
rescaled, so that the values are those of the parent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from grubio.config import ModelSettings, TrainingSettings
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.model.labeller import Labeller, members_of, model_of
from grubio.model.training_sketch import Overlap, Sketch, read_sketches
from grubio.sequences.alphabet import Alphabet
from grubio.sequences.record import Record
from grubio.sequences.target import Target

# Settings of the network that are not about its weights.
_FREE = {"dropout"}


@dataclass(frozen=True)
class Parent:
    """A model to start from.

    Attributes
    ----------
    folder, name
        Of the model.
    labeller
        Its network and heads; of an ensemble, those of one member.
    alphabet
        The residues that it reads.
    metadata
        Content of its ``model.json``.
    """

    folder: Path
    name: str
    labeller: Labeller
    alphabet: Alphabet
    metadata: Mapping[str, Any]

    def model_settings(self, given: ModelSettings) -> ModelSettings:
        """Return the settings of the network: those of the parent, and what else was given.

        Raises
        ------
        GrubioError
            If a setting that was given is another one than the parent's, but for profiles that
            are read in addition.
        """
        own = dataclasses.asdict(self.labeller.architecture)
        asked = given.model_dump(include=given.model_fields_set & ModelSettings.model_fields.keys())
        differing = [
            f"{key} is {own[key]}, and {value} was asked for"
            for key, value in asked.items()
            if key in own and key not in _FREE and value != own[key]
            if key != "inputs" or not {*own[key]} <= {*value}
        ]
        if differing:
            raise GrubioError(
                f"has another network: {'; '.join(differing)}",
                path=self.folder,
                hint="leave out these settings of the network: they are those of the model",
            )
        return ModelSettings(**own | asked)

    def require_alphabet(self, alphabet: Alphabet, dataset: Path) -> None:
        """Check that it reads the residues of a dataset.

        Raises
        ------
        GrubioError
            If it reads others.
        """
        if self.alphabet != alphabet:
            raise GrubioError(
                f"reads {self.alphabet.title}, and {dataset} holds {alphabet.title} sequences",
                path=self.folder,
                hint=f"start from a model of {alphabet.title}: grubio models list",
            )

    def heads_for(self, targets: Sequence[Target]) -> dict[str, nn.Module]:
        """Return the heads of the targets that both have, by name."""
        own = {
            target.name: (target, head)
            for target, head in zip(self.labeller.targets, self.labeller.heads, strict=True)
        }
        return {
            target.name: own[target.name][1]
            for target in targets
            if target.name in own and _is_same(target, own[target.name][0])
        }

    def give_weights(self, labeller: Labeller) -> None:
        """Copy the weights of the network, and of each head that fits, into a new labeller."""
        weights, shapes = self.labeller.network.state_dict(), labeller.network.state_dict()
        first = self.labeller.network.stem.channel_table.shape[1]
        labeller.network.load_state_dict(
            {name: _widened(weight, shapes[name].shape, first) for name, weight in weights.items()}
        )
        own = {target.name: target for target in self.labeller.targets}
        theirs = self.heads_for(labeller.targets)
        for target, head in zip(labeller.targets, labeller.heads, strict=True):
            if target.name in theirs:
                _give_head(theirs[target.name], own[target.name], head, target)

    @property
    def sketches(self) -> list[Sketch]:
        """The sketches of its training sequences, and of those of the models behind it."""
        return read_sketches(self.folder, self.metadata, self.name)

    def overlaps(self, held_out: Iterable[Record]) -> list[Overlap]:
        """Return which held-out records were in its training data or are similar to them."""
        tested = {record.id: record.sequence for record in held_out}
        return [sketch.overlap(tested, self.alphabet) for sketch in self.sketches]

    def described(self, targets: Sequence[Target]) -> dict[str, Any]:
        """Return its name, its checksum and the names of the heads that were taken over."""
        return {
            "name": self.name,
            "weights_sha256": self.metadata["weights_sha256"],
            "heads": sorted(self.heads_for(targets)),
        }


def load_parent(folder: Path | None, seed: int) -> Parent | None:
    """Return the model to start from, if there is one; of an ensemble, a member by the seed.

    Raises
    ------
    GrubioError
        If it cannot be loaded.
    """
    if folder is None:
        return None
    bundle = load_bundle(folder)
    members = members_of(model_of(bundle))
    return Parent(
        folder,
        bundle.name,
        members[(seed - 1) % len(members)],
        bundle.alphabet,
        bundle.metadata,
    )


def freeze_weights(labeller: Labeller, settings: TrainingSettings) -> None:
    """Keep the weights of the first parts of a network as they are; see ``training.freeze``.

    Raises
    ------
    GrubioError
        If the network has fewer layers.
    """
    layers = labeller.architecture.layers
    frozen = {"none": -1, "stem": 0, "all": layers}.get(settings.freeze)
    frozen = int(settings.freeze) if frozen is None else frozen
    if frozen > layers:
        raise GrubioError(f"freeze: the network has {layers} layers, {frozen} were asked for")
    for depth, parameters in _by_depth(labeller):
        if depth <= frozen:
            for parameter in parameters:
                parameter.requires_grad_(False)


def by_learning_rate(
    labeller: Labeller, heads: nn.Module, settings: TrainingSettings
) -> list[dict[str, Any]]:
    """Return groups of parameters for an optimiser, each with its peak learning rate ``lr``.

    The rate of the heads, those of the labeller and further ``heads``, is that of the settings;
    that of each part below is ``layer_decay`` times that of the part above (Howard and Ruder, ACL
    2018, section 3.2).
    """
    rate, decay = settings.learning_rate, settings.layer_decay
    if decay == 1:
        return [{"params": [*labeller.parameters(), *heads.parameters()], "lr": rate}]
    top = labeller.architecture.layers + 1
    groups = [
        {"params": parameters, "lr": rate * decay ** (top - depth)}
        for depth, parameters in _by_depth(labeller)
        if parameters
    ]
    return [*groups, {"params": list(heads.parameters()), "lr": rate}]


def _by_depth(labeller: Labeller) -> Iterator[tuple[int, list[nn.Parameter]]]:
    # The stem at depth 0, the layers at 1, 2, ..., the heads above the last. What a network has
    # before its layers goes with the first of them, what it has after them with the last.
    depth = 0
    for name, module in labeller.network.named_children():
        if name == "layers":
            for depth, layer in enumerate(module.children(), start=1):
                yield depth, list(layer.parameters())
        else:
            place = 0 if name == "stem" else max(depth, 1)
            yield place, list(module.parameters())
    yield labeller.architecture.layers + 1, list(labeller.heads.parameters())


def _widened(weight: Tensor, shape: torch.Size, place: int) -> Tensor:
    """Return a weight with zeros for the channels of profiles, which come after the residue's own.

    They are in the second dimension of what reads the stem's channels, ``(output, channel, ...)``.
    """
    if weight.shape == shape:
        return weight
    before, after = weight[:, :place], weight[:, place:]
    added = weight.new_zeros((shape[0], shape[1] - weight.shape[1], *shape[2:]))
    return torch.cat((before, added, after), dim=1)


def _give_head(theirs: nn.Module, parent: Target, head: nn.Module, target: Target) -> None:
    """Copy a head; that of a value without a range gives the same values in the user's unit.

    If one of two heads of values predicts deviations and the other does not, the values are copied.
    """
    copied = {name: weights.clone() for name, weights in theirs.state_dict().items()}
    if target.kind == "value" and not target.bounded:
        ratio = parent.deviation / target.deviation
        copied = {name: weights[: target.size] for name, weights in copied.items()}
        copied["weight"][0] *= ratio
        copied["bias"][0] *= ratio
        copied["bias"][0] += (parent.mean - target.mean) / target.deviation
        # The second output is the logarithm of the deviation.
        copied["bias"][1:] += math.log(ratio)
    for name, weights in head.state_dict().items():
        weights[: len(copied[name])] = copied[name]


def _is_same(one: Target, other: Target) -> bool:
    return one.kind == other.kind and one.is_like(other)
