"""A made-up genome: a Markov background with a planted motif, cut into blocks of both strands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grubio.datasets.parquet import DatasetHeader
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import Locus, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme

SCHEME = custom_scheme("motifs", "M.", ("minus10", "background"), background=".")
WIDTH = 6
# Shares of A, C, G, T at each place: TATAAT, as clear as a strong promoter's box.
MOTIF = np.array(
    [
        [0.03, 0.03, 0.03, 0.91],
        [0.94, 0.02, 0.02, 0.02],
        [0.05, 0.05, 0.05, 0.85],
        [0.91, 0.03, 0.03, 0.03],
        [0.88, 0.04, 0.04, 0.04],
        [0.02, 0.02, 0.02, 0.94],
    ]
)
# What follows each base: GC-rich, so that the motif stands out.
_FOLLOWS = np.array(
    [
        [0.20, 0.30, 0.30, 0.20],
        [0.18, 0.30, 0.34, 0.18],
        [0.18, 0.34, 0.30, 0.18],
        [0.14, 0.30, 0.32, 0.24],
    ]
)


def genome_dataset(
    blocks: int = 10,
    block_bases: int = 2000,
    sites_per_block: int = 8,
    seed: int = 1,
    splits: Sequence[str] = ("train", "train", "train", "valid", "test"),
) -> tuple[list[Record], DatasetHeader]:
    """Return the records of both strands of each block, and the header of their dataset.

    Parameters
    ----------
    blocks
        Number of blocks; the splits go round among them.
    block_bases
        Bases of a block.
    sites_per_block
        Motifs planted into a block, on a random strand each, at least 40 bases apart.
    seed
        Seed of everything.
    splits
        Splits of the blocks, in turn.
    """
    generator = np.random.default_rng(seed)
    records = []
    for block in range(blocks):
        bases = _markov(block_bases, generator)
        labels = {"+": ["."] * block_bases, "-": ["."] * block_bases}
        places = generator.choice(block_bases // 40 - 1, sites_per_block, replace=False) * 40 + 20
        for place in places.tolist():
            site = "".join("ACGT"[generator.choice(4, p=row)] for row in MOTIF)
            strand = "+-"[generator.integers(2)]
            planted = site if strand == "+" else reverse_complement(site)
            bases[place : place + WIDTH] = list(planted)
            labels[strand][place : place + WIDTH] = ["M"] * WIDTH
        forward = "".join(bases)
        start = block * block_bases
        for strand in ("+", "-"):
            locus = Locus("chr1", start, start + block_bases, strand)
            plus = strand == "+"
            letters = labels[strand] if plus else labels[strand][::-1]
            records.append(
                Record(
                    str(locus),
                    "",
                    forward if plus else reverse_complement(forward),
                    "".join(letters),
                    group=str(locus)[:-3],
                    split=splits[block % len(splits)],
                )
            )
    return records, DatasetHeader(DNA, SCHEME, {"genome.fa": "0" * 64}, {"M": WIDTH})


def noisy_probabilities(
    records: Sequence[Record], skill: float = 4.0, seed: int = 2
) -> list[np.ndarray]:
    """Return made-up probabilities (base, class) of a model that knows the sites this well."""
    generator = np.random.default_rng(seed)
    answers = []
    for record in records:
        known = np.array([letter == "M" for letter in record.labels or ""])
        logits = skill * known - 4 + generator.normal(size=len(known))
        p = 1 / (1 + np.exp(-logits))
        answers.append(np.stack([p, 1 - p], axis=1).astype(np.float32))
    return answers


def _markov(bases: int, generator: np.random.Generator) -> list[str]:
    thresholds = _FOLLOWS.cumsum(axis=1)
    state, sequence = 0, []
    for draw in generator.random(bases):
        state = min(int(np.searchsorted(thresholds[state], draw)), 3)
        sequence.append("ACGT"[state])
    return sequence
