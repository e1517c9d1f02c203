"""How often inputs are said to be unlike what the bundled models were trained on.

python benchmarks/unlike_training.py ../shared/data

Prints two tables, in percent of 300 inputs drawn at random: proteins by number of records, and
genomes by length of one contig. ``docs/predict.md`` quotes them. Genomes of other compositions are
E. coli's with bases replaced at random until they have that GC content, which keeps as much as can
be of its words, and so makes the test harder.
"""

from __future__ import annotations

import lzma
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from Bio.Seq import Seq

from grubio.files import open_input
from grubio.model.bundle import load_metadata
from grubio.model.training_input import divergence
from grubio.model.zoo import find_model
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA, PROTEIN, Alphabet

DRAWN = 300
RECORDS = (1, 2, 5, 10, 20, 50, 100, 300)
BASES = (500, 1000, 2000, 5000, 20_000, 100_000)
LETTERS = np.array(list("ACGT"))
Bases = npt.NDArray[np.str_]


def main() -> None:
    """Measure and print."""
    data, generator = Path(sys.argv[1]), np.random.default_rng(0)
    genome = next(read_fasta(data / "dna/GCF_000005845.2_ASM584v2_genomic.fna.gz")).sequence
    print_table("protein-ss", PROTEIN, RECORDS, proteins(data, genome, generator))
    print_table("ecoli-genes", DNA, BASES, genomes(genome, generator))


def print_table(
    model: str,
    alphabet: Alphabet,
    sizes: Sequence[int],
    sources: Mapping[str, Callable[[int], list[str]]],
) -> None:
    """Print the share of inputs of each source and size that are warned of."""
    kept = load_metadata(find_model(model))["training"]["input"]
    print("| input |", " | ".join(f"{size:,}" for size in sizes), "|")
    print("| --- |", " | ".join("---:" for _ in sizes), "|")
    for name, draw in sources.items():
        rates = []
        for size in sizes:
            found = [divergence(kept, alphabet, draw(size)) for _ in range(DRAWN)]
            rates.append(100 * sum(bits > limit for bits, limit in found) / DRAWN)
        print(f"| {name} |", " | ".join(f"{rate:.1f}" for rate in rates), "|")


def proteins(
    data: Path, genome: str, generator: np.random.Generator
) -> dict[str, Callable[[int], list[str]]]:
    """Return what draws so many records of each source."""
    with lzma.open(data / "ss/human_alphafold_ss8.tsv.xz", "rt") as lines:
        human = [line.split("\t")[1] for line in lines]
    with (data / "ss/cb513.tsv").open() as lines:
        domains = [line.split("\t")[1] for line in lines]
    genes = coding(data, genome)
    sources = {
        "human proteins": human,
        "CB513": domains,
        "*E. coli* proteins": [translated(gene) for gene in genes],
        "its genes, second frame": [translated(gene[1:]) for gene in genes],
        "its genes, third frame": [translated(gene[2:]) for gene in genes],
        "its genes, other strand": [
            translated(str(Seq(gene).reverse_complement())) for gene in genes
        ],
        "low complexity, (GGGGS)20": ["GGGGS" * 20],
    }

    def drawing(chains: list[str]) -> Callable[[int], list[str]]:
        return lambda size: [chains[i] for i in generator.integers(0, len(chains), size)]

    return {name: drawing(chains) for name, chains in sources.items()}


def coding(data: Path, genome: str) -> list[str]:
    """Return the coding sequences of E. coli."""
    found = []
    with open_input(data / "dna/GCF_000005845.2_ASM584v2_genomic.gff.gz") as lines:
        for cells in (line.decode().split("\t") for line in lines):
            if len(cells) > 8 and cells[2] == "CDS":
                piece = genome[int(cells[3]) - 1 : int(cells[4])]
                found.append(str(Seq(piece).reverse_complement()) if cells[6] == "-" else piece)
    return found


def translated(text: str) -> str:
    """Return the residues of codons, stops as X."""
    return str(Seq(text[: len(text) // 3 * 3]).translate()).rstrip("*").replace("*", "X")


def genomes(genome: str, generator: np.random.Generator) -> dict[str, Callable[[int], list[str]]]:
    """Return what draws a contig of so many bases of each source."""
    half = np.array(list(genome[len(genome) // 2 :]))
    known = {
        "*E. coli*, second half": half,
        "the same, 5 % mutated": mutated(half, 0.05, generator),
        "the same, 10 % mutated": mutated(half, 0.10, generator),
        **{f"{100 * gc:.0f} % GC": shifted(half, gc, generator) for gc in (0.32, 0.43, 0.58, 0.67)},
    }

    def drawing(bases: Bases) -> Callable[[int], list[str]]:
        def draw(size: int) -> list[str]:
            start = int(generator.integers(0, len(bases) - size))
            return ["".join(bases[start : start + size])]

        return draw

    return {name: drawing(bases) for name, bases in known.items()}


def mutated(bases: Bases, rate: float, generator: np.random.Generator) -> Bases:
    """Return bases of which some are others."""
    changed, found = generator.random(len(bases)) < rate, bases.copy()
    codes = np.searchsorted(LETTERS, bases[changed]) + generator.integers(1, 4, changed.sum())
    found[changed] = LETTERS[codes % 4]
    return found


def shifted(bases: Bases, gc: float, generator: np.random.Generator) -> Bases:
    """Return bases of which some were replaced so that so many are G or C."""
    strong, found = np.isin(bases, ["C", "G"]), bases.copy()
    share = strong.mean()
    wrong, rate, letters = (
        (~strong, (gc - share) / (1 - share), ["C", "G"])
        if gc > share
        else (strong, 1 - gc / share, ["A", "T"])
    )
    changed = wrong & (generator.random(len(bases)) < rate)
    found[changed] = generator.choice(letters, changed.sum())
    return found


if __name__ == "__main__":
    main()
