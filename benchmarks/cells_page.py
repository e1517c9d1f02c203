"""Gather what the study of cells found, and make docs/cells.md and its figure of it.

    grubio compare RUNS --output results/comparison.tsv --data results/comparison.json
    python benchmarks/cells_page.py --runs results --data results/comparison.json

writes ``benchmarks/cells.json``, ``docs/cells.md`` and ``docs/cells.svg``. Rates of labelling are
measured here: the test chains with the first model of each group, in turns, by one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from grubio.datasets.parquet import read_records
from grubio.files import write_text_whole
from grubio.inference.predictor import Predictor
from grubio.model.architecture import Architecture
from grubio.model.batching import labelled_examples
from grubio.model.bundle import load_bundle
from grubio.model.labeller import bundle_of, new_labeller
from grubio.report.figures import reach_curves
from grubio.runs.files import MODEL_FOLDER
from grubio.runs.folder import Run, read_run
from grubio.runs.seed_groups import grouped_runs
from grubio.sequences.alphabet import ALPHABETS
from grubio.training.gradient_reach import gradient_reach
from grubio.view.svg import write_svg

PAGE, FIGURE = Path("docs/cells.md"), Path("docs/cells.svg")
RESULTS = Path("benchmarks/cells.json")
NAMES = {
    "gru": "GRU",
    "gru-attention": "GRU with attention",
    "lstm": "LSTM",
    "lstm-attention": "LSTM with attention",
    "rnn": "plain RNN",
    "rnn-attention": "plain RNN with attention",
}
PAIRS = [
    *(("gru", "lstm"), ("gru", "rnn"), ("lstm", "rnn")),
    *(("gru-attention", "gru"), ("lstm-attention", "lstm"), ("rnn-attention", "rnn")),
    *(("gru-attention", "lstm-attention"), ("gru-attention", "rnn-attention")),
    ("lstm-attention", "rnn-attention"),
]
_DISTANCES = (1, 10, 50, 100, 200)
_ROUNDS, _CHAINS = 5, 60


def labelling_rates(models: Mapping[str, Path], dataset: Path) -> dict[str, int]:
    """Return residues that each model labels in a second of one core's time, the median of rounds."""
    records = list(read_records(dataset, "test"))[:_CHAINS]
    residues = sum(map(len, records))
    predictors = {name: Predictor(load_bundle(path), "cpu", 1) for name, path in models.items()}
    rates: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(_ROUNDS + 1):
        for name, predictor in predictors.items():
            started = time.process_time()
            for _ in predictor.predict(records):
                pass
            if turn:
                rates[name].append(residues / (time.process_time() - started))
    return {name: round(statistics.median(found)) for name, found in rates.items()}


def gathered(
    folder: Path, data: Mapping[str, Any], dataset: Path, rated: Sequence[str]
) -> dict[str, Any]:
    """Return what the page tells; rates of training are those of the seeds ``rated``."""
    rows = {row["group"]: row for row in data["groups"]}
    runs = {
        name: [read_run(folder / f"{name}.seed-{seed}") for seed in rows[name]["seeds"]]
        for name in NAMES
    }
    rates = labelling_rates(
        {name: of[0].folder / MODEL_FOLDER for name, of in runs.items()}, dataset
    )
    groups = []
    for name, found in runs.items():
        (group,) = grouped_runs(found, [run.name for run in found], [""] * len(found))
        norms = [row for run in found for row in run.history or []]
        groups.append(
            {
                **{key: rows[name][key] for key in ("seeds", "mean", "sd", "parameters")},
                "name": name,
                "hidden_size": found[0].network["hidden_size"],
                "gradient_norm": round(statistics.mean(r["gradient_norm"] for r in norms), 3),
                "clipped_share": round(statistics.mean(r["clipped_share"] for r in norms), 3),
                "training_rate": round(statistics.mean(_rates(found, rated))),
                "labelling_rate": rates[name],
                "reach": {str(k): float(f"{v:.3g}") for k, v in group.reach.items()},
            }
        )
    fresh = {name: fresh_reach(runs[name][0], dataset) for name in ("gru", "lstm", "rnn")}
    keys = ("first", "second", "chains", "difference", "p_adjusted", "over_seeds")
    tests = [{key: row[key] for key in keys} for row in data["tests"]]
    return {"groups": groups, "tests": tests, "fresh_reach": fresh}


