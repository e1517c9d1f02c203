"""Train a network of one sequence for a given time, on one sequence of each family in a pass.

python scripts/train_on_gpu.py split.parquet pseudo.parquet --homologs homologs.parquet \
    --output families-1 --seconds 645 --hidden-size 256 --layers 3 --seed 1

A family is a training record and its homologs (``scripts/homologs.py``). All data lie on the device
as one array of residues, and the learning rate follows the clock, so that a loan of a GPU is used
to its end. A small network leaves most of a large GPU idle: start several runs at once, under
NVIDIA's Multi-Process Service (``nvidia-cuda-mps-control -d``), which cost each other nothing.

Long sequences are cut, and homologs have no true ends, so that what comes out is a model to go on
from: ``grubio train DATASET --from families-1`` lets it see whole chains.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from grubio.config import TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records
from grubio.errors import GrubioError
from grubio.files import sha256_of_file
from grubio.model.architecture import Architecture
from grubio.model.batching import IGNORED, Example, labelled_examples
from grubio.model.bundle import Bundle, Calibration, save_bundle
from grubio.model.heads import Head
from grubio.model.labeller import Labeller, bundle_of, new_labeller
from grubio.model.networks.recurrent import BidirectionalLayer, Recurrent
from grubio.model.training_input import training_input
from grubio.model.training_sketch import sketch_of
from grubio.sequences.target import LABELS, Target
from grubio.training.losses import label_loss, target_loss
from grubio.training.validation_answers import (
    calibrated_targets,
    validation_answers,
    validation_predictions,
)
from grubio.training.validation_score import validation_score

_WARMUP, _LAST_RATE = 0.05, 0.005
_TARGET_WEIGHTS = {"accessibility": 0.3, "profile": 0.3}


class PackedNetwork(nn.Module):
    """A labeller of GRUs whose layers read both directions of packed sequences in one call.

    That is what CUDA's library is fastest at; the weights are those of the labeller.
    """

    def __init__(self, labeller: Labeller, further: Sequence[Target], dropout: float) -> None:
        super().__init__()
        self.labeller = labeller
        network = cast("Recurrent", labeller.network)
        self.stem, self.dropout = network.stem, nn.Dropout(dropout)
        self.further = nn.ModuleDict({t.name: Head(network.features, t) for t in further})
        self.layers = nn.ModuleList(
            _both_ways(cast("BidirectionalLayer", x)) for x in network.layers
        )

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return states of packed residues ``(residue, 2 * hidden)``.

        Codes are ``(time, batch)``, with the longest sequences first; lengths are on the CPU.
        """
        states = pack_padded_sequence(self.stem(codes), lengths)
        for layer in self.layers:
            found = layer(states)[0].data
            states = PackedSequence(self.dropout(found), states.batch_sizes)
        return states.data

    def trained(self) -> Labeller:
        """Return the labeller with the weights of the layers."""
        network = cast("Recurrent", self.labeller.network)
        for layer, own in zip(network.layers, self.layers, strict=True):
            both = cast("BidirectionalLayer", layer)
            for name, weight in own.state_dict().items():
                cell = both.backwards if name.endswith("_reverse") else both.forwards
                cell.load_state_dict({name.removesuffix("_reverse"): weight}, strict=False)
        return self.labeller.cpu().eval()


def _both_ways(layer: BidirectionalLayer) -> nn.GRU:
    made = nn.GRU(layer.forwards.input_size, layer.forwards.hidden_size, bidirectional=True)
    weights = dict(layer.forwards.state_dict())
    weights |= {f"{name}_reverse": w for name, w in layer.backwards.state_dict().items()}
    made.load_state_dict(weights)
    return made


