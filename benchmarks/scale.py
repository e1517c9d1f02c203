"""Time and peak memory of ``grubio predict`` over decades of input; writes benchmarks/scale.json.

Proteins of random residues and lengths are labelled by a tiny network (one layer of width 8,
random weights), for the default model would take hours and what is measured is all that is not the
network: reading, checking, batching, writing. One protein of titin's length is labelled by
``protein-ss``, and ids alone are read from a file of --ids records.

    python benchmarks/scale.py --residues 100000 1000000 10000000
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from grubio.alphabet import DNA, PROTEIN, Alphabet
from grubio.bundle import Site, save_bundle
from grubio.model import Architecture, BiGRULabeller
from grubio.scheme import SS3, LabelScheme
from measured_command import cost_of

TITIN = 40_000
READER = "from grubio.readers.fasta import read_fasta\nfor _ in read_fasta({!r}): pass"
RESULTS = Path(__file__).with_name("scale.json")


def tiny_model(folder: Path, alphabet: Alphabet, scheme: LabelScheme, sites: bool) -> Path:
    """Write a bundle of a tiny network with random weights and return its folder."""
    torch.manual_seed(0)
    shape = Architecture(alphabet.channels, scheme.size, hidden_size=8, layers=1, dropout=0)
    model = BiGRULabeller(shape, alphabet.channel_table)
    training = dict.fromkeys(("chains", "residues", "valid_chains"), 0)
    training |= {"valid_score": 0.0, "best_epoch": 0.0, "score_scheme": scheme.name}
    training |= {"settings": {}, "dataset_sources": {}, "dataset_sha256": ""}
    called = {scheme.letters[0]: Site(6, 0.9)} if sites else None
    save_bundle(folder, model, alphabet, scheme, 1.0, training, sites=called)
    return folder


def write_proteins(path: Path, residues: int, mean: int, seed: int = 0) -> int:
    """Write random proteins and return how many."""
    generator = np.random.default_rng(seed)
    letters = np.frombuffer(PROTEIN.letters[:20].encode(), dtype=np.uint8)
    written = number = 0
    with path.open("w") as out:
        while written < residues:
            length = int(generator.integers(mean // 2, mean * 3 // 2 + 1))
            text = letters[generator.integers(0, 20, length)].tobytes().decode()
            out.write(f">protein{number}\n{text}\n")
            written += length
            number += 1
    return number


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residues", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    parser.add_argument("--mean", type=int, default=200, help="mean length of a protein")
    parser.add_argument("--ids", type=int, default=10_000_000)
    parser.add_argument("--contig", type=int, default=250_000_000)
    arguments = parser.parse_args()
    program = shutil.which("grubio") or "grubio"
    result: dict[str, object] = {"mean_length": arguments.mean, "threads": 1}
    with tempfile.TemporaryDirectory() as scratch:
        fasta, output = Path(scratch, "in.fasta"), Path(scratch, "out.fasta")
        model = tiny_model(Path(scratch, "proteins"), PROTEIN, SS3, False)
        options = ["--threads", "1", "-o", str(output)]
        rows = []
        for residues in arguments.residues:
            records = write_proteins(fasta, residues, arguments.mean)
            cost = cost_of([program, "predict", str(fasta), "--model", str(model), *options])
            found = sum(line.startswith(">") for line in output.open())
            if found != records:
                raise RuntimeError(f"{records} records went in and {found} came out")
            rows.append({"residues": residues, "records": records, **cost._asdict()})
            print(rows[-1], flush=True)
        result["proteins"] = rows
        fasta.write_text(">titin\n" + "MKTAYIAKQR" * (TITIN // 10) + "\n")
        cost = cost_of([program, "predict", str(fasta), "--model", "protein-ss", *options])
        result["titin"] = {"residues": TITIN, **cost._asdict()}
        print(result["titin"], flush=True)
        with fasta.open("w") as out:
            for number in range(arguments.ids):
                out.write(f">record{number}\nMK\n")
        cost = cost_of([sys.executable, "-c", READER.format(str(fasta))])
        result["ids"] = {"records": arguments.ids, **cost._asdict()}
        print(result["ids"], flush=True)
        if arguments.contig:
            letters = np.frombuffer(b"ACGT", dtype=np.uint8)
            drawn = np.random.default_rng(0).integers(0, 4, arguments.contig, dtype=np.uint8)
            fasta.write_bytes(b">contig\n" + letters[drawn].tobytes() + b"\n")
            del drawn
            scheme = LabelScheme(
                "site", "S-", ("site", "background"), ("#0072B2", "#C4C4C4"), background="-"
            )
            model = tiny_model(Path(scratch, "genome"), DNA, scheme, True)
            options = ["--threads", "2", "-o", str(Path(scratch, "sites.bed"))]
            cost = cost_of([program, "predict", str(fasta), "--model", str(model), *options])
            result["contig"] = {"bases": arguments.contig, **cost._asdict()}
            print(result["contig"], flush=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
