"""Provenance of a run as tables: settings, course of training, data, versions and hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grubio.runs.folder import Run


def facts(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return tables of settings, versions and hashes: titles, each with rows ``(name, text)``."""
    training = run.training
    top = ("grubio_version", "alphabet", "parameters", "weights_sha256")
    about_data = ("dataset_sha256", "chains", "residues", "valid_chains")
    course = ("epochs_run", "best_epoch", "valid_score", "seconds", "device", "threads")
    tested = run.metrics.counts.model_dump(exclude_none=True)
    counts = {f"test {key}": value for key, value in tested.items()}
    tables: list[tuple[str, Mapping[str, Any]]] = [
        (
            "Model",
            {
                **run.network,
                **_of_target(run),
                **_present(run.model, top),
            },
        ),
        ("Training settings", training.get("settings") or {}),
        ("Course of training", _present(training, course)),
        ("Data", _present(training, about_data)),
        ("Data sources (SHA-256)", training.get("dataset_sources") or {}),
        ("Software", training.get("versions") or {}),
        ("Evaluation", {**counts, **run.metrics.provenance}),
    ]
    return [(title, flattened(content)) for title, content in tables if content]


def _of_target(run: Run) -> dict[str, Any]:
    main = run.model["targets"][0]
    if not run.of_values:
        return {"scheme": run.scheme.name, "temperature": main.get("temperature")}
    keys = ("range", "mean", "deviation", "deviation_factor")
    return {"value": run.main.name, **_present(main, keys)}


def flattened(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as rows ``(key, value)`` with dotted keys.

    Examples
    --------
    >>> flattened({"a": {"b": 1}, "c": ["x", "y"], "d": None})
    [('a.b', '1'), ('c', 'x, y'), ('d', 'none')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            rows += flattened(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", _as_text(value)))
    return rows


def _present(content: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: content[key] for key in keys if key in content}


def _as_text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_as_text(item) for item in value)
    return str(value)
