"""A tiny genome model with random weights; it has learned nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from grubio.model.architecture import Architecture
from grubio.model.bundle import Calibration, Site, save_bundle
from grubio.model.labeller import Labeller, bundle_of
from grubio.model.networks.gru import GRU
from grubio.sequences.alphabet import DNA
from grubio.sequences.scheme import custom_scheme
from grubio.sequences.target import Target

SCHEME = custom_scheme("genome", "TMC.", ["tss", "minus 10", "coding", "none"], ".")
SITES = {"T": Site(1, 0.35), "M": Site(6, 0.3)}


def dna(length: int, seed: int) -> str:
    """Return random bases."""
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def save_genome_model(folder: Path) -> None:
    """Write a model for which each class is the most probable one somewhere."""
    torch.manual_seed(3)
    network = GRU(Architecture("gru", 6, 1, 0.0, 8, 7), DNA.channel_table)
    model = Labeller(network, [Target("labels", "classes", SCHEME)]).eval()
    (head,) = model.heads
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(2.0)
        codes = torch.from_numpy(DNA.encode(dna(1000, 9))).unsqueeze(1)
        logits = model(codes, torch.tensor([1000]))["labels"][:, 0]
        head.weight.div_(logits.std(dim=0).unsqueeze(1))
        head.bias.copy_(-(logits - head.bias).mean(dim=0) / logits.std(dim=0))
    training = {
        "dataset_sources": {},
        "settings": {},
        "chains": 1,
        "residues": 1,
        "dataset_sha256": "",
        "valid_score": 0.5,
        "score_scheme": SCHEME.name,
        "valid_chains": 1,
        "best_epoch": 1,
    }
    save_bundle(folder, bundle_of(model, DNA, {"labels": Calibration(0.5)}, SITES), training)
