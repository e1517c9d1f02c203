"""Residues learned from per second: grubio in bfloat16, in float32, and the usual way, in one run.

The network is that of the default settings with the width of ``protein-ss`` and with twice that,
and the chains are those of the demonstration data. One step is batching, forward, loss, backward,
clipping and AdamW; ``32`` is the path of the versions before there was bfloat16. The usual way is a
bidirectional ``torch.nn.GRU`` on ``pack_padded_sequence``, over batches of the same budget in
random order, as tutorials do, and over batches of like length. All ways take turns. With one thread
the seconds are those of the processor, so that other programs disturb less. Writes
benchmarks/training_speed.json.

    python benchmarks/training_speed.py
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

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
from grubio.model.labeller import Labeller, new_labeller
from grubio.readers.table import read_table
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS3
from grubio.sequences.target import Target
from grubio.study.matrix_rates import LARGE, MatrixRate, matrix_rates, median_rates, shares

WIDTHS = (192, 384)
PACKED = "pack_padded_sequence"
PARTS = ("batching", "forward and loss", "backward", "clipping", "AdamW")
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
        states = self.get_buffer("table")[codes.long()]
        local = self.stem(states.permute(1, 2, 0)).relu().permute(2, 0, 1)
        packed = pack_padded_sequence(
            torch.cat((states, local), dim=2), lengths, enforce_sorted=False
        )
        unpacked, _ = pad_packed_sequence(self.gru(packed)[0])
        logits: Tensor = self.head(self.dropout(unpacked))
        return logits


class Grubio:
    """A labeller in one precision, with the parts of a step timed."""

    def __init__(self, width: int, precision: str) -> None:
        shape = ModelSettings(hidden_size=width)
        architecture = Architecture(**shape.model_dump(exclude={"targets"}))
        torch.manual_seed(0)
        model = new_labeller(
            architecture, [Target("labels", "classes", SS3)], PROTEIN.channel_table
        )
        self.model = cast("Labeller", model)
        self.mixed = precision == "bf16"

    def __call__(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return logits ``(time, batch, class)``."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.mixed):
            states = self.model.network(codes, lengths)
        return self.model.outputs(states.float())["labels"]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    settings = TrainingSettings()
    examples = [
        example
        for record in read_table(embedded_path("pdb-demo"))
        for example in labelled_examples(record, PROTEIN, SS3, settings.max_length)
    ]
    lengths = [len(example) for example in examples]
    sorted_plan = shuffled_batches(lengths, settings.batch_residues, seed=1, epoch=0)
    order = np.random.default_rng(1).permutation(len(examples)).tolist()
    number = round(settings.batch_residues / statistics.mean(lengths))
    random_plan = [order[i : i + number] for i in range(0, len(order), number)]
    ours = {(w, p): Grubio(w, p) for w in WIDTHS for p in ("bf16", "32")}
    theirs = PackedByTorch(ours[WIDTHS[0], "32"].model.network.architecture)

    def steps(
        model: nn.Module,
        logits: Callable[[Tensor, Tensor], Tensor],
        plan: list[list[int]],
        *,
        fused: bool,
    ) -> tuple[float, dict[str, float]]:
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=fused)
        residues, parts = 0, dict.fromkeys(PARTS, 0.0)
        started = last = clock()

        def done(part: str) -> None:
            nonlocal last
            now = clock()
            parts[part] += now - last
            last = now

        for indices in plan[: arguments.steps]:
            batch: Batch = padded([examples[index] for index in indices], PROTEIN.pad_code)
            codes, sizes, classes = map(
                torch.from_numpy, (batch.codes, batch.lengths, batch.classes)
            )
            done("batching")
            found = logits(codes, sizes)
            loss = cross_entropy(found.flatten(0, 1), classes.flatten(), ignore_index=IGNORED)
            done("forward and loss")
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            done("backward")
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            done("clipping")
            optimiser.step()
            done("AdamW")
            residues += int(batch.lengths.sum())
        taken = clock() - started
        return residues / taken, {part: seconds / taken for part, seconds in parts.items()}

    rates: dict[int, dict[str, list[float]]] = {width: {} for width in WIDTHS}
    spent: dict[str, list[dict[str, float]]] = {"bf16": [], "32": []}
    products: list[list[MatrixRate]] = []
    for turn in range(arguments.repeats + 1):
        products.append(matrix_rates([LARGE], arguments.threads, 0.5, clock))
        for (width, precision), way in ours.items():
            rate, parts = steps(way.model, way, sorted_plan, fused=way.mixed)
            if turn:
                rates[width].setdefault(f"grubio, {precision}", []).append(rate)
                if width == WIDTHS[0]:
                    spent[precision].append(parts)
        for name, plan in (("random", random_plan), ("like length", sorted_plan)):
            rate, _ = steps(theirs, theirs, plan, fused=False)
            if turn:
                rates[WIDTHS[0]].setdefault(f"{PACKED}, batches {name}", []).append(rate)
    limits = median_rates(products)
    result = {
        "threads": arguments.threads,
        "batch_residues": settings.batch_residues,
        "steps": arguments.steps,
        "repeats": arguments.repeats,
        "matrix_rates": [rate._asdict() for rate in limits],
        "widths": {
            width: of_width(
                {name: statistics.median(values) for name, values in rates[width].items()},
                sum(p.numel() for p in ours[width, "32"].model.parameters()),
                limits,
            )
            for width in WIDTHS
        },
        "shares_of_a_step": {
            precision: {part: statistics.median(run[part] for run in runs) for part in PARTS}
            for precision, runs in spent.items()
        },
        "padding": {
            "batches of like length": padding_waste(sorted_plan, lengths),
            "random batches": padding_waste(random_plan, lengths),
        },
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def of_width(
    rates: Mapping[str, float], parameters: int, limits: Sequence[MatrixRate]
) -> dict[str, Any]:
    """Return what was found for one width."""
    first = "grubio, bf16"
    return {
        "parameters": parameters,
        "residues_per_second": rates,
        "bf16_over": {name: rates[first] / rate for name, rate in rates.items() if name != first},
        # Two operations for each weight forwards and four backwards.
        "share_of_matrix_rate": {
            name: shares(rate * 6 * parameters, limits)
            for name, rate in rates.items()
            if name.startswith("grubio")
        },
    }


if __name__ == "__main__":
    main()
