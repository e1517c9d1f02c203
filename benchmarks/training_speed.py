"""Residues learned from per second, against the usual way to train such a network, in one run.

The network is that of the default settings with the width of ``protein-ss``, and the chains are
those of the demonstration data. One step is forward, loss, backward, clipping and AdamW. The other
way is a bidirectional ``torch.nn.GRU`` on ``pack_padded_sequence``, over batches of the same
budget in random order, as tutorials do, and over batches of like length. Writes
benchmarks/training_speed.json.

    python benchmarks/training_speed.py
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from grubio.config import ModelSettings, TrainingSettings
from grubio.fetching.embedded import embedded_path
from grubio.model.architecture import Architecture
from grubio.model.batching import (
    IGNORED,
    Batch,
    labelled_examples,
    padded,
    padding_waste,
    shuffled_batches,
)
from grubio.model.devices import use_threads
from grubio.model.labeller import new_labeller
from grubio.readers.table import read_table
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS3
from grubio.sequences.target import Target
from grubio.study.matrix_rates import LARGE, MatrixRate, matrix_rates, median_rates, shares

WIDTH = 192
RESULTS = Path(__file__).with_name("training_speed.json")


class PackedByTorch(nn.Module):
    """The same network as most programs write it."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.register_buffer("table", torch.from_numpy(PROTEIN.channel_table))
        self.stem = nn.Conv1d(
            PROTEIN.channels,
            architecture.stem_channels,
            architecture.stem_width,
            padding="same",
        )
        self.gru = nn.GRU(
            PROTEIN.channels + architecture.stem_channels,
            architecture.hidden_size,
            num_layers=architecture.layers,
            bidirectional=True,
            dropout=architecture.dropout,
        )
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(2 * architecture.hidden_size, SS3.size)

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return logits ``(time, batch, class)``."""
        states = self.table[codes.long()]
        local = self.stem(states.permute(1, 2, 0)).relu().permute(2, 0, 1)
        packed = pack_padded_sequence(
            torch.cat((states, local), dim=2), lengths, enforce_sorted=False
        )
        unpacked, _ = pad_packed_sequence(self.gru(packed)[0])
        return self.head(self.dropout(unpacked))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    torch.manual_seed(0)
    settings = TrainingSettings()
    shape = ModelSettings(hidden_size=WIDTH)
    architecture = Architecture(**shape.model_dump(exclude={"targets"}))
    scheme = SS3
    examples = [
        example
        for record in read_table(embedded_path("pdb-demo"))
        for example in labelled_examples(record, PROTEIN, scheme, settings.max_length)
    ]
    lengths = [len(example) for example in examples]
    sorted_plan = shuffled_batches(lengths, settings.batch_residues, seed=1, epoch=0)
    order = np.random.default_rng(1).permutation(len(examples)).tolist()
    number = round(settings.batch_residues / statistics.mean(lengths))
    random_plan = [order[i : i + number] for i in range(0, len(order), number)]
    targets = [Target("labels", "classes", scheme)]
    ours = new_labeller(architecture, targets, PROTEIN.channel_table)
    theirs = PackedByTorch(architecture)
    parameters = sum(p.numel() for p in ours.parameters())

    def steps(
        model: nn.Module, logits: Callable[[Tensor, Tensor], Tensor], plan: list[list[int]]
    ) -> tuple[float, float, float]:
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
        residues, batching = 0, 0.0
        started = time.perf_counter()
        for indices in plan[: arguments.steps]:
            asked = time.perf_counter()
            batch: Batch = padded([examples[index] for index in indices], PROTEIN.pad_code)
            batching += time.perf_counter() - asked
            loss = cross_entropy(
                logits(torch.from_numpy(batch.codes), torch.from_numpy(batch.lengths)).flatten(
                    0, 1
                ),
                torch.from_numpy(batch.classes).flatten(),
                ignore_index=IGNORED,
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            residues += int(batch.lengths.sum())
        taken = time.perf_counter() - started
        return residues / taken, batching / taken, loss.item()

    ways = {
        "grubio": (ours, lambda codes, sizes: ours(codes, sizes)["labels"], sorted_plan),
        "pack_padded_sequence, random batches": (theirs, theirs, random_plan),
        "pack_padded_sequence, batches of like length": (theirs, theirs, sorted_plan),
    }
    rates: dict[str, list[float]] = {}
    batching_shares: list[float] = []
    products: list[list[MatrixRate]] = []
    for turn in range(arguments.repeats + 1):
        products.append(matrix_rates([LARGE], arguments.threads, seconds=0.5))
        for name, way in ways.items():
            rate, share, _ = steps(*way)
            if turn:
                rates.setdefault(name, []).append(rate)
                if name == "grubio":
                    batching_shares.append(share)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    limits = median_rates(products)
    result = {
        "threads": arguments.threads,
        "parameters": parameters,
        "batch_residues": settings.batch_residues,
        "steps": arguments.steps,
        "matrix_rates": [rate._asdict() for rate in limits],
        "residues_per_second": medians,
        "grubio_over": {
            name: medians["grubio"] / value for name, value in medians.items() if name != "grubio"
        },
        # Two operations for each weight forwards and four backwards.
        "share_of_matrix_rate": shares(medians["grubio"] * 6 * parameters, limits),
        "share_of_time_in_batching": statistics.median(batching_shares),
        "padding": {
            "batches of like length": padding_waste(sorted_plan, lengths),
            "random batches": padding_waste(random_plan, lengths),
        },
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
