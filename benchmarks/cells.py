"""Train and score all runs of a study side by side, each with one thread, without Snakemake.

    python benchmarks/cells.py --dataset split.parquet --audit audit.tsv --output results --jobs 16

Each run leaves what ``snakemake --cores all --configfile config/cells.yaml`` leaves, but for pages,
which ``grubio report`` and ``grubio compare`` make afterwards. A run that is complete is not done
again, so a call that was stopped goes on.

``--archive FILE`` packs all runs but their predictions of single residues, which are large.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grubio.config import Config, RunSettings
from grubio.config.loading import as_options, load_config
from grubio.runs.files import METRICS_FILE, MODEL_FOLDER, TENSORBOARD_FOLDER, TEST_PREDICTIONS_FILE


def by_seed(study: Config) -> Mapping[str, RunSettings]:
    """Return the runs, those of the first seed first: what is stopped early is still balanced."""
    return dict(sorted(study.runs.items(), key=lambda item: item[1].training.seed))


def one_run(
    name: str, run: RunSettings, options: argparse.Namespace, until: float
) -> tuple[str, float]:
    """Train and score a run unless it is complete or time is up; return its name and seconds."""
    folder, started = options.output / name, time.monotonic()
    if (folder / METRICS_FILE).exists() or started > until:
        return name, 0.0
    common = ["--threads", "1", "--device", "cpu", "--quiet"]
    training = [*as_options(run.model), *as_options(run.training), *common]
    scoring = ["--model", folder / MODEL_FOLDER, "--dataset", options.dataset]
    scoring += ["--audit", options.audit, "--output", folder, *as_options(run.evaluation), *common]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for command in (
        ["train", options.dataset, "--output", folder, *training],
        ["evaluate", *scoring],
    ):
        grubio = [sys.executable, "-m", "grubio", *map(str, command)]
        subprocess.run(grubio, check=True, env=environment, stdout=subprocess.DEVNULL)
    return name, time.monotonic() - started


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config/cells.yaml"))
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--audit", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no run after")
    parser.add_argument("--archive", type=Path)
    options = parser.parse_args()
    runs, until = by_seed(load_config(options.config)), time.monotonic() + options.seconds
    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(one_run, name, run, options, until) for name, run in runs.items()]
        for job in jobs:
            if error := job.exception():
                print(error, flush=True)
            else:
                print("{}: {:.0f} s".format(*job.result()), flush=True)
    if options.archive:
        left_out = {TEST_PREDICTIONS_FILE, TENSORBOARD_FOLDER}
        with tarfile.open(options.archive, "w:gz") as archive:
            for path in sorted(options.output.glob("*/*")):
                if path.name not in left_out and (path.parent / METRICS_FILE).exists():
                    archive.add(path, path.relative_to(options.output))


if __name__ == "__main__":
    main()
