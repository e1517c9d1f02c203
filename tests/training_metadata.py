"""What a bundle must say of its training, for models that had none."""

from __future__ import annotations

from typing import Any

TRAINING: dict[str, Any] = {
    "chains": 1,
    "residues": 2,
    "dataset_sha256": "",
    "dataset_sources": {},
    "settings": {"seed": 1},
    "valid_score": 0.5,
    "valid_chains": 1,
    "score_scheme": "ss8",
    "best_epoch": 1,
}
