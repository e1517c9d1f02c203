"""What overlapping windows lose against a sequence that is labelled whole, by overlap.

Blocks of a genome, evenly spaced over its contigs, are labelled whole and then in windows, both
strands. Prints a Markdown table and writes benchmarks/genome_windows.json: for each overlap the
largest, the 99.9th percentile and the mean absolute difference of a probability, the share of
bases whose most probable class differs, and the cost: bases computed for each base kept, and the
CPU time relative to no overlap.

    python benchmarks/genome_windows.py genome.fna --model results/mine/model
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.zoo import default_model, find_model
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.sequences.windows import CORE, OVERLAP, windows

OVERLAPS = (0, 16, 32, 64, 128, 256, 512, 1024)
RESULTS = Path(__file__).with_name("genome_windows.json")


def blocks_of(path: Path, number: int, length: int) -> list[Record]:
    """Return blocks of equal length, evenly spaced over the contigs that are long enough."""
    contigs = [contig for contig in read_fasta(path) if len(contig) >= length]
    places = [
        (contig, start)
        for contig in contigs
        for start in range(0, len(contig) - length + 1, length)
    ]
    chosen = np.linspace(0, len(places) - 1, min(number, len(places))).round().astype(int)
    return [
        Record(f"{contig.id}:{start}", "", contig.sequence[start : start + length])
        for contig, start in (places[index] for index in chosen.tolist())
    ]


def answers(
    predictor: Predictor, blocks: list[Record], core: int, overlap: int
) -> tuple[npt.NDArray[np.float32], float]:
    """Return probabilities ``(base and strand, class)`` and CPU seconds.

    Blocks that are labelled whole go one at a time, for the memory that they need.
    """
    started = time.process_time()
    groups = [[block] for block in blocks] if core >= len(blocks[0]) else [blocks]
    parts = [
        probabilities
        for group in groups
        for region in predictor.regions(group, core=core, overlap=overlap)
        for probabilities in region.probabilities.values()
    ]
    seconds = time.process_time() - started
    by_strand = (np.concatenate(parts[0::2]), np.concatenate(parts[1::2]))
    return np.concatenate(by_strand), seconds


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--model", help="name or folder; the best bundled DNA model by default")
    parser.add_argument("--core", type=int, default=CORE)
    parser.add_argument("--blocks", type=int, default=16)
    parser.add_argument("--length", type=int, default=20_000, help="bases of a block")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    folder = find_model(arguments.model) if arguments.model else default_model(DNA)
    bundle = load_bundle(folder)
    predictor = Predictor(bundle, "cpu", arguments.threads)
    blocks = blocks_of(arguments.genome, arguments.blocks, arguments.length)
    if not blocks:
        parser.error(f"no contig has {arguments.length} bases")
    whole, _ = answers(predictor, blocks, arguments.length, 0)
    _, bare_seconds = answers(predictor, blocks, arguments.core, 0)
    rows = []
    for overlap in OVERLAPS:
        found, seconds = answers(predictor, blocks, arguments.core, overlap)
        difference = np.abs(found - whole)
        cut = list(windows(arguments.length, arguments.core, overlap))
        rows.append(
            {
                "overlap": overlap,
                "largest_difference": float(difference.max()),
                "difference_999": float(np.quantile(difference.max(axis=1), 0.999)),
                "mean_difference": float(difference.mean(dtype=np.float64)),
                "labels_changed": float((found.argmax(axis=1) != whole.argmax(axis=1)).mean()),
                "computed_per_base": sum(w.end - w.start for w in cut) / arguments.length,
                "windows": len(cut),
                "relative_time": seconds / bare_seconds,
            }
        )
    result = {
        "model": folder.name,
        "weights_sha256": bundle.metadata["weights_sha256"],
        "core": arguments.core,
        "default_overlap": OVERLAP,
        "blocks": len(blocks),
        "bases": len(blocks) * arguments.length,
        "overlaps": rows,
    }
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(
        "| overlap | largest difference | 99.9th percentile | mean difference | labels changed "
        "| computed per base | relative time |"
    )
    print("|" + " ---: |" * 7)
    for row in rows:
        print(
            f"| {row['overlap']} | {row['largest_difference']:.1e} | {row['difference_999']:.1e} "
            f"| {row['mean_difference']:.1e} | {100 * row['labels_changed']:.4f} % "
            f"| {row['computed_per_base']:.2f} | {row['relative_time']:.2f} |"
        )


if __name__ == "__main__":
    main()
