"""Scores of disorder out-of-fold: Spearman's correlation with CheZOD over residues, with intervals.

``values.tsv`` has an id and the predicted scores between commas in a line, each by the model of
``config/protein_disorder.yaml`` that did not see the fold of the protein.

    python benchmarks/disorder.py score chezod_train.tsv --name protein-disorder --values values.tsv
    python benchmarks/disorder.py page docs/disorder.md --names protein-disorder
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

RESULTS = Path(__file__).with_name("disorder.json")
THRESHOLD = 8.0
REPLICATES, SEED = 500, 1
START, END = "<!-- disorder -->", "<!-- /disorder -->"


def read_numbers(path: Path, column: str | int) -> dict[str, npt.NDArray[np.float64]]:
    """Return numbers by id; NaN where there is none."""
    csv.field_size_limit(10**8)
    with path.open(encoding="utf-8") as lines:
        if isinstance(column, str):
            rows = [(row["id"], row[column]) for row in csv.DictReader(lines, delimiter="\t")]
        else:
            rows = [
                (cells[0], cells[column])
                for cells in (line.rstrip("\n").split("\t") for line in lines)
            ]
    return {
        name: np.array([float(cell) if cell else np.nan for cell in text.split(",")])
        for name, text in rows
    }


def spearman(
    pairs: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]], chosen: list[int]
) -> float:
    """Return the rank correlation over the residues of the chosen proteins."""
    first, second = (rankdata(np.concatenate([pairs[i][side] for i in chosen])) for side in (0, 1))
    return float(np.corrcoef(first, second)[0, 1])


def main() -> None:
    """Score one set of predictions, or write the table of scores into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    scoring = steps.add_parser("score")
    scoring.add_argument("data", type=Path)
    scoring.add_argument("--values", type=Path, nargs="+", required=True)
    scoring.add_argument("--name", required=True)
    paging = steps.add_parser("page")
    paging.add_argument("page", type=Path)
    paging.add_argument("--names", nargs="*")
    given = parser.parse_args()
    if given.step == "score":
        score(given.data, given.values, given.name)
    else:
        write_page(given.page, given.names)


def write_page(page: Path, names: list[str] | None) -> None:
    """Put the table of scores between the marks of a page."""
    results = json.loads(RESULTS.read_text())
    rows = [
        "| out-of-fold | proteins | Spearman | Pearson | mean absolute error | AUC of below 8 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in names or results:
        own = results[name]
        rho, low, high = own["spearman"]
        rows.append(
            f"| {name} | {own['proteins']:,} | {rho:.3f} ({low:.3f}-{high:.3f}) | "
            f"{own['pearson']:.3f} | {own['mean_absolute_error']:.2f} | {own['auc_below_8']:.3f} |"
        )
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    shown = "\n".join(rows)
    page.write_text(f"{before}{START}\n{shown}\n{END}{after}", encoding="utf-8")


def score(data: Path, paths: list[Path], label: str) -> None:
    """Score the predictions in files, and keep the scores under a name."""
    known = read_numbers(data, "chezod")
    found: dict[str, npt.NDArray[np.float64]] = {}
    for path in paths:
        found |= read_numbers(path, 1)
    pairs = []
    for name, values in found.items():
        counts = np.isfinite(known[name])
        pairs.append((known[name][counts], values[counts]))
    every = list(range(len(pairs)))
    generator = np.random.default_rng(SEED)
    drawn = [
        spearman(pairs, generator.integers(0, len(pairs), len(pairs)).tolist())
        for _ in range(REPLICATES)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    truth, said = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    own = {
        "proteins": len(pairs),
        "residues": len(truth),
        "spearman": [round(spearman(pairs, every), 4), round(low, 4), round(high, 4)],
        "pearson": round(float(np.corrcoef(truth, said)[0, 1]), 4),
        "mean_absolute_error": round(float(np.abs(truth - said).mean()), 4),
        "auc_below_8": round(float(roc_auc_score(truth < THRESHOLD, -said)), 4),
    }
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[label] = own
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(own))


if __name__ == "__main__":
    main()