def fresh_reach(run: Run, dataset: Path) -> dict[str, float]:
    """Return the norm of the gradient by distance in a network before it is trained."""
    torch.manual_seed(1)
    alphabet = ALPHABETS[run.model["alphabet"]]
    shape = {"network": run.network["network"], **run.model["network"]["settings"]}
    model = new_labeller(Architecture(**shape), [run.main], alphabet.channel_table).eval()
    examples = [
        example
        for record in read_records(dataset, "valid")
        for example in labelled_examples(record, alphabet, run.scheme)
    ]
    rows = csv.DictReader(
        gradient_reach(bundle_of(model, alphabet), examples).splitlines(), delimiter="\t"
    )
    return {row["distance"]: float(row["gradient"]) for row in rows}


def _rates(runs: Sequence[Run], seeds: Sequence[str]) -> list[float]:
    return [
        run.training_rate
        for run in runs
        if run.training_rate and str(run.training["settings"]["seed"]) in seeds
    ]


def page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    groups = {group["name"]: group for group in results["groups"]}
    seeds = sorted({len(group["seeds"]) for group in groups.values()})
    count = " or ".join(map(str, seeds))
    sizes = sorted(group["parameters"] for group in groups.values())
    reach = {name: group["reach"] for name, group in groups.items()}
    chains = results["tests"][0]["chains"]
    lines = [
        "| network | units | parameters | seeds | Q3, mean | standard deviation over seeds |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
        *(
            f"| {NAMES[name]} | {g['hidden_size']} | {g['parameters']:,} | {', '.join(g['seeds'])} "
            f"| {100 * g['mean']:.2f} | {100 * g['sd']:.2f} |"
            for name, g in groups.items()
        ),
    ]
    differences = [
        "| first less second | over chains | corrected p | seeds in common | over seeds | corrected p |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(_difference_row(results["tests"], *pair) for pair in PAIRS),
    ]
    distances = [
        f"| network | {' | '.join(map(str, _DISTANCES))} | norm | clipped |",
        f"| --- | {' | '.join(['---:'] * (len(_DISTANCES) + 2))} |",
        *(
            f"| {NAMES[name]} | {' | '.join(_number(g['reach'][str(d)]) for d in _DISTANCES)} "
            f"| {g['gradient_norm']:.2f} | {100 * g['clipped_share']:.1f} % |"
            for name, g in groups.items()
        ),
    ]
    rates = [
        "| network | training | labelling |",
        "| --- | ---: | ---: |",
        *(
            f"| {NAMES[name]} | {_two_digits(g['training_rate'])} "
            f"| {_two_digits(g['labelling_rate'])} |"
            for name, g in groups.items()
        ),
    ]
    lost = reach["rnn"]["1"] / reach["rnn"]["200"]
    kept = reach["gru"]["1"] / reach["gru"]["200"]
    return TEXT.format(
        scores="\n".join(lines),
        differences="\n".join(differences),
        distances="\n".join(distances),
        rates="\n".join(rates),
        count=count,
        smallest=f"{sizes[0]:,}",
        largest=f"{sizes[-1]:,}",
        apart=f"{100 * (sizes[-1] / sizes[0] - 1):.1f}",
        chains=chains,
        lost=_two_digits(lost),
        kept=_two_digits(kept),
        **{f"fresh_{name}": _number(r["100"]) for name, r in results["fresh_reach"].items()},
    )


def _difference_row(tests: Sequence[Mapping[str, Any]], first: str, second: str) -> str:
    test = next(t for t in tests if {t["first"], t["second"]} == {first, second})
    sign = 1 if test["first"] == first else -1
    seeds = test["over_seeds"]
    return (
        f"| {NAMES[first]} less {NAMES[second]} | {_points(test['difference'], sign)} "
        f"| {test['p_adjusted']:.2g} | {seeds['seeds']} | {_points(seeds['difference'], sign)} "
        f"| {seeds['p_adjusted']:.2g} |"
    )


