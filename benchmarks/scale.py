"""Time and peak memory of ``grubio predict`` over decades of input; writes benchmarks/scale.json.

A tiny network (one layer of width 8, random weights) stands for the model: the default one would
take hours, and what is measured is all that is not the network: reading, checking, batching,
writing. Every protein and short record must come back once, in its place.

* proteins of random residues, 200 on average;
* short records, 30 residues on average;
* contigs of random bases in lines of 60, both strands, two threads;
* one protein of titin's length, labelled by ``protein-ss``.

    python benchmarks/scale.py
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grubio.model.architecture import Architecture
from grubio.model.bundle import Site, save_bundle
from grubio.model.labeller import bundle_of, new_labeller
from grubio.sequences.alphabet import DNA, PROTEIN, Alphabet
from grubio.sequences.scheme import SS3, LabelScheme
from grubio.sequences.target import Target
from measured_command import cost_of

TITIN = 40_000
LINE = 60
RESULTS = Path(__file__).with_name("scale.json")


def tiny_model(folder: Path, alphabet: Alphabet, scheme: LabelScheme, sites: bool) -> Path:
    """Write a bundle of a tiny network with random weights and return its folder."""
    torch.manual_seed(0)
    architecture = Architecture("gru", hidden_size=8, layers=1, dropout=0)
    targets = [Target("labels", "classes", scheme)]
    model = new_labeller(architecture, targets, alphabet.channel_table)
    training: dict[str, Any] = dict.fromkeys(("chains", "residues", "valid_chains"), 0)
    training |= {"valid_score": 0.0, "best_epoch": 0.0, "score_scheme": scheme.name}
    training |= {"settings": {}, "dataset_sources": {}, "dataset_sha256": ""}
    called = {scheme.letters[0]: Site(6, 0.9)} if sites else None
    save_bundle(folder, bundle_of(model, alphabet, sites=called), training)
    return folder


def write_proteins(path: Path, records: int, mean: int, seed: int = 0) -> int:
    """Write random proteins of half to one and a half times a length; return their residues."""
    generator = np.random.default_rng(seed)
    letters = np.frombuffer(PROTEIN.letters.encode(), dtype=np.uint8)
    written = 0
    with path.open("w") as out:
        for number in range(records):
            length = int(generator.integers(mean // 2, mean * 3 // 2 + 1))
            text = letters[generator.integers(0, 20, length)].tobytes().decode()
            out.write(f">{number}\n{text}\n")
            written += length
    return written


def write_contig(path: Path, bases: int, seed: int = 0) -> None:
    """Write a contig of random bases in short lines."""
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    generator = np.random.default_rng(seed)
    with path.open("wb") as out:
        out.write(b">contig\n")
        for start in range(0, bases, LINE):
            drawn = generator.integers(0, 4, min(LINE, bases - start), dtype=np.uint8)
            out.write(letters[drawn].tobytes() + b"\n")


def require_all(output: Path, records: int) -> None:
    """Raise RuntimeError unless the records of a FASTA-like output are 0, 1, 2 and so on."""
    with output.open() as lines:
        names = (line[1:].split(None, 1)[0] for line in lines if line.startswith(">"))
        found = 0
        for number, name in enumerate(names):
            if name != str(number):
                raise RuntimeError(f"record {number} came out as {name}")
            found += 1
    if found != records:
        raise RuntimeError(f"{records} records went in and {found} came out")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--proteins", type=int, nargs="*", default=[500, 5000, 50_000, 500_000])
    parser.add_argument("--short", type=int, nargs="*", default=[10_000, 100_000, 10**6, 10**7])
    parser.add_argument(
        "--contigs", type=int, nargs="*", default=[250_000, 2_500_000, 25_000_000, 250_000_000]
    )
    arguments = parser.parse_args()
    program = shutil.which("grubio") or "grubio"
    scheme = LabelScheme(
        "site", "S-", ("site", "background"), ("#0072B2", "#C4C4C4"), background="-"
    )
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        fasta, output = Path(scratch, "in.fasta"), Path(scratch, "out.fasta")
        proteins = tiny_model(Path(scratch, "proteins"), PROTEIN, SS3, False)
        genome = tiny_model(Path(scratch, "genome"), DNA, scheme, True)

        def labelled(model: Path | str, threads: int, written: Path) -> dict[str, float]:
            command = [program, "predict", str(fasta), "--model", str(model)]
            cost = cost_of([*command, "--threads", str(threads), "-o", str(written)])
            return cost._asdict()

        for kind, counts, mean in (
            ("proteins", arguments.proteins, 200),
            ("short records", arguments.short, 30),
        ):
            rows = []
            for records in counts:
                residues = write_proteins(fasta, records, mean)
                rows.append(
                    {"records": records, "residues": residues, **labelled(proteins, 1, output)}
                )
                require_all(output, records)
                print(kind, rows[-1], flush=True)
            result[kind] = rows
        contigs = []
        for bases in arguments.contigs:
            write_contig(fasta, bases)
            cost = labelled(genome, 2, Path(scratch, "sites.bed"))
            contigs.append({"records": 1, "residues": bases, **cost})
            print("contig", contigs[-1], flush=True)
        result["contigs"] = contigs
        fasta.write_text(">0 titin\n" + "MKTAYIAKQR" * (TITIN // 10) + "\n")
        result["titin"] = {"records": 1, "residues": TITIN, **labelled("protein-ss", 1, output)}
        require_all(output, 1)
        print("titin", result["titin"], flush=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
