"""The model card of a run with the head that Hugging Face's hub reads, ``model/README.md``.

The head is YAML as in https://huggingface.co/docs/hub/model-cards, with the scores of the test set
as a ``model-index``. The text is the card of the bundle, and a table of the scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from grubio.model.card import card
from grubio.runs.files import MODEL_FOLDER
from grubio.runs.folder import Run
from grubio.runs.numbers import range_text, score_text
from grubio.runs.score_names import SCORES

HUB_CARD = "README.md"

_TYPES = {
    "q3": "accuracy",
    "q8": "accuracy",
    "accuracy": "accuracy",
    "macro_f1": "f1",
    "mcc": "matthews_correlation",
    "spearman": "spearmanr",
    "pearson": "pearsonr",
    "mean_absolute_error": "mae",
}
"""The names of the hub for our scores; others keep their own."""


def hub_card(run: Run, license_id: str | None = None) -> str:
    """Return the card of a run's model as Markdown with a YAML head.

    Parameters
    ----------
    run
        A trained and evaluated run.
    license_id
        SPDX identifier of the licence of the model, such as ``MIT``.
    """
    head = yaml.safe_dump(_head(run, license_id), sort_keys=False, allow_unicode=True)
    rows = "".join(
        f"| {SCORES[key].title} | {score_text(key, score.value)} | {range_text(key, score)} |\n"
        for key, score in run.metrics.scores.items()
        if key in SCORES and score.value is not None
    )
    table = f"\n## Test scores\n\n| score | value | 95 % interval |\n| --- | --- | --- |\n{rows}"
    use = "\n## Use\n\n```sh\npip install grubio\ngrubio predict new.fasta --model FOLDER\n```\n"
    return f"---\n{head}---\n\n{card(run.model).rstrip()}\n{table}{use}"


def hub_card_path(folder: Path) -> Path:
    """Return where the card of a run lies: beside the weights, so that the folder is complete."""
    return folder / MODEL_FOLDER / HUB_CARD


def _head(run: Run, license_id: str | None) -> dict[str, Any]:
    metrics = run.metrics.scores
    kind = "token-classification" if not run.of_values else "other"
    name = "Labels of residues" if not run.of_values else "Values of residues"
    shown = [key for key in metrics if key in SCORES and metrics[key].value is not None]
    results = [
        {"type": _TYPES.get(key, key), "name": SCORES[key].title, "value": metrics[key].value}
        for key in [run.score_key, *(key for key in shown if key != run.score_key)]
    ]
    tested = run.metrics.provenance
    data = {
        "type": "local",
        "name": ", ".join(sorted(tested.get("dataset_sources", {}))) or "unknown",
        "split": tested.get("split", "test"),
        "revision": tested.get("dataset_sha256", "unknown"),
    }
    head: dict[str, Any] = {
        "library_name": "grubio",
        "tags": ["biology", str(run.model["alphabet"]), str(run.model["network"]["name"])],
        "model-index": [
            {
                "name": run.name,
                "results": [
                    {"task": {"type": kind, "name": name}, "dataset": data, "metrics": results}
                ],
            }
        ],
    }
    if kind != "other":
        head["pipeline_tag"] = kind
    head["metrics"] = sorted({_TYPES[key] for key in shown if key in _TYPES})
    return {"license": license_id.lower(), **head} if license_id else head
