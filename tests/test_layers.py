"""The shape of the code: imports run downhill, and starting is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys

from conftest import REPOSITORY

PACKAGE = REPOSITORY / "grubio"
HEAVY = {"torch", "sklearn", "scipy", "matplotlib", "pytorch_lightning", "pyarrow", "Bio", "pooch"}
HEAVY |= {"polars", "pybigtools", "lightmotif", "gffutils", "logomaker", "pandas"}
# From the bottom of the hill to the top; a module may import from its own layer and below.
LAYERS = [
    {"errors", "data", "zoo", "sources"},
    {"alphabet", "scheme", "record", "files", "locus", "sites", "windows", "repeats"},
    {"columns", "parquet_groups"},
    {"config", "config_loading", "membership", "dataset", "embedded", "audit"},
    {
        "readers",
        "stretches",
        "checking",
        "shard_plan",
        "homology",
        "batching",
        "metrics",
        "segment_overlap",
        "calibration",
        "segments",
    },
    {
        "model",
        "packed_labeller",
        "packed_rows",
        "gru_gradient",
        "data_parallel",
        "devices",
        "bundle",
        "baselines",
        "painting",
        "site_scoring",
        "site_matching",
        "position_weights",
        "independence",
        "site_metrics",
        "base_metrics",
        "dna_baselines",
    },
    {
        "inference",
        "fitting",
        "homolog_augmentation",
        "losses",
        "progress",
        "training_progress",
        "writers",
        "scoring",
        "genome_evaluation",
        "genome_headline",
        "exposure",
        "thresholds",
        "training_data",
        "window_sampling",
        "called_features",
        "motif_formats",
        "motif_sites",
        "mutagenesis",
        "labelled_sequence",
        "labelled_contig",
        "view",
        "predictions_table",
    },
    {"fitting_plan", "trainer"},
    {
        "fetch",
        "prepare",
        "prepare_genome",
        "split",
        "homolog_groups",
        "block_split",
        "training",
        "evaluation",
        "prediction",
        "planning",
        "genome_prediction",
        "report",
        "comparison",
        "group_files",
        "run_groups",
    },
    {"shard_files"},
    {"sharding"},
    {"resumable_prediction"},
    {"combination", "motifs", "doctor", "study_folder", "api"},
    # The door of the package: it imports the API when it is asked for.
    {"__init__"},
    {"cli"},
]


def imported_modules(source: str) -> set[str]:
    """Return the first part below ``grubio`` of every import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grubio."):
            found.add((node.module or "").split(".")[1])
    return found


def test_imports_run_downhill() -> None:
    height = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        assert own in height, f"{own} has no layer"
        for other in imported_modules(path.read_text()):
            assert height[other] <= height[own], f"{path.name} imports grubio.{other} uphill"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nsys.argv = ['grubio', '--help']\nfrom grubio.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert "predict" in done.stdout