@dataclass
class Residues:
    """The residues of examples one after another, on a device.

    Attributes
    ----------
    codes, classes
        Residue codes and class indices ``(residue,)``; see :class:`Example`.
    answers
        Answers by target, soft labels among them; zeros or NaN where an example has none.
    starts, lengths
        Of each example.
    """

    codes: Tensor
    classes: Tensor
    answers: dict[str, Tensor]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, examples: Sequence[Example], device: torch.device) -> Residues:
        """Return the residues of examples."""
        lengths = np.array([len(example) for example in examples])
        names = sorted({name for example in examples for name in example.answers})

        def joined(parts: Iterator[npt.NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.concatenate(list(parts))).to(device)

        answers = {}
        for name in names:
            like = next(e.answers[name] for e in examples if name in e.answers)
            nothing = np.nan if like.dtype == np.float32 else 0
            answers[name] = joined(
                e.answers.get(name, np.full((len(e), *like.shape[1:]), nothing, like.dtype))
                for e in examples
            )
        return cls(
            joined(e.codes for e in examples),
            joined(e.classes for e in examples),
            answers,
            np.cumsum(lengths) - lengths,
            lengths,
        )

    def places(
        self, chosen: npt.NDArray[np.int64], longest: int, generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the places of a batch's residues ``(time, batch)`` and its sorted lengths.

        Of a sequence that is too long, a random part is taken.
        """
        sizes = np.minimum(self.lengths[chosen], longest)
        starts = self.starts[chosen]
        starts = starts + generator.integers(0, self.lengths[chosen] - sizes + 1)
        order = np.argsort(-sizes, kind="stable")
        time_ = np.arange(sizes.max())[:, None]
        places = np.where(time_ < sizes[order], starts[order] + time_, -1)
        return torch.from_numpy(places), torch.from_numpy(sizes[order])


def families(
    groups: Sequence[str | None], known: npt.NDArray[np.bool_], times: int
) -> list[npt.NDArray[np.int64]]:
    """Return the examples of each family, its record first; those with known labels repeatedly.

    Examples
    --------
    >>> [f.tolist() for f in families(["a", "b", "a"], np.array([True, False, True]), 2)]
    [[0, 2], [0, 2], [1]]
    """
    members: dict[str | None, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    return [np.array(own) for own in members.values() for _ in range(times if known[own[0]] else 1)]


def batches(
    grouped: Sequence[npt.NDArray[np.int64]],
    lengths: npt.NDArray[np.int64],
    arguments: argparse.Namespace,
    generator: np.random.Generator,
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield batches for ever: in a pass, one sequence of each family, its record by ``--own``."""
    while True:
        own = generator.random(len(grouped)) < arguments.own
        chosen = np.array(
            [f[0] if first else generator.choice(f) for f, first in zip(grouped, own, strict=True)]
        )
        sizes = np.minimum(lengths[chosen], arguments.max_length)
        order = np.argsort(sizes * generator.uniform(0.93, 1.07, len(sizes)))
        found, batch, longest = [], list[int](), 0
        for number in order.tolist():
            longest = max(longest, int(sizes[number]))
            if batch and longest * (len(batch) + 1) > arguments.batch_residues:
                found.append(chosen[batch])
                batch, longest = [], int(sizes[number])
            batch.append(number)
        found.append(chosen[batch])
        for at in generator.permutation(len(found)):
            yield found[at]


def fit(
    network: PackedNetwork,
    residues: Residues,
    drawn: Iterator[npt.NDArray[np.int64]],
    targets: Sequence[Target],
    arguments: argparse.Namespace,
) -> tuple[int, int]:
    """Train until the time is over; return the numbers of steps and of residues seen."""
    device = residues.codes.device
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.learning_rate)
    generator = np.random.default_rng((arguments.seed, 1))
    pad = network.stem.pad_code
    began, steps, seen = time.monotonic(), 0, 0
    while (spent := (time.monotonic() - began) / arguments.seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = arguments.learning_rate * rate_at(spent)
        places, lengths = residues.places(next(drawn), arguments.max_length, generator)
        at = pack_padded_sequence(places, lengths).data.to(device)
        places = places.to(device)
        codes = torch.where(places < 0, pad, residues.codes[places.clamp_min(0)].long())
        with torch.autocast(device.type, torch.bfloat16):
            states = network(codes, lengths)
        loss = loss_of(network, states.float(), residues, at, targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        steps, seen = steps + 1, seen + int(lengths.sum())
        if steps % 500 == 0:
            print(f"{spent:.0%}, {steps:,} steps, loss {loss.item():.3f}", flush=True)
    return steps, seen


def rate_at(spent: float) -> float:
    """Return the learning rate after a share of the time, as a share of its peak."""
    if spent < _WARMUP:
        return spent / _WARMUP
    cosine = 0.5 + 0.5 * math.cos(math.pi * (spent - _WARMUP) / (1 - _WARMUP))
    return _LAST_RATE + (1 - _LAST_RATE) * cosine


def loss_of(
    network: PackedNetwork,
    states: Tensor,
    residues: Residues,
    at: Tensor,
    targets: Sequence[Target],
) -> Tensor:
    """Return the loss of all targets for states ``(residue, feature)`` of the residues ``at``."""
    outputs = network.labeller.outputs(states[:, None])
    main = network.labeller.targets[0]
    assert main.scheme is not None
    soft = residues.answers.get(LABELS)
    soft = None if soft is None else soft[at][:, None]
    loss = label_loss(outputs[main.name], residues.classes[at][:, None], main.scheme, soft=soft)
    for target in targets:
        own = outputs.get(target.name)
        own = network.further[target.name](states[:, None]) if own is None else own
        loss = loss + target.weight * target_loss(
            target, own, residues.answers[target.name][at][:, None]
        )
    return loss


def main() -> None:
    """Train, and write the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", type=Path, nargs="+", help="the first one has the split")
    parser.add_argument("--homologs", type=Path, help="dataset of homologs, by group")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--batch-residues", type=int, default=24_576)
    parser.add_argument("--max-length", type=int, default=300, help="of what is seen at once")
    parser.add_argument("--own", type=float, default=0.4, help="share of records, not homologs")
    parser.add_argument("--known", type=int, default=2, help="draws of a known chain in a pass")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    try:
        train(arguments)
    except GrubioError as error:
        parser.exit(2, f"error: {error}\n")


def train(arguments: argparse.Namespace) -> None:
    """Train a network on datasets and their homologs, and write it as a model.

    Raises
    ------
    GrubioError
        If a dataset is at fault, or the model cannot be written.
    """
    header = read_header(arguments.datasets[0])
    further = [replace(t, weight=_TARGET_WEIGHTS.get(t.name, 1.0)) for t in header.additional]
    examples, groups = examples_of(arguments, header, further)
    torch.manual_seed(arguments.seed)
    network = Architecture("gru", arguments.hidden_size, arguments.layers, arguments.dropout, 64, 7)
    targets = [header.main, *(t for t in further if t.shipped)]
    labeller = new_labeller(network, targets, header.alphabet.channel_table)
    assert isinstance(labeller, Labeller)
    hidden = [t for t in further if not t.shipped]
    device = torch.device(arguments.device)
    packed = PackedNetwork(labeller, hidden, arguments.dropout).to(device).train()
    known = np.array(
        [bool((e.classes != IGNORED).any()) and LABELS not in e.answers for e in examples]
    )
    residues = Residues.of(examples, device)
    generator = np.random.default_rng((arguments.seed, 0))
    drawn = batches(
        families(groups, known, arguments.known), residues.lengths, arguments, generator
    )
    steps, seen = fit(packed, residues, drawn, further, arguments)
    print(f"{steps:,} steps, {seen:,} residues", flush=True)
    save(arguments, header, packed.trained(), examples, seen)


def examples_of(
    arguments: argparse.Namespace, header: DatasetHeader, targets: Sequence[Target]
) -> tuple[list[Example], list[str | None]]:
    """Return the training examples, and the family of each, homologs after the records."""
    examples, groups = list[Example](), list[str | None]()
    for path in (*arguments.datasets, *filter(None, [arguments.homologs])):
        for record in read_records(path, "train", targets=True):
            own = record.group if path == arguments.homologs else record.id
            for example in labelled_examples(record, header.alphabet, header.scheme, None, targets):
                examples.append(example)
                groups.append(own)
    return examples, groups


def save(
    arguments: argparse.Namespace,
    header: DatasetHeader,
    labeller: Labeller,
    examples: Sequence[Example],
    seen: int,
) -> None:
    """Write the model, calibrated on the validation records, and what it was trained on."""
    settings = TrainingSettings(
        batch_residues=arguments.batch_residues,
        learning_rate=arguments.learning_rate,
        max_length=arguments.max_length,
        warmup_fraction=_WARMUP,
        target_weights=_TARGET_WEIGHTS,
        precision="bf16",
        weight_precision="16",
        seed=arguments.seed,
    )
    paths = (*arguments.datasets, *filter(None, [arguments.homologs]))
    total = sum(map(len, examples))
    bundle = bundle_of(labeller, header.alphabet).stored_in("16")
    score, calibrations, facts = validated(bundle, arguments.datasets[0])
    training = {
        **facts,
        **score,
        "settings": settings.model_dump(),
        "dataset_sha256": sha256_of_file(arguments.datasets[0]),
        "dataset_sources": {path.name: sha256_of_file(path) for path in paths},
        "input": training_input((e.codes for e in examples), header.alphabet, settings.max_length),
        "chains": len(examples),
        "residues": total,
        "best_epoch": round(seen / total, 2),
        "epochs_run": round(seen / total, 2),
        "seconds": arguments.seconds,
        "device": arguments.device,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    letters = np.array(list(header.alphabet.codes))
    texts = ("".join(letters[example.codes]) for example in examples)
    sketch = sketch_of(arguments.output.name, texts, header.alphabet)
    save_bundle(arguments.output, replace(bundle, calibrations=calibrations), training, [sketch])


def validated(
    bundle: Bundle, dataset: Path
) -> tuple[dict[str, Any], Mapping[str, Calibration], Mapping[str, Any]]:
    """Return the validation score, calibrations, and the calibration error that remains."""
    records = list(read_records(dataset, "valid", targets=True))
    answers = validation_answers(bundle, validation_predictions(bundle, records, 1))
    calibrations, remaining = calibrated_targets(bundle, answers, offsets=False)
    main = bundle.targets[0]
    score = validation_score(main, "accuracy", ())
    found, observed = answers[main.name]
    score.add(torch.from_numpy(np.exp(found)), torch.from_numpy(observed))
    told = {
        "valid_score": float(score.value(torch.device("cpu"))),
        "valid_chains": len(records),
        "score": "accuracy",
        "score_scheme": bundle.scheme.headline.name,
        "score_target": main.name,
    }
    return told, calibrations, remaining


if __name__ == "__main__":
    main()
