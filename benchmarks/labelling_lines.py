"""The part of docs/performance.md about labelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matrix_limits import LIMITS, named_limits, shares_of


def labelling_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines about rates, by threads."""
    first = runs[0]
    lines = [
        "## Labelling",
        "",
        "`python benchmarks/throughput.py`: "
        f"{first['chains']:,} chains of the demonstration data, {first['residues']:,} residues. "
        "Two operations for each weight and residue are given as shares of three limits, all "
        "measured in the same run with the same threads: the fastest matrix product of any "
        "library here in float32 and in bfloat16, and PyTorch's own in float32. Padding does not "
        "count as work. `grubio doctor` prints the limits of your machine.",
    ]
    for run in runs:
        rates, shares = run["residues_per_second"], run["share_of_matrix_rate"]
        count = {1: "One thread", 2: "Two threads"}.get(run["threads"], f"{run['threads']} threads")
        lines += [
            "",
            f"{count}; {named_limits(run['matrix_rates'])}:",
            "",
            f"| way | residues per second | {' | '.join(LIMITS)} | the predictor is faster by |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, rate in rates.items():
            share = shares_of(shares.get(name, {}))
            ratio = f"{run['predictor_over'][name]:.3g}" if name in run["predictor_over"] else ""
            lines.append(f"| {name} | {rate:,.0f} | {share} | {ratio} |")
    return [
        *lines,
        "",
        "The ways are described at the top of the script. The predictor is "
        "`grubio/model/engines/packed_gru.py`, in numpy: rows without padding, one product per "
        "step for both directions of all sequences of a batch, gates in place. On a processor "
        "where PyTorch's float32 product is as fast as numpy's, an AMD EPYC of family 25 for one, "
        "it is as fast as the former engine in PyTorch (commit 6e37c33) on batches, and 2.8 times "
        "as fast one by one, measured in turns. Several threads compute several batches; of one "
        "sequence there is one batch, so a second thread does not help it. One thread had a core to "
        "itself; beside two threads two trainings ran, which slowed every way. Dynamic int8 "
        f"changed the label of {100 * first['labels_changed_by_int8']:.1f} % of residues; padded "
        f"batches were {100 * first['padding_of_padded_batches']:.0f} % padding. A second engine, "
        "such as ONNX Runtime, would give a second set of rounded answers, so there is one.",
        "",
        "A step of one sequence has two rows, the states of its two directions. Both are multiplied "
        "by the weights of both, and half of that is not used: numpy multiplies a row alone in "
        "another order, and an answer would depend on the batch.",
        "",
        "An answer is the same to the last bit whatever its neighbours, its batch, its order, its "
        "shard and the number of threads, on one machine. How numpy's library sums is tried when a "
        "model is loaded (`grubio/model/engines/product_shape.py`): with AVX-512 any shape is "
        "exact; with AVX2 alone, rows in multiples of 12 and sixteen columns to spare are, which "
        "costs some 8 %. `OPENBLAS_CORETYPE=Haswell` in the environment forces the kernels for AVX2 on "
        "any processor: with it, labelling reaches three quarters of its rate here, so unset it; `grubio "
        "doctor` names such variables.",
        "",
        "Labelling with products in bfloat16 is not offered. Rounding their factors changes 0.02 % "
        "of the labels of `protein-ss` and 0.08 % of those of `protein-ss-fast` (100 chains, 19,896 "
        "residues); but a step of 192 sequences takes 394 µs for each direction with PyTorch's "
        "bfloat16 product against 528 µs now, and with the inputs' products at twice the speed "
        "that makes less than 1.5 times the rate.",
    ]


def decoding_lines(models: Mapping[str, Any]) -> list[str]:
    """Return the lines about grammars, by model; none if they have not been measured."""
    if not models:
        return []
    lines = [
        "",
        "## Grammars",
        "",
        "`python benchmarks/grammar.py cost MODEL SEQUENCES`: microseconds of CPU time for a residue, "
        "one thread, of the network, the posteriors under the [grammar](grammar.md) and the labels. "
        "Sequences per second are those of labelling all together; reading and writing files, and "
        "starting, are not in it. The sequences are 300 of TMbed's proteins, drawn at random, for "
        "`protein-topology`, and every sixteenth chain of the demonstration data for the others; one "
        "by one the first 30 of them.",
        "",
        "| model | weights | states | residues of a sequence | way | network | posteriors | labels "
        "| sequences per second |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, found in models.items():
        length = found["residues"] / found["sequences"]
        for way, parts in found["cpu_microseconds_per_residue"].items():
            cells = " | ".join(f"{parts[key]:.1f}" for key in ("network", "posteriors", "labels"))
            rate = f"{found['sequences_per_second']:.0f}" if way == "together" else ""
            lines.append(
                f"| `{name}` | {found['parameters']:,} | {found['states']} | {length:.0f} | "
                f"{way.replace('_', ' ')} | {cells} | {rate} |"
            )
    return [
        *lines,
        "",
        "States that have one neighbour, such as those that count the residues of a helix, pass on "
        "what it has; the forward and the backward pass go through the same steps "
        "(`grubio/sequences/steps.py`).",
    ]
