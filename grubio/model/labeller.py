"""The labeller, a network with a head for each target, and the ensemble of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.bundle import Bundle, Calibration, Site
from grubio.model.heads import Head, Outputs, mean_outputs
from grubio.model.networks.protocol import Network
from grubio.model.networks.registry import NETWORKS
from grubio.sequences.alphabet import Alphabet
from grubio.sequences.target import Target


class Labeller(nn.Module):
    """A network with a head for each target; the first target is the main one."""

    def __init__(self, network: Network, targets: Sequence[Target]) -> None:
        super().__init__()
        self.network = network
        self.targets = tuple(targets)
        self.heads = nn.ModuleList(Head(network.features, target) for target in targets)

    @property
    def architecture(self) -> Architecture:
        """Which network, and its size."""
        return self.network.architecture

    def forward(self, codes: Tensor, lengths: Tensor, profiles: Tensor | None = None) -> Outputs:
        """Return the outputs of a batch; those at padding mean nothing.

        The parameters are those of :meth:`grubio.model.networks.protocol.Network.forward`.
        """
        return self.outputs(self.network(codes, lengths, profiles))

    def outputs(self, states: Tensor) -> Outputs:
        """Return the outputs for the network's states ``(time, batch, feature)``."""
        return {
            target.name: head(states) for target, head in zip(self.targets, self.heads, strict=True)
        }


class Ensemble(nn.Module):
    """Labellers of the same targets whose outputs are averaged; see :func:`mean_outputs`.

    Raises
    ------
    ValueError
        If their targets differ.
    """

    def __init__(self, members: Sequence[Labeller]) -> None:
        super().__init__()
        targets = [[replace(t, weight=1.0) for t in member.targets] for member in members]
        if any(own != targets[0] for own in targets):
            raise ValueError("the members of an ensemble must have the same targets")
        self.targets = members[0].targets
        self.members = nn.ModuleList(members)

    def forward(self, codes: Tensor, lengths: Tensor, profiles: Tensor | None = None) -> Outputs:
        """Return the outputs of a batch; see :meth:`Labeller.forward`."""
        return mean_outputs(
            self.targets, [member(codes, lengths, profiles) for member in self.members]
        )


def members_of(model: Labeller | Ensemble) -> list[Labeller]:
    """Return the labellers of a model: its members, or itself."""
    return [model] if isinstance(model, Labeller) else list(model.members)  # type: ignore[arg-type]


def new_labeller(
    architecture: Architecture,
    targets: Sequence[Target],
    channel_table: npt.NDArray[np.float32],
    members: int = 1,
) -> Labeller | Ensemble:
    """Return a model with fresh weights: one labeller, or an ensemble of several."""
    return _new_model([architecture] * members, targets, channel_table)


def _new_model(
    architectures: Sequence[Architecture],
    targets: Sequence[Target],
    channel_table: npt.NDArray[np.float32],
) -> Labeller | Ensemble:
    made = [Labeller(NETWORKS[a.network].network(a, channel_table), targets) for a in architectures]
    return made[0] if len(made) == 1 else Ensemble(made)


def bundle_of(
    model: Labeller | Ensemble,
    alphabet: Alphabet,
    calibrations: Mapping[str, Calibration] | None = None,
    sites: Mapping[str, Site] | None = None,
) -> Bundle:
    """Return a model as a bundle, with copies of its weights."""
    weights = {name: tensor.cpu().numpy().copy() for name, tensor in model.state_dict().items()}
    return Bundle(
        tuple(member.architecture for member in members_of(model)),
        tuple(model.targets),
        weights,
        alphabet,
        calibrations or {},
        sites,
    )


def model_of(bundle: Bundle) -> Labeller | Ensemble:
    """Return the model of a bundle, in evaluation mode, on the CPU.

    Raises
    ------
    RuntimeError
        If the weights do not fit the network.
    """
    table = bundle.alphabet.channel_table
    # On the meta device no memory is taken and no weights are drawn, only to be replaced.
    with torch.device("meta"):
        model = _new_model(bundle.architectures, bundle.targets, table)
    weights = {name: torch.from_numpy(array) for name, array in bundle.weights.items()}
    model.load_state_dict(weights, assign=True)
    for labeller in members_of(model):
        labeller.network.stem.channel_table = torch.from_numpy(table)
    return model.eval()
