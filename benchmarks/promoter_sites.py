"""Scores of the bundled promoter model on its test blocks, beside those of the baselines.

Takes them out of the metrics of ``grubio evaluate``, and the motifs out of those of
``grubio motifs``, and writes benchmarks/ecoli_promoters.json.

    grubio evaluate --model ecoli-promoters --dataset split.parquet --audit audit.tsv \
        --output results/promoters
    grubio motifs --model ecoli-promoters --dataset split.parquet --output results/promoters/motifs
    python benchmarks/promoter_sites.py results/promoters

The dataset is that of config/ecoli_promoters.yaml; its hash is compared with that of the model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from grubio.errors import GrubioError
from grubio.files import write_text_whole
from grubio.model.bundle import load_metadata
from grubio.model.zoo import find_model

MODEL = "ecoli-promoters"
RESULTS = Path(__file__).with_name("ecoli_promoters.json")


def measured(run: Path) -> dict[str, Any]:
    """Return the scores of a run's folder.

    Raises
    ------
    GrubioError
        If they are of another model, or of a dataset that the model was not trained on.
    """
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    motifs = json.loads((run / "motifs/motifs.json").read_text(encoding="utf-8"))
    model = load_metadata(find_model(MODEL))
    provenance = metrics["provenance"]
    if provenance["weights_sha256"] != model["weights_sha256"]:
        raise GrubioError(f"is of another model than {MODEL}", path=run / "metrics.json")
    if provenance["dataset_sha256"] != model["training"]["dataset_sha256"]:
        raise GrubioError("is of another dataset than the model's", path=run / "metrics.json")
    return {
        "model": MODEL,
        "weights_sha256": provenance["weights_sha256"],
        "dataset_sha256": provenance["dataset_sha256"],
        "bootstrap": provenance["settings"]["bootstrap"],
        "blocks": metrics["counts"]["blocks"],
        "classes": list(metrics["sites"].values()),
        "consensus": {name: motif["site_consensus"] for name, motif in motifs.items()},
    }


def main() -> None:
    """Read and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of metrics.json and motifs/")
    results = measured(parser.parse_args().run)
    write_text_whole(RESULTS, json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
