r"""Each idea at the same budget of residues seen, scored on validation chains alone.

Every variant differs from the base in what its entry says. The gain is the difference of Q3 from
the base on the same validation chains, with a 95 % bootstrap interval over chains. One JSON file
for each variant is written to --output, so that an interrupted run goes on; --page makes
``docs/experiments.md`` from them.

    python benchmarks/experiments.py --dataset split.parquet --output benchmarks/experiment_results
    python benchmarks/experiments.py --output benchmarks/experiment_results \
        --page docs/experiments.md
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn

from grubio.config import ModelSettings, TrainingSettings
from grubio.config.loading import checked
from grubio.files import write_text_whole
from grubio.model.devices import use_threads
from grubio.model.networks.gru import GRU, GRULayer
from grubio.model.networks.protocol import Network
from grubio.model.networks.recurrent import reversal_index
from grubio.sequences.target import LABELS
from grubio.training.examples import TrainingData, load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.lightning_module import Fitting

BUDGET = 1_500_000
BASE_MODEL = {
    "hidden_size": 128,
    "layers": 2,
    "dropout": 0.1,
    "stem_channels": 0,
    "accessibility": False,
}
BASE_TRAINING = {"epochs": 1, "learning_rate": 0.003, "batch_residues": 6000}
TEN_PASSES_MODEL = {"stem_channels": 64, "accessibility": True}
TEN_PASSES_TRAINING = {
    "epochs": 10,
    "learning_rate": 0.006,
    "batch_residues": 4000,
    "profile_weight": 0.3,
}


class Attention(GRU):
    """Each residue attends to all others of its chain; what it finds is added to its state."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        width = 2 * architecture.hidden_size
        self.over_states = nn.MultiheadAttention(width, 4)
        self.norm = nn.LayerNorm(width)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        states = super().states(inputs, lengths)
        padding = torch.arange(len(states)).unsqueeze(0) >= lengths.unsqueeze(1)
        normed = self.norm(states)
        found: Tensor = self.over_states(
            normed, normed, normed, key_padding_mask=padding, need_weights=False
        )[0]
        return states + found


class LockedDropout(GRU):
    """The same units are dropped at all residues of a chain (Gal and Ghahramani, 2016)."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        self.dropout = _Locked(architecture.dropout)  # type: ignore[assignment]


class _Locked(nn.Module):
    def __init__(self, share: float) -> None:
        super().__init__()
        self.mask = nn.Dropout(share)

    def forward(self, states: Tensor) -> Tensor:
        kept: Tensor = states * self.mask(torch.ones_like(states[:1]))
        return kept


class _WeightDropped(GRULayer):
    def one_way(self, cell: nn.RNNBase, inputs: Tensor, *, by_hand: bool) -> Tensor:
        weights: dict[str, Tensor] = dict(cell.named_parameters())
        name = "weight_hh_l0"
        weights[name] = nn.functional.dropout(weights[name], 0.2, self.training)
        states: Tensor = torch.func.functional_call(cell, weights, (inputs,))[0]
        return states


class RecurrentDropout(GRU):
    """A fifth of the recurrent weights is dropped in each step (Merity et al., 2018)."""

    layer = _WeightDropped


class MaskedResidues(GRU):
    """In training a tenth of the residues is hidden."""

    def forward(self, codes: Tensor, lengths: Tensor, profiles: Tensor | None = None) -> Tensor:
        if self.training:
            hidden = torch.rand(codes.shape) < 0.1
            codes = codes.masked_fill(hidden, self.stem.pad_code)
        return super().forward(codes, lengths, profiles)


class NormedLayers(GRU):
    """Layer normalisation of the states, and residual connections above the first layer."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        width = 2 * architecture.hidden_size
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.layers)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        states, reversal = inputs, reversal_index(lengths, len(inputs))
        for depth, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            new = self.dropout(norm(layer(states, reversal)))
            states = states + new if depth else new
        return states


@dataclass(frozen=True)
class Variant:
    """One idea: what it is, how it differs from the defaults, and what it is compared with."""

    group: str
    text: str
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    network: type[Network] = GRU
    data: str = "all"
    verdict: str = "dropped"
    base: str = "base"