def _points(score: Mapping[str, float], sign: int) -> str:
    low, high = sorted(100 * sign * score[end] for end in ("low", "high"))
    return f"{100 * sign * score['value']:+.2f} ({low:+.2f} to {high:+.2f})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}".replace("e-0", "e-")


def _two_digits(value: float) -> str:
    return f"{int(float(f'{value:.1e}')):,}"


TEXT = """# GRU, LSTM and plain recurrent network

Textbooks say that a GRU does as well as an LSTM, that both beat a plain recurrent network, and that
attention helps. This page measures it on the {chains} test chains of the demonstration data, none of which
has a homolog in training, with intervals. All networks have two bidirectional layers, the same
convolution before them, and {smallest} to {largest} parameters ({apart} % apart). All are trained for four
passes with the default settings, which were chosen with a GRU: this favours it.

```sh
snakemake --cores all --configfile config/cells.yaml
```

trains and compares five seeds of each (`results/comparison.html`). The figures here are of {count} seeds,
made by

```sh
python benchmarks/cells.py --dataset split.parquet --audit audit.tsv --output results
python benchmarks/cells_page.py --runs results --data results/comparison.json
```

## Scores

{scores}

## Differences

Q3 of the first less that of the second, in points, with 95 % intervals. *Over chains*: a paired bootstrap
over the test chains, each with its mean over seeds, and a Wilcoxon signed-rank test. *Over seeds*: runs
paired by their seed, and Student's t. Both p-values are corrected for all 15 pairs (Benjamini-Yekutieli).

{differences}

- The GRU is ahead of the LSTM and of the plain network, by half a point to a point, with attention or
  without, both over chains and over seeds.
- The LSTM is not ahead of the plain network. It is behind by a quarter of a point, which holds over seeds
  but, after correction, not over chains.
- Attention adds nearly half a point to the LSTM and to the plain network, over chains and over seeds. To the
  GRU it adds nothing that can be told from chance.

## How far a gradient reaches

![Norm of the gradient by distance](cells.svg)

The norm of the gradient of a residue's logits with respect to another residue, by their distance (the
root mean square over validation chains, and over seeds); the mean norm of the gradient of all weights in
a step before it is clipped, and the share of steps that were clipped:

{distances}

From 1 to 200 residues the gradient of the plain network falls to one part in {lost}, that of
the GRU to one in {kept}: a plain network cannot learn what a residue that far away has to say, and clips
more of its steps. With attention, all reach as far. For secondary structure, which is mostly local, this
costs less than a point.

Before training it is the GRU that forgets fastest. At 100 residues the norm is {fresh_rnn} in a fresh plain
network, whose recurrent matrices are orthogonal, {fresh_lstm} in an LSTM, whose forget gates begin open, and
{fresh_gru} in a GRU, whose gates are half open. Training lengthens the reach of all three; that of the plain
network stays short.

## Speed

Residues a second of one thread. Training: Intel Xeon with AMX, nine runs side by side, single precision.
Labelling: another machine, seconds of processor time, the models in turns. The GRU labels with an engine
of its own, without PyTorch; training has gradients written by hand for the GRU alone.

{rates}
"""


def main() -> None:
    """Measure, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, default=Path("split.parquet"))
    parser.add_argument("--rated", nargs="+", default=["1", "2"], help="seeds of the rates")
    options = parser.parse_args()
    data = json.loads(options.data.read_text())
    results = gathered(options.runs, data, options.dataset, options.rated)
    write_text_whole(RESULTS, json.dumps(results, indent=1) + "\n")
    write_text_whole(PAGE, page(results))
    curves = {
        NAMES[group["name"]]: [(int(k), v) for k, v in group["reach"].items()]
        for group in results["groups"]
    }
    write_svg(FIGURE, reach_curves(curves), "Norm of the gradient by distance")


if __name__ == "__main__":
    main()
