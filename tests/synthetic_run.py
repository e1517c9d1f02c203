"""A made-up run with the shapes that train and evaluate write: noisy copies of real labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grubio.files import open_input
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target

CHAINS_FILE = Path(__file__).parents[1] / "data" / "pdb_chains.tsv.xz"
HOSTILE = '<script>alert("x")</script>&\'$1$'


def labelled_chains(count: int) -> list[tuple[str, str, str]]:
    """Return the first chains of the embedded data: id, sequence, labels of eight classes."""
    with open_input(CHAINS_FILE) as handle:
        handle.readline()
        return [tuple(handle.readline().decode().split()) for _ in range(count)]  # type: ignore[misc]


def interval(value: float | None, half: float = 0.01) -> dict[str, float | None]:
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": value - half, "high": value + half}


def make_run(
    folder: Path,
    scheme: LabelScheme,
    chains: list[tuple[str, str, str]],
    *,
    skill: float = 1.6,
    seed: int = 1,
    alphabet: str = "protein",
    homologs: int = 0,
    dataset: str = "d" * 64,
    hidden_size: int = 96,
) -> Path:
    """Write a run; ``skill`` is how far the right class stands out from the noise."""
    rng = np.random.default_rng(seed)
    coarse = scheme.headline
    matrix = scheme.reduction_matrix(coarse)
    key = "q3" if coarse.name == "ss3" else "accuracy"
    folder.mkdir(parents=True)
    per_chain, rows, fine_pairs = [], [], []
    for number, (name, sequence, labels) in enumerate(chains):
        truth = scheme.encode(labels)
        noise = rng.normal(size=(len(labels), scheme.size))
        for _ in range(3):
            noise[1:-1] = (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / 3
        logits = (
            1.4 * noise
            + (skill + 0.8 * rng.normal()) * np.eye(scheme.size)[truth % 255 % scheme.size]
        )
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        known = truth != 255
        (predicted,) = best_classes([p.astype(np.float32)], scheme)
        (coarsely,) = best_classes([(p @ matrix).astype(np.float32)], coarse)
        fine_pairs.append(np.stack([truth[known], predicted[known]]))
        right = (coarsely == matrix[truth * known].argmax(axis=1))[known]
        identity = 0.3 if number < homologs else (0.18 if number % 3 else None)
        per_chain.append((name, len(labels), int(known.sum()), right.mean(), identity))
        for at in range(len(labels)):
            label = scheme.letters[predicted[at]]
            rows.append((name, at + 1, sequence[at], labels[at], str(int(known[at])), p[at], label))
    pairs = np.concatenate(fine_pairs, axis=1)
    counts = np.zeros((scheme.size, scheme.size), dtype=int)
    np.add.at(counts, (pairs[0], pairs[1]), 1)
    coarse_counts = (matrix.T @ counts @ matrix).astype(int)
    scores = coarse_counts.trace() / coarse_counts.sum()
    schemes = {coarse.name: (coarse, coarse_counts), scheme.name: (scheme, counts)}

    top = {
        key: interval(scores),
        "macro_f1": interval(scores - 0.02),
        "mcc": interval(1.5 * scores - 0.51),
        "ece": interval(0.012, 0.004),
        "ece_uncalibrated": interval(0.041, 0.004),
        f"{key}_chain_mean": interval(scores - 0.011),
    }
    if key == "q3":
        top["q8"] = interval(counts.trace() / counts.sum())
        top["sov"] = interval(scores - 0.03)
        top["sov_refine"] = interval(scores - 0.05)
    lengths = np.array([row[1] for row in per_chain])
    metrics = {
        **top,
        "classes": {
            name: {
                letter: {
                    **{m: interval(_safe(table, i), 0.02) for m in _CLASS_METRICS},
                    "support": int(table[i].sum()),
                }
                for i, letter in enumerate(one.letters)
            }
            for name, (one, table) in schemes.items()
        },
        "baselines": {
            "majority": {key: interval(coarse_counts.sum(axis=1).max() / coarse_counts.sum())},
            "window_logistic": {
                key: interval(scores - 0.094),
                "mcc": interval(1.5 * scores - 0.65),
            },
        },
        "gain_over_window_logistic": interval(0.094, 0.006),
        "by_length": [
            {
                "from": low,
                "to": high,
                "chains": int(inside.sum()),
                "residues": int(lengths[inside].sum()),
                key: interval(scores + shift, 0.02 if inside.any() else 0)
                if inside.any()
                else interval(None),
            }
            for low, high, shift in (
                (1, 100, -0.02),
                (100, 200, 0.0),
                (200, 400, 0.01),
                (400, None, -0.01),
            )
            for inside in [(lengths >= low) & (lengths < (high or 10**9))]
        ],
        "by_identity": [
            {
                "band": "none found",
                "chains": len(chains) // 3,
                "residues": 900,
                key: interval(scores - 0.01),
            },
            {
                "band": "below 25 %",
                "chains": len(chains) // 2,
                "residues": 2000,
                key: interval(scores),
            },
        ],
        "counts": {
            "chains": len(chains),
            "residues": len(rows),
            "scored_residues": int(counts.sum()),
        },
        "reduction": "H, G, I to H; E, B to E; the others to C" if key == "q3" else "",
        "provenance": {"weights_sha256": "a" * 64, "bootstrap": 1000, "seed": 1},
    }
    _write_json(folder / "metrics.json", metrics)
    model = {
        "format": 2,
        "grubio_version": "0.1.0",
        "network": {
            "name": "gru",
            "settings": {"hidden_size": hidden_size, "layers": 2, "dropout": 0.1},
        },
        "members": 1,
        "alphabet": alphabet,
        "targets": [Target("labels", "classes", scheme).as_dict() | {"temperature": 1.17}],
        "weights_sha256": "a" * 64,
        "parameters": 24 * hidden_size**2,
        "training": {
            "settings": {"seed": seed, "epochs": 8, "learning_rate": 0.004, "precision": "auto"},
            "dataset_sha256": dataset,
            "dataset_sources": {"pdb_chains.tsv.xz": "c" * 64},
            "chains": 16896,
            "residues": 3603214,
            "epochs_run": 8,
            "best_epoch": 7.0,
            "valid_score": scores + 0.002,
            "seconds": 754.2,
            "device": "cpu",
            "threads": 2,
            "versions": {"python": "3.11.2", "torch": "2.4.0", "numpy": "1.26.4"},
        },
    }
    _write_json(folder / "model" / "model.json", model)
    _write_table(
        folder / "history.csv",
        "epoch,step,residues,train_loss,valid_loss,valid_score,learning_rate,residues_per_second",
        [
            (
                e,
                600 * e,
                3603214 * e,
                1.9 * e**-0.3,
                1.85 * e**-0.28 + 0.004 * e,
                scores - 0.2 / e**1.4,
                0.004,
                52000,
            )
            for e in range(1, 9)
        ],
        ",",
    )
    _write_table(
        folder / "per_chain.tsv",
        f"id\tresidues\tscored\t{key}\tq8\tsov\tsov_refine\tnearest\tidentity\tcoverage\tevalue",
        [
            (
                name,
                size,
                scored,
                f"{score:.4f}",
                "",
                "",
                "",
                "" if near is None else "1ABC_A",
                near or "",
                "" if near is None else "0.900",
                "" if near is None else "1e-09" if near >= 0.25 else "0.5",
            )
            for name, size, scored, score, near in per_chain
        ],
    )
    _write_table(
        folder / "confusion.tsv",
        "scheme\tobserved\tpredicted\tcount",
        [
            (name, o, p, table[i, j])
            for name, (one, table) in schemes.items()
            for i, o in enumerate(one.letters)
            for j, p in enumerate(one.letters)
        ],
    )
    _write_table(
        folder / "calibration.tsv",
        "set\tlow\thigh\tconfidence\taccuracy\tcount",
        [("after", 0.0, 0.3, "", "", 0)]
        + [
            (
                which,
                c - 0.05,
                c + 0.05,
                f"{c:.3f}",
                f"{c - gap * (1 - c) - gap / 2:.3f}",
                int(9000 * c**3),
            )
            for which, gap in (("before", 0.12), ("after", 0.02))
            for c in np.arange(0.35, 1.0, 0.1)
        ],
    )
    columns = {
        "id": [r[0] for r in rows],
        "position": pa.array([r[1] for r in rows], pa.int32()),
        "residue": [r[2] for r in rows],
        "observed": [r[3] for r in rows],
        "mask": [r[4] for r in rows],
        "label": [r[6] for r in rows],
    }
    for i, letter in enumerate(scheme.letters):
        columns[f"p_{letter}"] = pa.array([float(r[5][i]) for r in rows], pa.float32())
    pq.write_table(pa.table(columns), folder / "test_predictions.parquet")
    return folder


_CLASS_METRICS = ("precision", "recall", "f1", "mcc", "average_precision")


def _safe(table: np.ndarray, i: int) -> float | None:
    return float(table[i, i] / table[i].sum()) if table[i].sum() else None


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, default=float), encoding="utf-8")


def _write_table(path: Path, header: str, rows: list[tuple], delimiter: str = "\t") -> None:
    lines = [header, *(delimiter.join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