VARIANTS = {
    "base": Variant(
        "base", "2 layers, width 128, SS8 labels of the PDB chains and SS3 of NSP2", verdict="-"
    ),
    "seed2": Variant("base", "the base with another seed", training={"seed": 2}, verdict="-"),
    "pdb-only": Variant(
        "data",
        "PDB chains alone",
        data="exact",
        verdict="no gain at this budget; NSP2 kept for its other chains",
    ),
    "ss3-only": Variant(
        "targets", "all labels reduced to SS3", data="coarse", verdict="dropped: SS8 is wanted"
    ),
    "accessibility": Variant(
        "targets",
        "accessibility as an additional target, weight 0.3",
        {"accessibility": True},
        verdict="kept",
    ),
    "profile": Variant(
        "targets",
        "the profile as an additional target, weight 0.3",
        training={"profile_weight": 0.3},
        verdict="kept",
    ),
    "profile-1": Variant(
        "targets", "the profile as an additional target, weight 1", training={"profile_weight": 1.0}
    ),
    "targets": Variant(
        "targets",
        "accessibility and profile as additional targets, weight 0.3 each",
        {"accessibility": True},
        {"profile_weight": 0.3},
        verdict="kept",
    ),
    "augment-0.3": Variant(
        "homologs",
        "up to 30 % of residues from the profile",
        {},
        {"homolog_augmentation": 0.3},
        verdict="kept in one of two members",
    ),
    "augment-0.6": Variant(
        "homologs", "up to 60 % of residues from the profile", {}, {"homolog_augmentation": 0.6}
    ),
    "augment-targets": Variant(
        "homologs",
        "up to 60 % from the profile, with accessibility and profile as targets",
        {"accessibility": True},
        {"homolog_augmentation": 0.6, "profile_weight": 0.3},
    ),
    "width-64": Variant("shape", "width 64", {"hidden_size": 64}),
    "width-192": Variant(
        "shape", "width 192", {"hidden_size": 192}, verdict="kept for `protein-ss`"
    ),
    "width-256": Variant("shape", "width 256", {"hidden_size": 256}),
    "two-small": Variant(
        "shape",
        "two networks of width 128 averaged, each at the full budget",
        verdict="kept: two members",
    ),
    "layers-1": Variant("shape", "1 layer", {"layers": 1}),
    "layers-3": Variant("shape", "3 layers", {"layers": 3}),
    "stem": Variant(
        "shape",
        "a convolutional stem: 64 channels over 7 residues",
        {"stem_channels": 64},
        verdict="kept",
    ),
    "attention": Variant("shape", "attention over the GRU's outputs", network=Attention),
    "norm-3": Variant(
        "shape", "3 layers, normalised, with residual connections", {"layers": 3}, {}, NormedLayers
    ),
    "dropout-0": Variant("dropout", "no dropout", {"dropout": 0.0}),
    "dropout-0.3": Variant("dropout", "dropout 0.3 after each layer", {"dropout": 0.3}),
    "locked": Variant("dropout", "the same units dropped along a chain", network=LockedDropout),
    "recurrent": Variant(
        "dropout", "a fifth of the recurrent weights dropped", network=RecurrentDropout
    ),
    "masked": Variant("dropout", "a tenth of the residues hidden", network=MaskedResidues),
    "batch-3000": Variant(
        "schedule",
        "batches of 3,000 residues",
        {},
        {"batch_residues": 3000},
        verdict="kept, as 4,000",
    ),
    "batch-12000": Variant("schedule", "batches of 12,000 residues", {}, {"batch_residues": 12000}),
    "rate-0.0015": Variant("schedule", "peak learning rate 0.0015", {}, {"learning_rate": 0.0015}),
    "rate-0.006": Variant(
        "schedule", "peak learning rate 0.006", {}, {"learning_rate": 0.006}, verdict="kept"
    ),
    "average": Variant(
        "schedule", "moving average of the weights, decay 0.99", {}, {"weight_averaging": 0.99}
    ),
    "stem-rate": Variant(
        "together",
        "stem, peak rate 0.006",
        {"stem_channels": 64},
        {"learning_rate": 0.006},
        verdict="kept",
    ),
    "stem-rate-targets": Variant(
        "together",
        "stem, peak rate 0.006, accessibility and profile as targets",
        {"stem_channels": 64, "accessibility": True},
        {"learning_rate": 0.006, "profile_weight": 0.3},
        verdict="kept",
    ),
    "stem-rate-targets-norm": Variant(
        "together",
        "the same with normalised, residual layers",
        {"stem_channels": 64, "accessibility": True},
        {"learning_rate": 0.006, "profile_weight": 0.3},
        NormedLayers,
    ),
    "stem-rate-batch": Variant(
        "together",
        "stem, peak rate 0.006, batches of 3,000 residues",
        {"stem_channels": 64},
        {"learning_rate": 0.006, "batch_residues": 3000},
        verdict="kept, with 4,000",
    ),
    "ten-passes": Variant(
        "ten passes",
        "2 layers, width 128, stem, accessibility and profile as targets",
        TEN_PASSES_MODEL,
        TEN_PASSES_TRAINING,
        verdict="-",
        base="ten-passes",
    ),
    "ten-passes-attention": Variant(
        "ten passes",
        "attention over the GRU's outputs",
        TEN_PASSES_MODEL,
        TEN_PASSES_TRAINING,
        Attention,
        base="ten-passes",
    ),
    "ten-passes-norm-3": Variant(
        "ten passes",
        "3 layers, normalised, with residual connections",
        {**TEN_PASSES_MODEL, "layers": 3},
        TEN_PASSES_TRAINING,
        NormedLayers,
        base="ten-passes",
    ),
}
"""Ideas by name. ``two-small`` is not trained: it is the mean of ``base`` and ``seed2``."""


TRAINED = [name for name in VARIANTS if name != "two-small"]


