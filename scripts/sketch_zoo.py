"""Give a bundled model that was made before models had one a sketch of its training sequences.

The sequences are those of the split ``train`` of datasets, made by the study of the model.

    python scripts/sketch_zoo.py ecoli-genes results/datasets/ecoli-genes/split.parquet
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from grubio.datasets.parquet import read_header, read_records
from grubio.files import write_text_whole
from grubio.model.bundle import METADATA_FILE, with_checksum
from grubio.model.training_sketch import sketch_of, write_sketches
from grubio.model.zoo import bundled_models


def main() -> None:
    """Write the sketch, and name it in ``model.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=bundled_models())
    parser.add_argument("datasets", nargs="+", type=Path)
    arguments = parser.parse_args()
    folder = bundled_models()[arguments.name]
    sequences = (
        record.sequence for path in arguments.datasets for record in read_records(path, "train")
    )
    sketch = sketch_of(arguments.name, sequences, read_header(arguments.datasets[0]).alphabet)
    # As it is on disk: a model of an older format keeps it.
    metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    metadata = with_checksum(metadata | write_sketches(folder, [sketch]))
    text = json.dumps(metadata, indent=2, sort_keys=True) + "\n"
    write_text_whole(folder / METADATA_FILE, text)
    print(f"{arguments.name}: {sketch.records} sequences, {sketch.halvings} halvings")


if __name__ == "__main__":
    main()
