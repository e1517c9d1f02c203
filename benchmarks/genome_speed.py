"""Time and memory of a bacterial genome, both strands; writes benchmarks/genome_speed.json.

The genome is labelled with the bundled ``ecoli-promoters`` as it is, and as contigs that are a part
of it or several times as long (the genome, end to end).

    python benchmarks/genome_speed.py GCF_000005845.2_ASM584v2_genomic.fna.gz --threads 2
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from pathlib import Path

from grubio.readers.fasta import read_fasta
from measured_command import cost_of

MODEL = "ecoli-promoters"
RESULTS = Path(__file__).with_name("genome_speed.json")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--times", type=float, nargs="+", default=[0.1, 1, 10])
    arguments = parser.parse_args()
    program = shutil.which("grubio") or "grubio"
    (contig, *_) = read_fasta(arguments.genome)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        fasta, sites = Path(scratch, "genome.fna"), Path(scratch, "sites.bed")
        for times in arguments.times:
            text = contig.sequence * math.ceil(times)
            text = text[: int(len(contig) * times)]
            fasta.write_text(f">contig\n{text}\n")
            options = ["--model", MODEL, "--threads", str(arguments.threads)]
            cost = cost_of([program, "predict", str(fasta), "-o", str(sites), *options])
            rows.append({"bases": len(text), **cost._asdict()})
            print(rows[-1], flush=True)
    result = {"model": MODEL, "threads": arguments.threads, "contigs": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
