"""The study of cells compares networks of one size."""

from __future__ import annotations

import torch

from conftest import REPOSITORY
from grubio.config.loading import load_config
from grubio.model.architecture import Architecture
from grubio.model.labeller import new_labeller
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.sequences.target import Target


def test_the_networks_have_the_same_number_of_parameters() -> None:
    study = load_config(REPOSITORY / "config/cells.yaml")
    sizes = {}
    for name, run in study.runs.items():
        fields = {key: value for key, value in run.model if key in Architecture.__annotations__}
        with torch.device("meta"):
            model = new_labeller(
                Architecture(**fields), [Target("labels", "classes", SS8)], PROTEIN.channel_table
            )
        parameters = sum(weights.numel() for weights in model.parameters())
        sizes[name.partition(".")[0]] = parameters
    assert len(study.runs) == 5 * len(sizes) == 30
    assert max(sizes.values()) <= 1.02 * min(sizes.values())
    seeds = {name: run.training.seed for name, run in study.runs.items()}
    assert all(name.endswith(f"seed-{seed}") for name, seed in seeds.items())
    settings = [run.training.model_dump() | {"seed": 0} for run in study.runs.values()]
    assert all(one == settings[0] for one in settings)
