"""What the sketch of training sequences finds, by identity, with MMseqs2 as the truth.

Training sequences are chains of data/pdb_chains.tsv.xz, drawn at random; other chains of it are
tested. The identity of a tested chain is that of its best alignment to a training chain with
E < 0.001 over at least half of the shorter one. Writes benchmarks/training_sketch.json.

    python benchmarks/training_sketch.py
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from grubio.config import SplitSettings
from grubio.model.training_sketch import SKETCH_FILE, sketch_of, write_sketches
from grubio.readers.table import read_table
from grubio.sequences.alphabet import PROTEIN
from grubio.splits.homolog_groups import HomologSearch

ROOT = Path(__file__).parents[1]
TRAINING = (500, 2000, 10_000)
TESTED = 3000
BANDS = ((0.9, 1.01), (0.8, 0.9), (0.7, 0.8), (0.6, 0.7), (0.5, 0.6), (0.4, 0.5), (0.3, 0.4))


def main() -> None:
    """Measure, and write the shares that were found."""
    records = list(read_table(ROOT / "data/pdb_chains.tsv.xz"))
    order = np.random.default_rng(1).permutation(len(records))
    tested = {records[at].id: records[at].sequence for at in order[:TESTED]}
    result = {}
    for count in TRAINING:
        train = {records[at].id: records[at].sequence for at in order[TESTED : TESTED + count]}
        result[str(count)] = measured(train, tested)
        print(count, json.dumps(result[str(count)]), flush=True)
    text = json.dumps(result, indent=2) + "\n"
    (ROOT / "benchmarks/training_sketch.json").write_text(text, encoding="utf-8")


def measured(train: dict[str, str], tested: dict[str, str]) -> dict[str, object]:
    """Return the size of the sketch of training sequences, and what it finds in each band."""
    started = time.perf_counter()
    sketch = sketch_of("train", train.values(), PROTEIN)
    made = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        write_sketches(Path(folder), [sketch])
        size = (Path(folder) / SKETCH_FILE).stat().st_size
    started = time.perf_counter()
    overlap = sketch.overlap(tested, PROTEIN)
    asked = time.perf_counter() - started
    found = {*overlap.seen, *overlap.similar}
    identity = dict.fromkeys(tested, 0.0)
    unrelated = set(tested)
    search = HomologSearch(PROTEIN, SplitSettings(method="mmseqs", max_evalue=10), 2)
    for hit in search.hits(tested, train):
        unrelated.discard(hit.query)
        if hit.evalue < 1e-3 and hit.coverage >= 0.5:
            identity[hit.query] = max(identity[hit.query], hit.identity)
    bands = {
        f"{round(100 * low)}-{min(100, round(100 * high))}": share(
            [name for name, value in identity.items() if low <= value < high], found
        )
        for low, high in BANDS
    }
    return {
        "bytes": size,
        "share_of_kmers": 2.0**-sketch.halvings,
        "seconds_to_make": round(made, 2),
        "seconds_to_ask": round(asked, 2),
        "found": bands,
        "unrelated": share(list(unrelated), found),
        "seen": len(overlap.seen),
    }


def share(names: list[str], found: set[str]) -> list[float | int | None]:
    """Return the share of the names that was found, and how many names there are."""
    hits = sum(name in found for name in names)
    return [round(hits / len(names), 3) if names else None, len(names)]


if __name__ == "__main__":
    main()
