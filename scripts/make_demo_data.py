"""Choose the demonstration data from the whole PDB set.

Reads data/pdb_chains.tsv.xz and writes grubio/data/pdb_demo.tsv.xz (chains with labels and a
split) and grubio/data/example_proteins.fasta (chains without labels). Needs MMseqs2; takes about
five minutes on two cores. The same input and versions give the same bytes.

Chains of 40 to 500 residues are taken in random order. First the examples, then the test and the
validation chains, each without a homolog among those chosen before; then training chains that
have no homolog among these and at most one among the training chains chosen before. Training
chains that a last search of the choice finds homologous to the others are dropped.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from grubio.config import SplitSettings
from grubio.sequences.alphabet import PROTEIN
from grubio.splits.homology.search import find_hits

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "data/pdb_chains.tsv.xz"
CHAINS = ROOT / "grubio/data/pdb_demo.tsv.xz"
EXAMPLES = ROOT / "grubio/data/example_proteins.fasta"

SEED = 20261124
EXAMPLE_COUNT, TEST_COUNT, VALID_COUNT, TRAIN_COUNT = 8, 400, 350, 4500
# E-values grow with the number of residues searched. The whole set is five times the demonstration
# set, so a limit ten times the usual one leaves no pair that the audit would call homologous.
CRITERION = SplitSettings(method="mmseqs", max_evalue=0.1)


def homologs(chains: dict[str, str], threads: int) -> dict[str, set[str]]:
    """Return the homologs of each chain."""
    related: dict[str, set[str]] = defaultdict(set)
    for hit in find_hits(chains, chains, PROTEIN, CRITERION, threads):
        if hit.is_homolog(CRITERION):
            related[hit.query].add(hit.target)
            related[hit.target].add(hit.query)
    return related


def choose(chains: dict[str, str], related: dict[str, set[str]]) -> dict[str, str]:
    """Return the part (example, test, valid or train) of every chosen chain."""
    order = [name for name, sequence in sorted(chains.items()) if 40 <= len(sequence) <= 500]
    np.random.default_rng(SEED).shuffle(order)
    part: dict[str, str] = {}
    for name, count, shortest, longest in (
        ("example", EXAMPLE_COUNT, 60, 400),
        ("test", TEST_COUNT, 40, 500),
        ("valid", VALID_COUNT, 40, 500),
    ):
        chosen = 0
        for chain in order:
            fits = shortest <= len(chains[chain]) <= longest
            # A chain with many relatives would cost too many training chains.
            few = len(related[chain]) <= 8
            if fits and few and chain not in part and part.keys().isdisjoint(related[chain]):
                part[chain] = name
                chosen += 1
            if chosen == count:
                break
    chosen = 0
    for chain in order:
        around = [part.get(other) for other in related[chain]]
        free = not any(other in ("example", "test", "valid") for other in around)
        if chain not in part and free and around.count("train") <= 1:
            part[chain] = "train"
            chosen += 1
        if chosen == TRAIN_COUNT:
            break
    return part


def without_leaks(part: dict[str, str], chains: dict[str, str], threads: int) -> dict[str, str]:
    """Return the parts without training chains that an audit would call homologous.

    A search finds a little more in a smaller set, so the chosen chains are searched once more.
    """
    held = {name: chains[name] for name in part if part[name] != "train"}
    train = {name: chains[name] for name in part if part[name] == "train"}
    leaks = {
        found
        for queries, targets in ((held, train), (train, held))
        for hit in find_hits(queries, targets, PROTEIN, CRITERION, threads)
        if hit.is_homolog(CRITERION)
        for found in (hit.query, hit.target)
        if found in train
    }
    return {name: chosen for name, chosen in part.items() if name not in leaks}


def main() -> None:
    """Choose and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    threads = parser.parse_args().threads
    with lzma.open(SOURCE, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    chains = {row["id"]: row["sequence"] for row in rows}
    part = without_leaks(choose(chains, homologs(chains, threads)), chains, threads)
    table = ["id\tsequence\tss8\tsplit"]
    table += [
        f"{row['id']}\t{row['sequence']}\t{row['ss8']}\t{part[row['id']]}"
        for row in rows
        if part.get(row["id"], "example") != "example"
    ]
    CHAINS.parent.mkdir(exist_ok=True)
    CHAINS.write_bytes(
        lzma.compress(("\n".join(table) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)
    )
    examples = [name for name in chains if part.get(name) == "example"]
    EXAMPLES.write_text(
        "".join(f">{name} length={len(chains[name])}\n{chains[name]}\n" for name in examples)
    )
    for name in ("train", "valid", "test", "example"):
        chosen = [chain for chain in part if part[chain] == name]
        print(f"{name}: {len(chosen)} chains, {sum(len(chains[c]) for c in chosen)} residues")
    print(f"{CHAINS.name}: {CHAINS.stat().st_size} bytes")


if __name__ == "__main__":
    main()
