"""The real workflow, run by the real Snakemake on a tiny study."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import REPOSITORY
from genome_model import dna, save_genome_model
from grubio.config import Config
from grubio.config.loading import checked
from grubio.errors import GrubioError
from grubio.sequences.record import Record

pytestmark = pytest.mark.workflow

RUNS = ["both", "one.seed-1", "one.seed-2", "taught"]
OUTPUTS = ["report.html", "metrics.json", "per_chain.tsv", "confusion.tsv", "calibration.tsv"]
OUTPUTS += ["test_predictions.parquet", "history.csv", "model/model.json", "model/CARD.md"]
OUTPUTS += [
    "predictor.html",
    "model/weights.safetensors",
    "predictions/new.tsv",
    "predictions/new.fasta",
]
OUTPUTS += ["ro-crate-metadata.json", "study.yaml", "model/README.md"]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )


def jobs(output: str) -> dict[str, int]:
    """Return the number of jobs per rule that Snakemake's job table announces."""
    table = output.partition("Job stats:")[2].partition("\n\n")[0]
    rows = [re.fullmatch(r"(\w+)\s+(\d+)", line.strip()) for line in table.splitlines()]
    return {row[1]: int(row[2]) for row in rows if row and row[1] != "total"}


def write_study(folder: Path, study: Mapping[str, Any]) -> None:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(dict(study)))


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    return {
        "datasets": {
            "tiny": {"records": "chains.tsv", "prepare": {"format": "tsv", "scheme": "ss8"}},
        },
        "model": {"hidden_size": 12, "layers": 1},
        "training": {"epochs": 1},
        "evaluation": {"bootstrap": 20, "baseline_window": 5},
        "sweeps": {"one": {"base": {"dataset": "tiny"}, "vary": {"training.seed": [1, 2]}}},
        "runs": {
            "both": {"dataset": "tiny", "members": ["one.seed-1", "one.seed-2"]},
            "taught": {
                "dataset": "tiny",
                "teacher": "both",
                "training": {"processes": 2, "batch_residues": 2000},
            },
        },
        "prediction": {
            "inputs": {"new": "new.fasta"},
            "formats": ["tsv", "fasta"],
            "grammar": {"least": {"HGI": 4}},
            # Not for these runs.
            "genome": {"min_score": 0.5},
        },
        "report": {"page": True},
    }


