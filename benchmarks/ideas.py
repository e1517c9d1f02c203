"""The ideas of docs/experiments.md: how each differs from the base, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from grubio.model.networks.gru import GRU
from grubio.model.networks.protocol import Network
from idea_networks import Attention, LockedDropout, MaskedResidues, NormedLayers, RecurrentDropout

TEN_PASSES_MODEL = {"stem_channels": 64, "accessibility": True}
TEN_PASSES_TRAINING = {
    "epochs": 10,
    "learning_rate": 0.006,
    "batch_residues": 4000,
    "profile_weight": 0.3,
}


@dataclass(frozen=True)
class Idea:
    """One idea: what it is, how it differs from the defaults, and what it is compared with."""

    group: str
    text: str
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    network: type[Network] = GRU
    data: str = "all"
    verdict: str = "dropped"
    base: str = "base"


IDEAS = {
    "base": Idea(
        "base", "2 layers, width 128, SS8 labels of the PDB chains and SS3 of NSP2", verdict="-"
    ),
    "seed2": Idea("base", "the base with another seed", training={"seed": 2}, verdict="-"),
    "pdb-only": Idea(
        "data",
        "PDB chains alone",
        data="exact",
        verdict="no gain at this budget; NSP2 kept for its other chains",
    ),
    "ss3-only": Idea(
        "targets", "all labels reduced to SS3", data="coarse", verdict="dropped: SS8 is wanted"
    ),
    "accessibility": Idea(
        "targets",
        "accessibility as an additional target, weight 0.3",
        {"accessibility": True},
        verdict="kept",
    ),
    "profile": Idea(
        "targets",
        "the profile as an additional target, weight 0.3",
        training={"profile_weight": 0.3},
        verdict="kept",
    ),
    "profile-1": Idea(
        "targets", "the profile as an additional target, weight 1", training={"profile_weight": 1.0}
    ),
    "targets": Idea(
        "targets",
        "accessibility and profile as additional targets, weight 0.3 each",
        {"accessibility": True},
        {"profile_weight": 0.3},
        verdict="kept",
    ),
    "augment-0.3": Idea(
        "homologs",
        "up to 30 % of residues from the profile",
        {},
        {"homolog_augmentation": 0.3},
        verdict="kept in one of two members",
    ),
    "augment-0.6": Idea(
        "homologs", "up to 60 % of residues from the profile", {}, {"homolog_augmentation": 0.6}
    ),
    "augment-targets": Idea(
        "homologs",
        "up to 60 % from the profile, with accessibility and profile as targets",
        {"accessibility": True},
        {"homolog_augmentation": 0.6, "profile_weight": 0.3},
    ),
    "width-64": Idea("shape", "width 64", {"hidden_size": 64}),
    "width-192": Idea("shape", "width 192", {"hidden_size": 192}, verdict="kept for `protein-ss`"),
    "width-256": Idea("shape", "width 256", {"hidden_size": 256}),
    "two-small": Idea(
        "shape",
        "two networks of width 128 averaged, each at the full budget",
        verdict="kept: two members",
    ),
    "layers-1": Idea("shape", "1 layer", {"layers": 1}),
    "layers-3": Idea("shape", "3 layers", {"layers": 3}),
    "stem": Idea(
        "shape",
        "a convolutional stem: 64 channels over 7 residues",
        {"stem_channels": 64},
        verdict="kept",
    ),
    "attention": Idea("shape", "attention over the GRU's outputs", network=Attention),
    "norm-3": Idea(
        "shape", "3 layers, normalised, with residual connections", {"layers": 3}, {}, NormedLayers
    ),
    "dropout-0": Idea("dropout", "no dropout", {"dropout": 0.0}),
    "dropout-0.3": Idea("dropout", "dropout 0.3 after each layer", {"dropout": 0.3}),
    "locked": Idea("dropout", "the same units dropped along a chain", network=LockedDropout),
    "recurrent": Idea(
        "dropout", "a fifth of the recurrent weights dropped", network=RecurrentDropout
    ),
    "masked": Idea("dropout", "a tenth of the residues hidden", network=MaskedResidues),
    "batch-3000": Idea(
        "schedule",
        "batches of 3,000 residues",
        {},
        {"batch_residues": 3000},
        verdict="kept, as 4,000",
    ),
    "batch-12000": Idea("schedule", "batches of 12,000 residues", {}, {"batch_residues": 12000}),
    "rate-0.0015": Idea("schedule", "peak learning rate 0.0015", {}, {"learning_rate": 0.0015}),
    "rate-0.006": Idea(
        "schedule", "peak learning rate 0.006", {}, {"learning_rate": 0.006}, verdict="kept"
    ),
    "average": Idea(
        "schedule", "moving average of the weights, decay 0.99", {}, {"weight_averaging": 0.99}
    ),
    "stem-rate": Idea(
        "together",
        "stem, peak rate 0.006",
        {"stem_channels": 64},
        {"learning_rate": 0.006},
        verdict="kept",
    ),
    "stem-rate-targets": Idea(
        "together",
        "stem, peak rate 0.006, accessibility and profile as targets",
        {"stem_channels": 64, "accessibility": True},
        {"learning_rate": 0.006, "profile_weight": 0.3},
        verdict="kept",
    ),
    "stem-rate-targets-norm": Idea(
        "together",
        "the same with normalised, residual layers",
        {"stem_channels": 64, "accessibility": True},
        {"learning_rate": 0.006, "profile_weight": 0.3},
        NormedLayers,
    ),
    "stem-rate-batch": Idea(
        "together",
        "stem, peak rate 0.006, batches of 3,000 residues",
        {"stem_channels": 64},
        {"learning_rate": 0.006, "batch_residues": 3000},
        verdict="kept, with 4,000",
    ),
    "ten-passes": Idea(
        "ten passes",
        "2 layers, width 128, stem, accessibility and profile as targets",
        TEN_PASSES_MODEL,
        TEN_PASSES_TRAINING,
        verdict="-",
        base="ten-passes",
    ),
    "ten-passes-attention": Idea(
        "ten passes",
        "attention over the GRU's outputs",
        TEN_PASSES_MODEL,
        TEN_PASSES_TRAINING,
        Attention,
        base="ten-passes",
    ),
    "ten-passes-norm-3": Idea(
        "ten passes",
        "3 layers, normalised, with residual connections",
        {**TEN_PASSES_MODEL, "layers": 3},
        TEN_PASSES_TRAINING,
        NormedLayers,
        base="ten-passes",
    ),
}
"""Ideas by name. ``two-small`` is not trained: it is the mean of ``base`` and ``seed2``."""