def probabilities_of(fitting: Fitting, data: TrainingData) -> list[np.ndarray]:
    """Return the SS8 probabilities ``(residue, class)`` of each validation chain."""
    model = fitting.fitted.eval()
    answers = []
    with torch.inference_mode():
        for example in data.valid:
            codes = torch.from_numpy(example.codes).unsqueeze(1)
            scores = model(codes, torch.tensor([len(example)]))[LABELS]
            answers.append(scores[:, 0].softmax(dim=1).numpy())
    return answers


def counts_of(probabilities: list[np.ndarray], data: TrainingData) -> np.ndarray:
    """Return residues right in Q3, in Q8, and residues counted: ``(chain, 3)``."""
    scheme = data.header.scheme
    reduction = scheme.reduction_matrix(scheme.headline)
    rows = []
    for answer, example in zip(probabilities, data.valid, strict=True):
        seen = example.classes
        counted = (seen >= 0) & (seen < scheme.size)
        fine = answer.argmax(axis=1) == seen
        coarse = (answer @ reduction).argmax(axis=1) == reduction.argmax(axis=1)[
            np.where(counted, seen, 0)
        ]
        rows.append([(coarse & counted).sum(), (fine & counted).sum(), counted.sum()])
    return np.array(rows)


def run_variant(name: str, data: TrainingData, output: Path) -> None:
    """Fit one variant and write its counts."""
    variant = VARIANTS[name]
    model_settings = checked(ModelSettings, {**BASE_MODEL, **variant.model})
    settings = checked(TrainingSettings, {**BASE_TRAINING, **variant.training})
    size = data.header.scheme.size
    examples = data.train
    if variant.data == "exact":
        examples = [e for e in examples if (e.classes < size).all()]
    if variant.data == "coarse":
        scheme = data.header.scheme
        table = np.concatenate(
            (scheme.reduction_matrix(scheme.headline).argmax(axis=1), np.arange(3))
        )
        examples = [
            replace(
                e,
                classes=np.where(e.classes >= 0, size + table[np.maximum(e.classes, 0)], e.classes),
            )
            for e in examples
        ]
    order = np.random.default_rng(7).permutation(len(examples))
    passes = np.cumsum([len(examples[i]) for i in order])
    chosen = [examples[i] for i in order[: int(np.searchsorted(passes, BUDGET)) + 1]]
    data = replace(data, train=chosen)
    fitting = new_fitting(data, model_settings, settings, variant.network)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        lightning.Trainer(
            accelerator="cpu",
            max_epochs=settings.epochs,
            gradient_clip_val=settings.gradient_clip,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            logger=False,
            default_root_dir=folder,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(fitting)
    seconds = time.monotonic() - started
    probabilities = probabilities_of(fitting, data)
    np.savez_compressed(output / f"{name}.npz", *[p.astype(np.float16) for p in probabilities])
    result = {
        "residues": fitting.residues_seen,
        "parameters": sum(p.numel() for p in fitting.model.parameters()),
        "residues_per_second": fitting.residues_seen / seconds,
        "counts": counts_of(probabilities, data).tolist(),
    }
    (output / f"{name}.json").write_text(json.dumps(result))
    q3 = counts_of(probabilities, data).sum(axis=0)
    print(f"{name}: Q3 {q3[0] / q3[2]:.4f} Q8 {q3[1] / q3[2]:.4f}  {seconds:.0f} s", flush=True)


def average_variants(name: str, members: Sequence[str], data: TrainingData, output: Path) -> None:
    """Write the counts of the mean of finished variants, if they are there."""
    if not all((output / f"{member}.npz").exists() for member in members):
        return
    together: list[list[np.ndarray]] = []
    parameters = 0
    for member in members:
        with np.load(output / f"{member}.npz") as archive:
            together.append(
                [archive[f"arr_{i}"].astype(np.float32) for i in range(len(data.valid))]
            )
        parameters += json.loads((output / f"{member}.json").read_text())["parameters"]
    means = [
        np.exp(np.mean([np.log(np.maximum(one, 1e-6)) for one in answers], axis=0))
        for answers in zip(*together, strict=True)
    ]
    result = {
        "residues": 0,
        "parameters": parameters,
        "residues_per_second": 0,
        "counts": counts_of(means, data).tolist(),
    }
    (output / f"{name}.json").write_text(json.dumps(result))


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=TRAINED, default=TRAINED)
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.dataset:
        use_threads(1)
        model_settings = checked(ModelSettings, {"accessibility": True})
        settings = checked(TrainingSettings, {"profile_weight": 0.3})
        data = load_training_data(arguments.dataset, model_settings, settings)
        for name in arguments.only:
            if not (arguments.output / f"{name}.json").exists():
                run_variant(name, data, arguments.output)
        average_variants("two-small", ("base", "seed2"), data, arguments.output)
    if arguments.page:
        from experiments_page import page

        write_text_whole(arguments.page, page(arguments.output, VARIANTS, BUDGET))


if __name__ == "__main__":
    main()