@pytest.fixture(scope="module")
def finished(
    study: dict[str, Any], chains: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder in which the study was run from another workflow that uses ours as a module."""
    folder = tmp_path_factory.mktemp("study")
    rows = [f"{r.id}\t{r.sequence}\t{r.labels}\t{r.split}" for r in chains]
    (folder / "chains.tsv").write_text("id\tsequence\tss8\tsplit\n" + "\n".join(rows) + "\n")
    (folder / "new.fasta").write_text(">one\nMKTAYIAKQRQISFVKSHFSRQ\n>two\nGSHMGLEDPV\n")
    write_study(folder, study)
    (folder / "Snakefile").write_text(
        'configfile: "config/config.yaml"\n\n'
        f'module labels:\n    snakefile: "{REPOSITORY}/workflow/Snakefile"\n    config: config\n\n'
        "use rule * from labels\n\n"
        'rule count:\n    input: "results/both/predictions/new.tsv"\n'
        '    output: "lines.txt"\n    shell: "wc -l < {input} > {output}"\n'
    )
    done = snakemake(folder, "--cores", "2", "all", "lines.txt")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_output_of_every_run_is_there(finished: Path) -> None:
    for run in RUNS:
        for name in OUTPUTS:
            assert (finished / "results" / run / name).stat().st_size > 0, name
    assert '<a href="predictor.html">' in (finished / "results/both/report.html").read_text()
    metrics = json.loads((finished / "results/both/metrics.json").read_text())
    for name in ("q3", "q8", "sov"):
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"]
    table = (finished / "results/comparison.tsv").read_text().splitlines()
    assert sorted(line.split("\t")[0] for line in table[1:]) == RUNS
    groups = (finished / "results/comparison.groups.tsv").read_text().splitlines()
    assert sorted(line.split("\t")[:3] for line in groups[1:]) == [
        ["both", "1", "1, 2"],
        ["one", "2", "1,2"],
        ["taught", "1", "1"],
    ]
    content = json.loads((finished / "results/comparison.json").read_text())
    assert sorted(run["run"] for run in content["runs"]) == RUNS
    for name in ("comparison.svg", "comparison.groups.svg"):
        assert (finished / "results" / name).exists()
    labels = (finished / "results/both/predictions/new.fasta").read_text().split()
    assert labels[::2] == [">one", ">two"]
    assert [len(text) for text in labels[1::2]] == [22, 10]


def test_another_workflow_uses_it_as_a_module(finished: Path) -> None:
    assert (finished / "lines.txt").read_text().strip() == "33"


def test_a_second_run_does_nothing(finished: Path) -> None:
    again = snakemake(finished, "--cores", "1", "all", "lines.txt")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stderr


def test_a_changed_key_reruns_what_depends_on_it_and_nothing_else(
    finished: Path, study: dict[str, Any]
) -> None:
    def planned(**changes: Any) -> dict[str, int]:
        write_study(finished, {**study, **changes})
        try:
            done = snakemake(finished, "-n", "--quiet", "rules", "all")
            assert done.returncode == 0, done.stderr
            planned_jobs = jobs(done.stdout + done.stderr)
            planned_jobs.pop("all", None)
            return planned_jobs
        finally:
            write_study(finished, study)

    taught = {**study["runs"]["taught"], "training": {"batch_residues": 3000}}
    assert planned(runs={**study["runs"], "taught": taught}) == {
        "train": 1,
        "evaluate": 1,
        "page": 1,
        "report": 1,
        "crate": 1,
        "compare": 1,
        "predict": 1,
    }
    # What is made of other runs follows them: an ensemble, and a run that it teaches.
    longer = {"base": {"dataset": "tiny", "training": {"epochs": 2}}}
    assert planned(sweeps={"one": {**study["sweeps"]["one"], **longer}}) == {
        "train": 3,
        "combine": 1,
        "evaluate": 4,
        "page": 4,
        "report": 4,
        "crate": 4,
        "compare": 1,
        "predict": 4,
    }
    assert planned(evaluation={"bootstrap": 30, "baseline_window": 5}) == {
        "evaluate": 4,
        "report": 4,
        "crate": 4,
        "compare": 1,
    }
    assert planned(prediction={**study["prediction"], "on_invalid": "mask"}) == {"predict": 4}


def test_the_report_of_snakemake_holds_runs_and_comparison(finished: Path) -> None:
    done = snakemake(finished, "--report", "report.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(finished / "report.zip") as archive:
        names = archive.namelist()
    assert sum(name.endswith("report.html") for name in names) >= 4


def test_a_wrong_key_stops_it_with_one_line(finished: Path, study: dict[str, Any]) -> None:
    write_study(finished, {**study, "trainig": {"epochs": 2}})
    try:
        done = snakemake(finished, "-n")
    finally:
        write_study(finished, study)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "trainig: unknown key" in said
    assert "did you mean 'training'" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 8


def gpus(plan: str) -> dict[str, str]:
    """Return the resources of the rules that ask for GPUs."""
    found = re.findall(r"rule (\w+):\n(?:    .*\n)*?    resources: (.*)\n", plan)
    return {rule: resources for rule, resources in found if "gpu=" in resources}


def test_bare_snakemake_at_the_root_plans_the_whole_study() -> None:
    done = snakemake(REPOSITORY, "-n", "--forceall")
    assert done.returncode == 0, done.stderr
    assert all("gpu=0" in resources for resources in gpus(done.stdout).values())
    rules = {
        "fetch",
        "prepare",
        "split",
        "train",
        "evaluate",
        "predict",
        "report",
        "crate",
        "compare",
        "all",
    }
    assert set(jobs(done.stdout + done.stderr)) == rules


def test_the_workflow_alone_plans_the_same(tmp_path: Path) -> None:
    (tmp_path / "config").symlink_to(REPOSITORY / "config")
    arguments = ["-n", "--quiet", "rules", "--snakefile", f"{REPOSITORY}/workflow/Snakefile"]
    done = snakemake(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert jobs(done.stdout + done.stderr)["train"] == 1


def test_another_study_takes_the_place_of_the_default_one() -> None:
    # That of workflow/Snakefile as well: see the study of the protein models.
    arguments = ["-n", "--configfile", "config/pdb_full.yaml"]
    done = snakemake(REPOSITORY, *arguments, "--config", "device=cpu")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "results/pdb-full/report.html" in said
    assert "results/demo/report.html" not in said


def test_a_model_of_a_genome_writes_files_and_folders_of_tracks(tmp_path: Path) -> None:
    write_study(
        tmp_path,
        {
            "datasets": {
                "loci": {
                    "records": "new.fna",
                    "annotation": ["loci.bed"],
                    "prepare": {"format": "genome", "classes": {"tss": {"feature": "tss"}}},
                }
            },
            "runs": {"first": {"dataset": "loci"}},
            "prediction": {
                "inputs": {"new": "new.fna"},
                "calls": {"min_confidence": 0.9},
                "formats": ["bed", "bigwig", "bedgraph"],
                "genome": {"strand": "-", "min_score": 0.3},
            },
        },
    )
    (tmp_path / "new.fna").write_text(f">c\n{dna(900, 1)}\n")
    save_genome_model(tmp_path / "results/first/model")
    done = snakemake(
        tmp_path,
        *("--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "1"),
        *("--allowed-rules", "predict", "fetch", "--"),
        "results/first/predictions/new.bed",
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results/first/predictions"
    assert {line.split("\t")[5] for line in (folder / "new.bed").read_text().splitlines()} == {"-"}
    for kind, ending in (("bigwig", "bw"), ("bedgraph", "bedgraph")):
        names = [path.name for path in (folder / f"new.{kind}").glob("*.*")]
        tracks = {f"{name}.minus.{ending}" for name in ("tss", "minus_10", "coding")}
        assert {name for name in names if not name.startswith(".")} == tracks


def test_one_switch_asks_for_gpus_where_a_model_computes() -> None:
    done = snakemake(REPOSITORY, "-n", "--forceall", "--config", "device=cuda")
    assert done.returncode == 0, done.stderr
    with_gpu = gpus(done.stdout)
    assert set(with_gpu) == {"train", "evaluate", "predict"}
    assert all("gpu=1" in resources for resources in with_gpu.values())


def test_folds_and_parents_become_jobs(tmp_path: Path, study: dict[str, Any]) -> None:
    dataset = {**study["datasets"]["tiny"], "split": {"folds": 3}}
    runs = {
        "base": {"dataset": "tiny"},
        "tuned": {"dataset": "tiny", "from": "base", "model": {"dropout": 0.2}},
        "bundled": {"dataset": "whole", "from": "protein-ss-fast"},
        "again": {"dataset": "whole", "from": "protein-ss-fast", "training": {"seed": 2}},
        "mean": {"dataset": "whole", "members": ["bundled", "again"], "average_weights": True},
        "half": {
            "dataset": "whole",
            "members": ["bundled", "again"],
            "training": {"weight_precision": 16},
        },
    }
    datasets = {"tiny": dataset, "whole": study["datasets"]["tiny"]}
    prediction = {"inputs": {"new": "new.fasta"}, "shards": 2, "grammar": {"least": {"H": 4}}}
    changed = {"datasets": datasets, "sweeps": {}, "runs": runs, "prediction": prediction}
    write_study(tmp_path, {**study, **changed, "license": "MIT", "authors": ["Ada Other"]})
    (tmp_path / "chains.tsv").write_text("id\tsequence\tss8\n")
    (tmp_path / "new.fasta").touch()
    (tmp_path / "Snakefile").write_text(
        'configfile: "config/config.yaml"\n\n'
        f'module labels:\n    snakefile: "{REPOSITORY}/workflow/Snakefile"\n    config: config\n\n'
        "use rule * from labels\n"
    )
    done = snakemake(tmp_path, "-n", "-p")
    assert done.returncode == 0, done.stderr + done.stdout
    planned = jobs(done.stdout)
    counts = {"split": 1, "split_into_3_folds": 1, "train": 8, "evaluate": 10, "pool": 2}
    assert {name: planned[name] for name in counts} == counts
    assert planned["report_on_folds"] == planned["crate_of_folds"] == 2
    assert "--license MIT --author 'Ada Other'" in done.stdout
    commands = re.sub(r"\s+\\?\s*", " ", done.stdout)
    tuned = re.search(r"grubio train [^\n]*?split-fold2.parquet --from (\S+) (.*?) --log", commands)
    assert tuned
    assert tuned[1] == "results/base-fold2/model"
    # Of the network's settings only what the run itself says.
    assert "--dropout 0.2" in tuned[2]
    assert "--hidden-size" not in tuned[2]
    assert "--from protein-ss-fast --output results/bundled" in commands
    assert re.findall(r"results/mean --average-weights --threads", commands)
    assert re.findall(r"results/half --weight-precision 16 --threads", commands)
    cut = re.search(
        r"grubio shards cut (?:(?!grubio ).)*?results/bundled/model (.*?) --log", commands
    )
    assert cut
    assert """--grammar '{"least": {"H": 4}}'""" in cut[1]


def test_folds_are_trained_and_scored_together(tmp_path: Path) -> None:
    letters = np.random.default_rng(1).choice(list("ACDEFGHIKLMNPQRSTVWY"), (24, 40))
    rows = ["".join(row) for row in letters]
    classes = str.maketrans("ACDEFGHIKLMNPQRSTVWY", "HHHHHHHEEEEEEECCCCCC")
    lines = [f"c{at}\t{row}\t{row.translate(classes)}" for at, row in enumerate(rows)]
    (tmp_path / "chains.tsv").write_text("id\tsequence\tss3\n" + "\n".join(lines) + "\n")
    study = {
        "datasets": {
            "tiny": {
                "records": "chains.tsv",
                "prepare": {"format": "tsv", "scheme": "ss3"},
                "split": {"folds": 2, "valid_fraction": 0.2, "method": "kmer"},
            }
        },
        "model": {"hidden_size": 4, "layers": 1, "stem_channels": 0},
        "training": {"epochs": 1},
        "evaluation": {"bootstrap": 10, "baseline_window": 3},
        "runs": {"cv": {"dataset": "tiny"}},
    }
    write_study(tmp_path, study)
    common = ("--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--configfile")
    target = "results/cv/ro-crate-metadata.json"
    done = snakemake(tmp_path, *common, "config/config.yaml", "--cores", "2", target)
    assert done.returncode == 0, done.stderr
    planned = jobs(done.stderr)
    assert {name: planned[name] for name in ("train", "evaluate", "pool", "report_on_folds")} == {
        "train": 2,
        "evaluate": 2,
        "pool": 1,
        "report_on_folds": 1,
    }
    table = (tmp_path / "results/cv/folds.tsv").read_text().splitlines()
    assert len(table) > 2
    tested = pq.read_table(tmp_path / "results/cv/out_of_fold.parquet").to_pydict()
    assert set(tested["id"]) == {f"c{at}" for at in range(24)}
    assert (len(tested["id"]), set(tested["fold"])) == (24 * 40, {1, 2})
    page = (tmp_path / "results/cv/report.html").read_text()
    assert 'aria-labelledby="folds"' in page
    kept = yaml.safe_load((tmp_path / "results/cv/study.yaml").read_text())
    assert set(kept["runs"]) == {"cv-fold1", "cv-fold2"}


def test_profiles_are_searched_for_in_parts_unless_they_are_given(
    tmp_path: Path, study: dict[str, Any]
) -> None:
    for name in ("chains.tsv", "new.fasta", "other.fasta", "proteins.fasta"):
        (tmp_path / name).touch()
    (tmp_path / "alignments").mkdir()
    deep = {"dataset": "tiny", "model": {"inputs": ["onehot", "profile"]}}
    searched = study | {
        "profiles": {"database": "proteins.fasta", "iterations": 2, "shards": 3},
        "sweeps": {},
        "runs": {"plain": {"dataset": "tiny"}, "deep": deep},
        "prediction": {
            "inputs": {"new": "new.fasta", "other": "other.fasta"},
            "profiles": {"other": "alignments"},
        },
    }
    write_study(tmp_path, searched)
    snakefile = ("--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "1", "-n", "-p")
    plan = snakemake(tmp_path, *snakefile)
    assert plan.returncode == 0, plan.stdout
    found = jobs(plan.stdout)
    assert (found["search_dataset"], found["search_input"], found["add_profiles"]) == (3, 3, 1)
    assert "--part 2/3" in plan.stdout
    assert "--iterations 2" in plan.stdout
    assert "--profiles alignments" in plan.stdout
    assert plan.stdout.count("--profiles results/profiles/new/1-of-3.npz") == 1
    with pytest.raises(
        GrubioError, match=r"datasets.tiny: a run reads profiles; give its profiles"
    ):
        checked(Config, searched | {"profiles": {}})


def test_a_change_to_a_file_of_a_list_or_in_a_folder_is_noticed(tmp_path: Path) -> None:
    own = tmp_path / "resources/datasets/own.fasta"
    for folder in (own.parent, tmp_path / "ali"):
        folder.mkdir(parents=True)
    own.write_text(">a\nMKTAYIAKQR\n")
    (tmp_path / "labels.fasta").write_text(">a\nHHHHHHHHHH\n")
    (tmp_path / "list.txt").write_text("resources/datasets/own.fasta  # of our own\n")
    alignment = tmp_path / "ali/a.a3m"
    alignment.write_text(">a\nMKTAYIAKQR\n")
    dataset = {"records": "@list.txt", "labels": "labels.fasta", "profiles": "ali"}
    dataset |= {"prepare": {"format": "fasta", "scheme": "ss3"}}
    write_study(tmp_path, {"datasets": {"d": dataset}, "runs": {"r": {"dataset": "d"}}})
    target = "results/datasets/d/prepared.parquet"
    arguments = ("--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "1", target)

    def run(*more: str) -> dict[str, int]:
        done = snakemake(tmp_path, *arguments, *more)
        assert done.returncode == 0, done.stderr + done.stdout
        return jobs(done.stdout + done.stderr)

    assert run() == {"fetch": 2, "prepare": 1}
    assert run("-n") == {}
    alignment.write_text(">a\nMKTAYIAKQR\n>h\nMKTAYIAKQK\n")
    assert run("-n") == {"prepare": 1}
    own.write_text(">a\nMKTAYIAKQK\n")
    assert run("-n") == {"fetch": 1, "prepare": 1}


def test_the_study_of_the_protein_models_is_planned_whole(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    (tmp_path / "resources").mkdir()
    made_first = (
        "benchmark_sequences.fasta",
        "pdb_profiles_q6.npz",
        "pseudo.parquet",
        "homologs.parquet",
    )
    config = REPOSITORY / "config/protein_ss.yaml"
    header = config.read_text().partition("datasets:")[0]
    for name in made_first:
        assert f"resources/{name}" in header
        (tmp_path / "resources" / name).write_text(">stand-in\nMKV\n")
    arguments = ["-n", "--quiet", "rules", "--snakefile", f"{REPOSITORY}/workflow/Snakefile"]
    done = snakemake(tmp_path, *arguments, "--configfile", str(config))
    assert done.returncode == 0, done.stderr
    planned = jobs(done.stdout + done.stderr)
    assert (planned["train"], planned["combine"], planned["split"]) == (13, 2, 3)
    # The chains bring their profiles; those that join training have none, and need none.
    assert "add_profiles" not in planned
