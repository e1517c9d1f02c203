"""Make the synthetic genome and its sites, which come with grubio.

Writes grubio/data/synthetic_genome.fasta.xz and grubio/data/synthetic_sites.bed. Nothing in them
is from an organism: an order-3 Markov chain with planted promoters. A promoter is a -35 element, a
spacer, a -10 element and, seven bases after it, a start; its parts are in the BED file. Decoys are
one element alone, drawn from the same matrix, and are not in the BED file: what makes a promoter
is that both elements occur at their distance.

All parameters are below, and chosen, not fitted. The same script gives the same bytes.
"""

from __future__ import annotations

import argparse
import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from grubio.sequences.locus import reverse_complement

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
GENOME = ROOT / "grubio/data/synthetic_genome.fasta.xz"
SITES = ROOT / "grubio/data/synthetic_sites.bed"

SEED = 20261124
BASES = "ACGT"
CONTIGS = {"synthetic_1": 135_000, "synthetic_2": 99_000, "synthetic_3": 66_000}
# One slot for each element, so that none overlap.
SLOT = 300
PROMOTERS, DECOYS = 450, 450
SOFT_MASKED_SLOTS, N_SLOTS = 30, 2
# How far the Markov chain departs from even odds, as the largest change of a log-odds.
BACKGROUND_STRENGTH = 0.4
SPACERS = {15: 0.05, 16: 0.2, 17: 0.5, 18: 0.2, 19: 0.05}
START_AFTER = 7

# Probability of A, C, G and T at each place of an element.
MINUS35 = (
    (0.06, 0.06, 0.06, 0.82),
    (0.06, 0.05, 0.05, 0.84),
    (0.06, 0.06, 0.80, 0.08),
    (0.70, 0.10, 0.08, 0.12),
    (0.15, 0.60, 0.10, 0.15),
    (0.62, 0.10, 0.12, 0.16),
)
MINUS10 = (
    (0.06, 0.06, 0.06, 0.82),
    (0.90, 0.03, 0.03, 0.04),
    (0.14, 0.10, 0.12, 0.64),
    (0.66, 0.10, 0.12, 0.12),
    (0.62, 0.14, 0.10, 0.14),
    (0.03, 0.03, 0.03, 0.91),
)


@dataclass(frozen=True)
class Site:
    """One line of the BED file."""

    contig: str
    start: int
    end: int
    name: str
    strand: str


def synthetic_genome() -> tuple[dict[str, str], list[Site]]:
    """Return the sequence of every contig, and the sites in order."""
    rng = np.random.default_rng(SEED)
    # Draws other than random() may change between versions of NumPy.
    total = sum(CONTIGS.values())
    sequence = _markov_chain(total, rng)
    slots = np.argsort(rng.random(total // SLOT), kind="stable").tolist()
    sites: list[tuple[int, int, str, str]] = []
    for i, slot in enumerate(slots[: PROMOTERS + DECOYS]):
        strand = "+-"[rng.random() < 0.5]
        minus35, minus10 = _draw(MINUS35, rng), _draw(MINUS10, rng)
        spacer = _pick(list(SPACERS), SPACERS.values(), rng)
        at = slot * SLOT + 60 + int(rng.random() * (SLOT - 160))
        if i < PROMOTERS:
            here = "".join(sequence[at : at + 12 + spacer])
            start = 12 + spacer + START_AFTER - 1
            parts = [("minus35", 0, 6), ("minus10", 6 + spacer, 12 + spacer)]
            parts.append(("tss", start, start + 1))
            text = minus35 + here[6 : 6 + spacer] + minus10
            span = start + 1
        else:
            text, parts, span = (minus35, minus10)[i % 2], [], 6
        if strand == "+":
            sequence[at : at + len(text)] = text
        else:
            sequence[at + span - len(text) : at + span] = reverse_complement(text)
        for name, begin, end in parts:
            if strand == "-":
                begin, end = span - end, span - begin
            sites.append((at + begin, at + end, name, strand))
    empty = slots[PROMOTERS + DECOYS :]
    for slot in empty[:N_SLOTS]:
        sequence[slot * SLOT : (slot + 1) * SLOT] = "N" * SLOT
    for slot in slots[:SOFT_MASKED_SLOTS]:
        part = slice(slot * SLOT, (slot + 1) * SLOT)
        sequence[part] = "".join(sequence[part]).lower()
    contigs, placed, offset = {}, [], 0
    for contig, length in CONTIGS.items():
        contigs[contig] = "".join(sequence[offset : offset + length])
        placed += [
            Site(contig, start - offset, end - offset, name, strand)
            for start, end, name, strand in sorted(sites)
            if offset <= start < offset + length
        ]
        offset += length
    return contigs, placed


def fasta(contigs: dict[str, str]) -> str:
    """Return the contigs as FASTA."""
    lines = []
    for contig, sequence in contigs.items():
        lines.append(f">{contig} SYNTHETIC: Markov chain with planted promoters")
        lines += [sequence[at : at + 80] for at in range(0, len(sequence), 80)]
    return "\n".join(lines) + "\n"


def bed(sites: list[Site]) -> str:
    """Return the sites as BED with six columns."""
    return "# SYNTHETIC: sites planted into synthetic_genome.fasta.xz\n" + "".join(
        f"{site.contig}\t{site.start}\t{site.end}\t{site.name}\t0\t{site.strand}\n"
        for site in sites
    )


def _markov_chain(length: int, rng: np.random.Generator) -> list[str]:
    """Return bases of which each depends on the three before it."""
    odds = np.exp(BACKGROUND_STRENGTH * (2 * rng.random((64, 4)) - 1))
    limits = (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)[:, :3].tolist()
    context, chain = 0, []
    for draw in rng.random(length).tolist():
        base = sum(draw > limit for limit in limits[context])
        chain.append(BASES[base])
        context = (context * 4 + base) % 64
    return chain


def _draw(matrix: tuple[tuple[float, ...], ...], rng: np.random.Generator) -> str:
    return "".join(_pick(BASES, row, rng) for row in matrix)


def _pick(choices: Sequence[T], shares: Iterable[float], rng: np.random.Generator) -> T:
    limits = np.cumsum(list(shares))
    return choices[min(int(np.searchsorted(limits, rng.random())), len(choices) - 1)]


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genome", type=Path, default=GENOME)
    parser.add_argument("--sites", type=Path, default=SITES)
    arguments = parser.parse_args()
    contigs, sites = synthetic_genome()
    arguments.genome.write_bytes(lzma.compress(fasta(contigs).encode(), preset=9))
    arguments.sites.write_text(bed(sites))


if __name__ == "__main__":
    main()
