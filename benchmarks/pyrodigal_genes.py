"""Genes found by Pyrodigal on the test blocks of a genome dataset, beside those of a model.

Pyrodigal (``pip install pyrodigal``), the gene finder of Larralde (2022) after Hyatt et al. (2010),
needs no labels: it is trained on the whole genome, test blocks included, as it is meant to be, or
takes its own models with --meta. Its genes and the class of the dataset are compared base by base
on each strand, as grubio evaluate compares the classes of a model.

With --genes, the genes that grubio called on the same genome are scored in the same way, and both
gene by gene: those that lie whole in a block, by their stop codon and their start codon.

    grubio predict genome.fna.gz --model ecoli-genes --output called.gff3
    python benchmarks/pyrodigal_genes.py --genome genome.fna.gz --dataset split.parquet \
        --annotation genome.gff.gz --genes called.gff3 \
        --metrics results/genes/metrics.json --output genes.json
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
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
from grubio.readers.annotation import read_annotation
from grubio.readers.fasta import read_fasta
from grubio.sequences.locus import STRANDS, Locus

SCORES = ("mcc", "sensitivity", "precision", "f1")

Calls = dict[str, dict[str, npt.NDArray[np.bool_]]]


Genes = list[Locus]


def called_genes(genome: Mapping[str, str], *, meta: bool) -> Genes:
    """Return the genes that Pyrodigal calls."""
    finder = pyrodigal.GeneFinder(meta=meta)
    if not meta:
        finder.train(*(sequence.encode() for sequence in genome.values()))
    return [
        Locus(name, gene.begin - 1, gene.end, "+" if gene.strand > 0 else "-")
        for name, sequence in genome.items()
        for gene in finder.find_genes(sequence.encode())
    ]


def genes_of_grubio(path: Path) -> Genes:
    """Return the coding sequences of a GFF3 file that grubio wrote."""
    lines = read_annotation(path, _raise, lambda _: None)
    features = [line.feature() for line in lines if line.kind == "CDS"]
    return [Locus(f.contig, f.start, f.end, "+" if f.strand == "+" else "-") for f in features]


def annotated_genes(path: Path) -> tuple[Genes, Genes]:
    """Return all annotated genes, and those in one piece that are no pseudogenes."""
    pieces = defaultdict(list)
    for line in read_annotation(path, _raise, lambda _: None):
        if line.kind == "CDS":
            feature = line.feature()
            name = next(iter(line.attributes.get("ID", (str(line.number),))))
            pieces[name, feature.contig, feature.strand].append(feature)
    every, whole = [], []
    for (_, contig, strand), parts in pieces.items():
        first, last = min(p.start for p in parts), max(p.end for p in parts)
        every.append(Locus(contig, first, last, "+" if strand == "+" else "-"))
        if len(parts) == 1 and "pseudo" not in parts[0].line.attributes:
            whole.append(every[-1])
    return every, whole


def _raise(error: GrubioError) -> None:
    raise error


def gene_scores(called: Genes, every: Genes, whole: Genes, blocks: list[Locus]) -> dict[str, Any]:
    """Return how many genes of blocks are called, and how many with the right ends."""

    def inside(genes: Genes) -> Genes:
        return [
            gene
            for gene in genes
            if any(
                block.contig == gene.contig and block.start <= gene.start and gene.end <= block.end
                for block in blocks
            )
        ]

    def stop(gene: Locus) -> tuple[str, int, str]:
        return gene.contig, gene.end if gene.strand == "+" else gene.start, gene.strand

    found, known, exact = inside(called), inside(every), inside(whole)
    own = {stop(gene): gene for gene in found}
    ends = [gene for gene in exact if stop(gene) in own]
    return {
        "annotated": len(known),
        "called": len(found),
        "called_per_annotated": len(found) / len(known),
        "stop_exact": len(ends) / len(exact),
        "start_exact": sum(own[stop(gene)] == gene for gene in ends) / len(exact),
    }


def marked(genes: Genes, genome: Mapping[str, str]) -> Calls:
    """Return whether each base is in a gene, bool ``(base,)``, by contig and strand."""
    calls: Calls = {
        name: {strand: np.zeros(len(sequence), dtype=bool) for strand in STRANDS}
        for name, sequence in genome.items()
    }
    for gene in genes:
        calls[gene.contig][gene.strand][gene.start : gene.end] = True
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
    annotation: Path | None = None,
    genes: Path | None = None,
) -> dict[str, Any]:
    """Return the scores of Pyrodigal on a split, of both strands and of each, and of grubio."""
    header = read_header(dataset)
    if letter not in header.scheme.letters:
        raise GrubioError(f"has no class '{letter}'", path=dataset)
    records = list(read_records(dataset, split))
    require_splits(dataset, records, split)
    sequences = {record.id: record.sequence.upper() for record in read_fasta(genome)}
    own = {"pyrodigal": called_genes(sequences, meta=meta)}
    if genes is not None:
        own["grubio"] = genes_of_grubio(genes)
    calls = {name: marked(found, sequences) for name, found in own.items()}
    scored: dict[str, dict[str, Any]] = {name: {} for name in own}
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
        for caller, places in calls.items():
            found = dense_metrics(
                strands,
                [calls_at(places, strand.locus) for strand in strands],
                header.scheme.letters.index(letter),
                header.scheme.size,
                weights,
            )
            scored[caller][name] = {score: one.score.as_dict() for score, one in found.items()}
    ends = {}
    if annotation is not None:
        blocks = [locus for r in records if (locus := Locus.from_id(r.id)).strand == "+"]
        every, whole = annotated_genes(annotation)
        ends = {name: gene_scores(found, every, whole, blocks) for name, found in own.items()}
    return {
        "genes": ends,
        "grubio_strands": scored.get("grubio"),
        "pyrodigal": pyrodigal.__version__,
        "mode": "meta" if meta else "trained on the genome",
        "dataset_sha256": sha256_of_file(dataset),
        "genome_sha256": sha256_of_file(genome),
        "split": split,
        "class": letter,
        "blocks": len({record.group for record in records}),
        "strands": scored["pyrodigal"],
    }


def printed(result: Mapping[str, Any]) -> str:
    """Return a table of the predictors, scores as columns."""
    rows = {f"pyrodigal, {name}": scores for name, scores in result["strands"].items()}
    called = (result.get("grubio_strands") or {}).items()
    rows.update({f"grubio genes, {name}": scores for name, scores in called})
    rows.update(result.get("methods") or {})
    lines = ["\t".join(["predictor", *SCORES])]
    for name, scores in rows.items():
        lines.append("\t".join([name, *(_cell(scores.get(score)) for score in SCORES)]))
    for name, ends in result["genes"].items():
        lines.append(
            f"{name}: {ends['called']} genes called for {ends['annotated']} annotated "
            f"({ends['called_per_annotated']:.3f}), stop exact {ends['stop_exact']:.1%}, "
            f"start exact {ends['start_exact']:.1%}"
        )
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
    parser.add_argument("--annotation", type=Path, help="GFF3 with the CDS, for gene by gene")
    parser.add_argument("--genes", type=Path, help="GFF3 of the genes that grubio called")
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
        annotation=options.annotation,
        genes=options.genes,
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
