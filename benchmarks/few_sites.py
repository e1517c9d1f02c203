"""A network that begins with the matrix of its sites, against the matrix, where sites are few.

The sites are the promoters of sigma factors of *E. coli*, from the table of RegulonDB that
scripts/regulondb_bed.py reads; a site is what lies -38 to -7 bases from the start. Windows of some
2,000 bases around them are the contigs, so that a run takes minutes; each is in one split. Choices
were made on validation contigs, and the scores are those of the test contigs. Writes
benchmarks/few_sites.json.

    python benchmarks/few_sites.py GENOME.fna.gz tss.tsv --sigma sigma24 sigma28 --motifs sites none

With ``--motifs untrained``, the network before its first step is compared with the matrix.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from grubio.config import (
    EvaluationSettings,
    ModelSettings,
    PrepareSettings,
    SplitSettings,
    TrainingSettings,
)
from grubio.datasets.parquet import read_records
from grubio.datasets.prepare_genome import prepare_genome
from grubio.evaluation.evaluate import evaluate_model
from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import bootstrap_weights
from grubio.metrics.candidates import find_candidates, site_truth, strands_of
from grubio.metrics.pwm import ANY_CLASS
from grubio.metrics.sites import HEADLINE_TOLERANCE, ranking_metrics, scanned
from grubio.model.labeller import bundle_of
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA
from grubio.sequences.runs_and_peaks import site_scores
from grubio.splits.split import split_dataset
from grubio.training.examples import load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.stem_motifs import OF_SITES
from grubio.training.train import train_model

FIRST, LAST = -38, -7
UNTRAINED = "untrained"
HALF, JITTER = 1000, 400
RESULTS = Path(__file__).with_name("few_sites.json")


def write_windows(genome: Path, table: Path, sigma: str, folder: Path) -> int:
    """Write windows around sites as FASTA, and the sites in them as BED; return the sites."""
    (record,) = read_fasta(str(genome))
    sites = set()
    with table.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            at = int(row["tss"]) - 1
            if row["sigma"] == sigma and row["strand"] == "+":
                sites.add((at + FIRST, at + LAST + 1, "+"))
            elif row["sigma"] == sigma:
                sites.add((at - LAST, at - FIRST + 1, "-"))
    generator = np.random.default_rng(7)
    windows: list[list[int]] = []
    for start, end, _ in sorted(sites):
        before, after = generator.integers(HALF - JITTER, HALF + JITTER, 2).tolist()
        if windows and start - before <= windows[-1][1]:
            windows[-1][1] = max(end + after, windows[-1][1])
        else:
            windows.append([max(start - before, 0), end + after])
    fasta, bed = [], []
    for number, (low, high) in enumerate(windows):
        fasta.append(f">w{number}\n{record.sequence[low:high]}\n")
        bed += [
            f"w{number}\t{start - low}\t{end - low}\tsite\t0\t{strand}\n"
            for start, end, strand in sorted(sites)
            if low <= start and end <= high
        ]
    (folder / "windows.fasta").write_text("".join(fasta))
    (folder / "sites.bed").write_text("".join(bed))
    return len(bed)


def untrained(dataset: Path, model: ModelSettings, settings: TrainingSettings) -> dict[str, Any]:
    """Return average precisions of a network before its first step and of its matrix, by split."""
    data = load_training_data(dataset, model, settings)
    bundle = bundle_of(new_fitting(data, model, settings).model.eval(), DNA)
    (motif,) = data.motifs
    found: dict[str, Any] = {}
    for split in ("valid", "test"):
        records = list(read_records(dataset, split))
        strands, order = strands_of(records, data.header.scheme)
        truth = site_truth(strands, motif.index, motif.pwm.width, ANY_CLASS)
        over = scanned(strands, truth, ANY_CLASS)
        weights = bootstrap_weights(len(over.sites), EvaluationSettings().bootstrap, 1)
        answers = Predictor(bundle, "cpu", 1).predict(records[at] for at in order)
        scores = {
            "network": [site_scores(a.probabilities[:, motif.index], truth.width) for a in answers],
            "matrix": [motif.pwm.scores(strand.sequence) for strand in strands],
        }
        precisions = {
            name: ranking_metrics(
                find_candidates(strands, of_strands, truth), HEADLINE_TOLERANCE, over, weights
            )["average_precision"]
            for name, of_strands in scores.items()
        }
        precisions["gain"] = precisions["network"] - precisions["matrix"]
        found[split] = {name: one.score.as_dict() for name, one in precisions.items()}
    return found


def measured(arguments: argparse.Namespace, sigma: str, folder: Path) -> dict[str, Any]:
    """Train and score; return average precisions with their intervals."""
    sites = write_windows(arguments.genome, arguments.table, sigma, folder)
    prepared, dataset = folder / "prepared.parquet", folder / "split.parquet"
    rules = {"site": {"letter": "S", "feature": "site"}}
    prepare_genome(
        [folder / "windows.fasta"],
        [folder / "sites.bed"],
        prepared,
        PrepareSettings(format="genome", classes=rules),  # type: ignore[arg-type]
    )
    split_dataset(
        prepared,
        dataset,
        SplitSettings(unit="contig", gap=0, valid_fraction=0.2, test_fraction=0.3),
    )
    found: dict[str, Any] = {"sigma": sigma, "sites": sites, "runs": {}}
    for motifs in arguments.motifs:
        run = folder / motifs
        model = ModelSettings(hidden_size=32, layers=1, stem_width=11, dropout=0.3)
        settings = TrainingSettings(
            motifs=OF_SITES if motifs == UNTRAINED else motifs,
            background_ratio=arguments.background_ratio,
            max_length=arguments.max_length,
            select_by="average_precision",
            epochs=arguments.epochs,
            patience=arguments.epochs,
            batch_residues=8000,
        )
        if motifs == UNTRAINED:
            found["runs"][motifs] = untrained(dataset, model, settings)
            continue
        train_model(dataset, run, model, settings, threads=1)
        metadata = json.loads((run / "model/model.json").read_text())["training"]
        evaluate_model(run / "model", dataset, run, EvaluationSettings(), threads=1)
        scores = json.loads((run / "metrics.json").read_text())["sites"]["S"]
        found["test_sites"] = scores["count"]
        found["runs"][motifs] = {
            "average_precision": {
                name: {
                    region: scores["methods"][name][region]["tolerance_3"]["average_precision"]
                    for region in ("genome", "near_known")
                }
                for name in ("model", "pwm", "kmer_logistic")
            },
            "gain": scores["gain"],
            "shares": metadata.get("motif_shares", {}),
        }
    return found


def rows(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows of the table of docs/dna.md, by number of sites."""
    lines = []
    for one in sorted(found, key=itemgetter("sites")):
        run = one["runs"][OF_SITES]
        scores = [
            one_interval(run["average_precision"][name]["genome"])
            for name in ("model", "pwm", "kmer_logistic")
        ]
        scores.append(one_interval(run["gain"]["pwm"]))
        known = f"{one['sites']}, {one['test_sites']}"
        lines.append(f"| {one['sigma'].removeprefix('sigma')} | {known} | {' | '.join(scores)} |")
    return lines


def one_interval(score: Mapping[str, float]) -> str:
    """Return a score with its interval."""
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("genome", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--sigma", nargs="+", default=["sigma28"])
    parser.add_argument("--motifs", nargs="+", default=[OF_SITES, "none"])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--max-length", type=int, default=160)
    parser.add_argument("--background-ratio", type=float, default=4)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    found: list[dict[str, Any]] = []
    for sigma in arguments.sigma:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measured(arguments, sigma, Path(folder)))
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    print("\n".join(rows([one for one in found if OF_SITES in one["runs"]])))


if __name__ == "__main__":
    main()
