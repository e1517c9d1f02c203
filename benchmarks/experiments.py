r"""Each idea at the same budget of residues seen, scored on validation chains alone.

Each idea (``benchmarks/ideas.py``) differs from the base in what its entry says. The gain is the
difference of Q3 from the base on the same validation chains, with a 95 % bootstrap interval over
chains. One JSON file for each idea is written to --output, so that an interrupted run goes on;
--page makes ``docs/experiments.md`` from them.

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
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch

from grubio.config import ModelSettings, TrainingSettings
from grubio.config.loading import checked
from grubio.files import write_text_whole
from grubio.model.devices import use_threads
from grubio.sequences.target import LABELS
from grubio.training.examples import TrainingData, load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.lightning_module import Fitting
from ideas import IDEAS

BUDGET = 1_500_000
BASE_MODEL = {
    "hidden_size": 128,
    "layers": 2,
    "dropout": 0.1,
    "stem_channels": 0,
    "accessibility": False,
}
BASE_TRAINING = {"epochs": 1, "learning_rate": 0.003, "batch_residues": 6000}

TRAINED = [name for name in IDEAS if name != "two-small"]


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


def run_idea(name: str, data: TrainingData, output: Path) -> None:
    """Fit one idea and write its counts."""
    idea = IDEAS[name]
    model_settings = checked(ModelSettings, {**BASE_MODEL, **idea.model})
    settings = checked(TrainingSettings, {**BASE_TRAINING, **idea.training})
    size = data.header.scheme.size
    examples = data.train
    if idea.data == "exact":
        examples = [e for e in examples if (e.classes < size).all()]
    if idea.data == "coarse":
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
    fitting = new_fitting(data, model_settings, settings, idea.network)
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


def average_ideas(name: str, members: Sequence[str], data: TrainingData, output: Path) -> None:
    """Write the counts of the mean of finished ideas, if they are there."""
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
                run_idea(name, data, arguments.output)
        average_ideas("two-small", ("base", "seed2"), data, arguments.output)
    if arguments.page:
        from experiments_page import page

        write_text_whole(arguments.page, page(arguments.output, IDEAS, BUDGET))


if __name__ == "__main__":
    main()
