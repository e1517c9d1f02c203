"""How far a study is, told from files that look like those of a study at work."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import yaml

from grubio.errors import GrubioError
from grubio.study.snakemake_log import SnakemakeLog, failure_report, jobs_of, read_snakemake_log
from grubio.study.status import (
    RunStatus,
    is_over,
    status_lines,
    status_table,
    study_status,
    watch_status,
)

HISTORY = "epoch,step,residues,train_loss,valid_loss,valid_score,learning_rate,residues_per_second"
INFO = """\
[Thu Nov 26 09:56:15 2026]
{kind} {rule}:
    input: a, b
    output: c
    log: logs/{rule}/{name}.log
    jobid: {number}
    wildcards: {wildcards}
    resources: tmpdir=/tmp
"""
ERROR = """\
[Thu Nov 26 09:56:16 2026]
Error in rule {rule}:
    message: None
    jobid: {number}
    output: c
    log: logs/{rule}/{name}.log (check log file(s) for error details)
    shell:
        grubio {rule}
        (command exited with non-zero exit code)
"""
GROUP_ERROR = """\
    message: SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'.
    jobs:
        rule prepare:
            jobid: 1
            output: c
            log: logs/prepare/d.log (check log file(s) for error details)
"""


def started(number: int, rule: str, name: str, wildcards: str, kind: str = "rule") -> str:
    return INFO.format(kind=kind, rule=rule, name=name, number=number, wildcards=wildcards)


def failed(number: int, rule: str, name: str) -> str:
    return ERROR.format(rule=rule, name=name, number=number)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    content = {
        "datasets": {
            name: {"records": f"{name}.tsv", "prepare": {"format": "tsv"}} for name in "de"
        },
        "training": {"epochs": 4},
        "runs": {"one": {"dataset": "d"}, "two": {"dataset": "e"}},
        "prediction": {"inputs": {"new": "n.fasta"}, "formats": ["tsv"]},
    }
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / ".snakemake/log").mkdir(parents=True)
    (tmp_path / ".snakemake/locks").mkdir()
    write(tmp_path, "logs/prepare/d.log", "logs/fetch/f.log", "logs/train/one.log")
    return tmp_path


def says(study: Path, text: str, running: bool = True) -> None:
    (study / ".snakemake/log/2026-11-26T095610.1.snakemake.log").write_text(text)
    lock = study / ".snakemake/locks/0.input.lock"
    lock.touch() if running else lock.unlink(missing_ok=True)


def write(study: Path, *names: str) -> None:
    for name in names:
        (study / name).parent.mkdir(parents=True, exist_ok=True)
        (study / name).write_text("{}")


def stages(study: Path) -> list[str]:
    return [row.stage for row in study_status(study)]


def test_a_study_that_was_not_begun_waits(study: Path) -> None:
    assert stages(study) == ["waits for prepare"] * 2


def test_a_step_of_a_dataset_is_the_stage_of_its_runs_alone(study: Path) -> None:
    says(study, started(1, "prepare", "d", "dataset=d"))
    assert stages(study) == ["prepare", "waits for prepare"]
    says(study, started(1, "fetch", "f", "file=datasets/e/records0/e.tsv", "localrule"))
    assert stages(study) == ["waits for prepare", "fetch"]


def test_a_training_tells_its_epoch_time_and_score(study: Path) -> None:
    write(study, "results/datasets/d/prepared.parquet", "results/datasets/d/split.parquet")
    says(study, started(1, "train", "one", "run=one"))
    assert study_status(study)[0] == RunStatus("one", "train, epoch 0 of 4")
    history = study / "results/one/history.csv"
    write(study, "results/one/history.csv")
    history.write_text(f"{HISTORY}\n1,10,6000,1,1,0.6123,0.1,100\n")
    row = study_status(study)[0]
    assert (row.stage, row.score) == ("train, epoch 1 of 4", "0.6123 on validation")
    assert row.left == pytest.approx(180, abs=5)
    assert row.cells[2] in ("2:59 at most", "2:58 at most", "2:57 at most")
    # A history that was last written a minute ago is a minute nearer to the end.
    os.utime(history, (time.time() - 60,) * 2)
    left = study_status(study)[0].left
    assert left == pytest.approx(120, abs=5)
    says(study, started(1, "train", "one", "run=one"), running=False)
    assert study_status(study)[0].stage == "stopped in train"


def test_a_history_that_is_being_written_is_no_error(study: Path) -> None:
    says(study, started(1, "train", "one", "run=one"))
    write(study, "results/one/history.csv")
    (study / "results/one/history.csv").write_text(f"{HISTORY}\n1,")
    assert study_status(study)[0] == RunStatus("one", "train, epoch 0 of 4")


def test_what_failed_is_told_with_its_log_once(study: Path) -> None:
    says(study, started(1, "prepare", "d", "dataset=d") + failed(1, "prepare", "d"))
    rows = study_status(study)
    assert [row.stage for row in rows] == ["failed: prepare", "waits for prepare"]
    log = read_snakemake_log(study)
    expected = ["0 of 3 runs done", "prepare d failed: logs/prepare/d.log"]
    assert status_lines([*rows, rows[0]], log)[-2:] == expected
    says(study, started(1, "compare", "all", "") + failed(1, "compare", "all"), running=False)
    end = status_lines([RunStatus("one", "done")], read_snakemake_log(study))[-3:]
    assert end[:2] == ["1 of 1 run done", "compare failed: logs/compare/all.log"]
    assert end[2].startswith("no Snakemake is at work here")


def test_a_step_without_its_log_is_queued_and_a_labelling_tells_its_shards(study: Path) -> None:
    config = yaml.safe_load((study / "config/config.yaml").read_text())
    config["prediction"] = {"inputs": {"new": "n.fasta", "old": "o.fasta"}, "shards": 3}
    (study / "config/config.yaml").write_text(yaml.safe_dump(config))
    says(study, started(1, "label", "new", "run=one, input=new, scatteritem=2-of-3"))
    assert stages(study)[0] == "label, queued or starting"
    write(study, "logs/label/new.log", "results/one/predictions/old.tsv")
    write(study, "results/one/shards/new/1-of-3.probabilities.parquet")
    assert stages(study)[0] == "label, 4 of 6 shards"


def test_a_job_that_failed_and_then_ended_well_did_not_fail(study: Path) -> None:
    first = started(1, "train", "one", "run=one")
    says(study, first + failed(1, "train", "one") + first)
    assert stages(study)[0] == "train, epoch 0 of 4"
    says(study, first + failed(1, "train", "one") + first + "Finished jobid: 1 (Rule: train)\n")
    assert read_snakemake_log(study).failed == []


def test_a_run_is_done_when_all_its_files_are_there(study: Path) -> None:
    names = ["datasets/e/prepared.parquet", "datasets/e/split.parquet", "two/model/model.json"]
    names += ["two/predictions/new.tsv"]
    write(study, *(f"results/{name}" for name in names))
    assert stages(study)[1] == "waits for evaluate"
    score = '{"q3": {"value": 0.7, "low": 0.6, "high": 0.8}, "provenance": {}, "classes": {}}'
    (study / "results/two/metrics.json").write_text(score)
    write(study, "results/two/report.html")
    assert stages(study)[1] == "waits for crate"
    write(study, "results/two/ro-crate-metadata.json")
    row = study_status(study)[1]
    assert row.cells == ("two", "done", "", "Q3 70.0 %")
    assert status_table([row]) == "run\tstage\tleft\tscore\ntwo\tdone\t\tQ3 70.0 %\n"
    (study / "results/two/predictions/new.tsv").unlink()
    assert stages(study)[1] == "waits for predict"


def test_what_is_out_of_date_waits(study: Path) -> None:
    names = ["datasets/d/prepared.parquet", "datasets/d/split.parquet", "one/model/model.json"]
    names += ["one/metrics.json", "one/history.csv", "one/report.html"]
    names += ["one/predictions/new.tsv", "one/ro-crate-metadata.json"]
    write(study, *(f"results/{name}" for name in names))
    score = '{"q3": {"value": 0.7, "low": 0.6, "high": 0.8}, "provenance": {}, "classes": {}}'
    (study / "results/one/metrics.json").write_text(score)
    write(study, *(f"results/{name}" for name in names[5:]))
    model = study / "results/one/model/model.json"
    config = study / "config/config.yaml"
    network = {"settings": {"layers": 2, "hidden_size": 96}}

    def trained(epochs: int) -> None:
        times = model.stat()
        settings = {"epochs": epochs, "seed": 1}
        model.write_text(json.dumps({"training": {"settings": settings}, "network": network}))
        os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))

    trained(4)
    assert study_status(study)[0].cells == ("one", "done", "", "Q3 70.0 %")
    trained(3)
    assert study_status(study)[0].cells == ("one", "waits for train", "", "")
    trained(4)
    before = config.read_text()
    config.write_text(before + "model: {layers: 1}\n")
    assert stages(study)[0] == "waits for train"
    config.write_text(before)
    write(study, "results/datasets/d/prepared.parquet")
    assert study_status(study)[0].stage == "waits for split"
    write(study, "results/datasets/d/split.parquet")
    assert stages(study)[0] == "waits for train"
    model.touch()
    row = study_status(study)[0]
    assert (row.stage, row.score) == ("waits for evaluate", "")


def test_a_group_of_jobs_that_failed_names_each(study: Path) -> None:
    says(study, started(1, "prepare", "d", "dataset=d") + GROUP_ERROR, running=False)
    write(study, "logs/prepare/d.log")
    (study / "logs/prepare/d.log").write_text(
        "a DEBUG b\n\n" + "".join(f"{n}\n" for n in range(20))
    )
    report = failure_report(study, read_snakemake_log(study))
    assert report[0] == "1 of 1 job failed:"
    assert report[1] == f"  prepare d: {study}/logs/prepare/d.log"
    assert report[2:14] == [f"    {n}" for n in range(8, 20)]
    assert "OUT_OF_MEMORY" in report[14]
    assert "snakemake.log" in report[-1]


def test_a_log_that_is_missing_is_said_and_an_older_log_does_not_count(study: Path) -> None:
    says(study, failed(1, "train", "one"), running=False)
    (study / "logs/train/one.log").unlink()
    assert failure_report(study, read_snakemake_log(study))[1].endswith("logs/train/one.log")
    assert failure_report(study, read_snakemake_log(study, time.time() + 60)) == []
    assert jobs_of(["Finished jobid: 9 (Rule: all)", "nonsense", "    jobid: 3"])[0].title == ""


def test_watching_ends_when_nothing_is_at_work(study: Path) -> None:
    says(study, started(1, "prepare", "d", "dataset=d"))
    shown: list[list[RunStatus]] = []

    def show(rows: list[RunStatus], _: SnakemakeLog) -> None:
        shown.append(rows)
        if len(shown) == 3:
            says(study, "", running=False)

    watch_status(lambda: (study_status(study), read_snakemake_log(study)), show, 0.001)
    assert len(shown) == 4
    assert is_over([RunStatus("a", "done")], read_snakemake_log(study))


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match=r"no such file\nhint: give the folder of a study"):
        study_status(tmp_path)
