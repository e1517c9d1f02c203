from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.prediction.cost import Size, cost_of

Runner = Callable[..., subprocess.CompletedProcess[str]]


@given(st.integers(1, 10**8), st.integers(1, 10**11), st.integers(1, 500), st.booleans())
def test_a_plan_adds_up(records: int, residues: int, jobs: int, cut: bool) -> None:
    plan = cost_of(Size(records, max(residues, records), 1), 10_000, jobs, cut_records=cut)
    busy = max(residues, records) / 10_000 / 3600
    assert busy <= plan.cpu_hours <= busy + plan.shards * 6 / 3600
    assert plan.cpu_hours / jobs <= plan.hours * 1.0001
    assert plan.shards >= 1
    assert cut or plan.shards <= records


def test_twice_the_residues_cost_twice() -> None:
    one, two = (
        cost_of(Size(10**6, n, 1), 10_000, 8, cut_records=False) for n in (10**9, 2 * 10**9)
    )
    assert two.cpu_hours == pytest.approx(2 * one.cpu_hours, rel=0.02)


def test_the_command_counts_and_measures(grubio: Runner, tmp_path: Path, run_folder: Path) -> None:
    (tmp_path / "a.fa").write_text("".join(f">r{i}\n{'MKTAYIAKQR' * 20}\n" for i in range(300)))
    done = grubio("plan", "a.fa", "--model", str(run_folder / "model"), "--jobs", "4")
    assert done.returncode == 0, done.stderr
    rows = dict(line.split("\t") for line in done.stdout.splitlines())
    assert (rows["records"], rows["residues"]) == ("300", "60,000")
    assert rows["shards"] == "4"
    assert rows["memory"].endswith("GB a job")
    assert int(rows["rate"].split()[0].replace(",", "")) > 100


def test_a_plan_takes_the_model_that_a_prediction_takes(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text("".join(f">r{i}\n{'MKTAYIAKQR' * 6}\n" for i in range(9)))
    done = grubio("plan", "a.fa")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("records\t9\nresidues\t540\n")
