"""Genes found by Pyrodigal on the test blocks of a genome dataset, beside those of a model.

Pyrodigal (``pip install pyrodigal``), the gene finder of Larralde (2022) after Hyatt et al. (2010),
needs no labels: it is trained on the whole genome, test blocks included, as it is meant to be, or
takes its own models with --meta. Its genes and the class of the dataset are compared base by base
on each strand, as grubio evaluate compares the classes of a model.

    python benchmarks/pyrodigal_genes.py --genome genome.fna.gz --dataset split.parquet \
        --metrics results/genes/metrics.json --output genes.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyrodigal

from grubio.config import EvaluationSettings
from grubio.datasets.parquet import read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole
from grubio.metrics.bases import dense_metrics
from grubio.metrics.bootstrap import bootstrap_weights
from grubio.metrics.candidates import strands_of
from grubio.readers.fasta import read_fasta
from grubio.sequences.locus import STRANDS, Locus

SCORES = ("mcc", "sensitivity", "precision", "f1")

Calls = dict[str, dict[str, npt.NDArray[np.bool_]]]


def called_genes(genome: Mapping[str, str], *, meta: bool) -> Calls:
    """Return whether each base is in a gene, bool ``(base,)``, by contig and strand."""
    finder = pyrodigal.GeneFinder(meta=meta)
    if not meta:
        finder.train(*(sequence.encode() for sequence in genome.values()))
    calls: Calls = {}
    for name, sequence in genome.items():
        calls[name] = {strand: np.zeros(len(sequence), dtype=bool) for strand in STRANDS}
        for gene in finder.find_genes(sequence.encode()):
            calls[name]["+" if gene.strand > 0 else "-"][gene.begin - 1 : gene.end] = True
    return calls


def calls_at(calls: Calls, locus: Locus) -> npt.NDArray[np.bool_]:
    """Return whether each base at a locus is in a gene, in the direction of its strand."""
    if locus.contig not in calls:
        raise GrubioError(f"the genome has no contig '{locus.contig}'", record=str(locus))
    part = calls[locus.contig][locus.strand][locus.start : locus.end]
    return part if locus.strand == "+" else part[::-1]


def compared(
    genome: Path,
    dataset: Path,
    letter: str,
    split: str,
    *,
    meta: bool,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """Return the scores of Pyrodigal on a split, of both strands and of each."""
    header = read_header(dataset)
    if letter not in header.scheme.letters:
        raise GrubioError(f"has no class '{letter}'", path=dataset)
    records = list(read_records(dataset, split))
    require_splits(dataset, records, split)
    sequences = {record.id: record.sequence.upper() for record in read_fasta(genome)}
    calls = called_genes(sequences, meta=meta)
    scored = {}
    for name, chosen in (("both", STRANDS), ("+", ("+",)), ("-", ("-",))):
        kept = [record for record in records if Locus.from_id(record.id).strand in chosen]
        strands, _ = strands_of(kept, header.scheme)
        for strand in strands:
            contig = sequences.get(strand.locus.contig, "")
            if strand.locus.strand == "+" and (
                contig[strand.locus.start : strand.locus.end] != strand.sequence.upper()
            ):
                raise GrubioError("is not the genome of this dataset", path=genome)
        weights = bootstrap_weights(
            1 + max(strand.block for strand in strands), settings.bootstrap, settings.seed
        )
        found = dense_metrics(
            strands,
            [calls_at(calls, strand.locus) for strand in strands],
            header.scheme.letters.index(letter),
            header.scheme.size,
            weights,
        )
        scored[name] = {score: one.score.as_dict() for score, one in found.items()}
    return {
        "pyrodigal": pyrodigal.__version__,
        "mode": "meta" if meta else "trained on the genome",
        "dataset_sha256": sha256_of_file(dataset),
        "genome_sha256": sha256_of_file(genome),
        "split": split,
        "class": letter,
        "blocks": len({record.group for record in records}),
        "strands": scored,
    }


def printed(result: Mapping[str, Any]) -> str:
    """Return a table of the predictors, scores as columns."""
    rows = {f"pyrodigal, {name}": scores for name, scores in result["strands"].items()}
    rows.update(result.get("methods") or {})
    lines = ["\t".join(["predictor", *SCORES])]
    for name, scores in rows.items():
        lines.append("\t".join([name, *(_cell(scores.get(score)) for score in SCORES)]))
    return "\n".join(lines)


def _cell(score: Mapping[str, float | None] | None) -> str:
    if not score or score["value"] is None:
        return "-"
    return f"{score['value']:.3f} ({score['low']:.3f}-{score['high']:.3f})"


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genome", type=Path, required=True, help="FASTA of the whole genome")
    parser.add_argument("--dataset", type=Path, required=True, help="genome dataset with splits")
    parser.add_argument("--split", default="test")
    parser.add_argument("--class", dest="letter", default="C", help="letter of coding bases")
    parser.add_argument("--metrics", type=Path, help="metrics.json of a model on this dataset")
    parser.add_argument("--meta", action="store_true", help="use the models of Pyrodigal itself")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    result = compared(
        options.genome,
        options.dataset,
        options.letter,
        options.split,
        meta=options.meta,
        settings=EvaluationSettings(),
    )
    if options.metrics:
        metrics = json.loads(options.metrics.read_text(encoding="utf-8"))
        if metrics["provenance"]["dataset_sha256"] != result["dataset_sha256"]:
            raise GrubioError("is of another dataset", path=options.metrics)
        result["methods"] = metrics["dense"][options.letter]["methods"]
    print(printed(result))
    write_text_whole(options.output, json.dumps(result, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
