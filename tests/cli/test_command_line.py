"""What all commands have in common: help, completion, hints, dry runs, notices, exit codes."""

from __future__ import annotations

import itertools
import json
import logging
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from grubio.cli import EXITS, command_line
from grubio.cli.commands import COMMANDS
from grubio.cli.dry_run import writes
from grubio.extras import EXTRAS
from grubio.files import open_input, share_read
from grubio.model.bundle import WEIGHTS_FILE
from grubio.model.zoo import bundled_models
from grubio.progress import computed, counted, watched
from grubio.study.doctor import Finding, _model, can_predict, examine

Runner = Callable[..., subprocess.CompletedProcess[str]]
FASTA = ">a\nMKTAYIAKQRQISFVKSHFSRQ\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by what is typed to call it."""
    for name, lazy in command_line().commands.items():
        inner = getattr(lazy.loaded, "commands", None)
        if inner is None:
            yield name, lazy.loaded
        else:
            yield from ((f"{name} {part}", command) for part, command in inner.items())


@pytest.fixture(scope="module")
def all_commands() -> dict[str, Any]:
    return dict(commands())


def test_the_table_says_what_the_commands_say() -> None:
    for entry, lazy in zip(COMMANDS, command_line().commands.values(), strict=True):
        assert lazy.loaded.help.split("\n\n")[0] == entry.help


def test_every_command_has_examples_that_parse(all_commands: dict[str, Any]) -> None:
    for name, command in all_commands.items():
        examples = re.findall(r"^Example: (.+)$", command.help, flags=re.MULTILINE)
        assert examples, f"grubio {name} has no example"
        for example in examples:
            words = shlex.split(example)
            typed = ["grubio", *name.split()]
            assert words[: len(typed)] == typed
            try:
                command.make_context(name, words[len(typed) :])
            except typer.Exit:
                pytest.fail(f"{example} ends before it begins")
            except Exception as error:
                if "does not exist" not in str(error):
                    raise


def test_every_output_can_be_run_dry(all_commands: dict[str, Any]) -> None:
    for name, command in all_commands.items():
        options = {option for parameter in command.params for option in parameter.opts}
        if "--output" in options:
            assert writes(command.callback), f"grubio {name} --output is not marked as WRITTEN"
            assert "--dry-run" in options
        assert {"--quiet", "--verbose"} <= options, name


def test_help_tells_panels_and_exit_codes(grubio: Runner) -> None:
    done = grubio("--help")
    for text in ("Use a model", "Train a model", "Data", "Understand", "System"):
        assert f"─ {text} ─" in done.stdout
    flat = " ".join(done.stdout.split())
    for code, meaning in EXITS.items():
        assert f"{code} {meaning.split(',')[0].split('`')[0].strip()}" in flat
    assert grubio("-h").stdout == done.stdout


def test_no_name_of_an_option_is_cut_in_80_columns(
    all_commands: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, command in all_commands.items():
        with pytest.raises(typer.Exit):
            command.make_context(name, ["--help"])
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 80
        words = {word for line in lines for word in re.split("[ ,]+", line)}
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert option in words or not option.startswith("-"), f"{name} {option}"


def test_misspelt_commands_options_and_models_are_guessed(grubio: Runner) -> None:
    for arguments, guess in (
        (["predit"], "Did you mean 'predict'"),
        (["predict", "x.fa", "--outptu", "y"], "--output"),
        (["predict", "x.fa", "--model", "protein-sss"], "did you mean 'protein-ss'"),
        (["predict", "x.fa", "--format", "tvs"], "'igv'. Did you mean 'tsv'?"),
    ):
        done = grubio(*arguments)
        assert done.returncode == 2
        assert guess in " ".join(done.stderr.replace("\u2502", " ").split())
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("grubio pre", ["predict", "prepare"]),
        ("grubio predict --model protein-ss-", ["protein-ss-fast", "protein-ss-profile"]),
        ("grubio models show eco", ["ecoli-genes", "ecoli-promoters"]),
        ("grubio predict --form", ["--format"]),
    ],
)
def test_shells_complete(
    grubio: Runner, monkeypatch: pytest.MonkeyPatch, words: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_GRUBIO_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert grubio().stdout.split() == completed


def test_a_dry_run_tells_and_writes_nothing(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(FASTA)
    (tmp_path / "old.tsv").write_text("")
    before = sorted(tmp_path.iterdir())
    done = grubio(
        *("predict", "a.fa", "-m", "protein-ss", "-o", "old.tsv", "-o", "new/b.ss2", "-o", "-"),
        *("--dry-run", "--log", "predict.log"),
    )
    assert done.returncode == 0, done.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert done.stdout.splitlines()[1:] == [
        "reads\ta.fa\t26 bytes",
        "writes\told.tsv\texists and would be replaced",
        "writes\tnew/b.ss2\tnew, in a folder that is made in .",
        "writes\tstandard output",
        "reads\tprotein-ss\tbundled model",
        "writes\tpredict.log\tnew",
    ]


def test_a_dry_run_tells_what_is_written_by_default(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(FASTA)
    assert "writes\tstandard output\n" in grubio("predict", "a.fa", "--dry-run").stdout
    assert "standard" not in grubio("predict", "a.fa", "-o", "b.tsv", "--dry-run").stdout
    told = grubio("report", ".", "--dry-run").stdout
    assert "writes\treport.html in the folder of the run\n" in told


def test_a_dry_run_tells_what_is_missing_and_checks_settings(grubio: Runner) -> None:
    done = grubio("train", "split.parquet", "--output", "run", "--dry-run")
    assert done.returncode == 2
    assert "missing\tsplit.parquet\tno such file or folder" in done.stdout
    done = grubio("train", "split.parquet", "--output", "run", "--epochs", "0", "--dry-run")
    assert done.returncode == 2
    assert "epochs" in done.stderr
    assert not done.stdout


def test_quiet_and_verbose(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\n" + 3 * "MKTAYIAKQRQISFVKSHFSRQ" + "\n")
    quiet = grubio("predict", "a.fa", "-o", "a.tsv", "--quiet", "--log", "a.log")
    assert quiet.returncode == 0
    assert quiet.stderr == ""
    log = (tmp_path / "a.log").read_text()
    assert "1 record, 66 residues: a.tsv" in log
    assert "grubio predict a.fa -o a.tsv --quiet" in log
    loud = grubio("--verbose", "predict", "a.fa", "-o", "a.tsv")
    assert "grubio --verbose predict a.fa" in loud.stderr
    assert "66 residues" in loud.stderr


def test_doctor_says_that_predict_works(grubio: Runner) -> None:
    done = grubio("doctor", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["can_predict"]
    names = {finding["name"] for finding in told["findings"]}
    assert told["matrix_rates"][0]["library"] == "numpy"
    assert {f"extra {name}" for name in EXTRAS} <= names
    chosen = {finding["name"]: finding["found"] for finding in told["findings"]}
    assert chosen["labelling"] == "numpy, float32" or "cpu" not in chosen["device"]
    assert chosen["training"].startswith("PyTorch on ")
    assert {"Python", "numpy", "PyTorch", "threads", "device", "MMseqs2", "DSSP", "SLURM"} <= names
    assert {f"model {name}" for name in bundled_models()} <= names
    assert all(finding["needed_for"] for finding in told["findings"])


def test_doctor_sees_a_damaged_model(tmp_path: Path) -> None:
    source = bundled_models()["protein-ss-fast"]
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = (tmp_path / WEIGHTS_FILE).read_bytes()
    (tmp_path / WEIGHTS_FILE).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    finding = _model("x", tmp_path)
    assert finding.state == "broken"
    assert not can_predict([finding])
    assert can_predict([Finding("y", "missing", "", "something else")])


def test_doctor_sees_slurm_and_its_accounting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = {
        "sbatch": "exit 0",
        "sinfo": "echo 'debug* up 1'",
        "scontrol": "echo 'MaxArraySize            = 1001'",
        "sacct": "echo 'Slurm accounting storage is disabled' >&2; exit 1",
        "mkdssp": "exit 3",
    }
    for name, body in tools.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {finding.name: finding for finding in examine()}
    assert found["SLURM"].found == "partitions debug*"
    assert found["SLURM arrays"].found == "up to 1000 tasks"
    assert found["SLURM accounting"].state == "missing"
    assert "--slurm-status-command squeue" in found["SLURM accounting"].hint
    assert found["DSSP"].state == "broken"
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho 'MaxArraySize = 0'\n")
    (arrays,) = [finding for finding in examine() if finding.name == "SLURM arrays"]
    assert (arrays.state, arrays.hint) == ("missing", "take --profile slurm")


def test_the_share_of_an_input_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    assert share_read() is None
    with open_input(path) as handle:
        handle.read(250)
        assert share_read() == 0.25
    assert share_read() is None


def test_the_time_left_is_told_where_it_can_be_known(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = itertools.count(step=40)
    monkeypatch.setattr("grubio.progress.time.monotonic", lambda: float(next(seconds)))
    monkeypatch.setattr(logging.getLogger("grubio"), "propagate", True)
    # Those that a test before has left would tell everything twice.
    monkeypatch.setattr(logging.getLogger("grubio"), "handlers", [])

    def labelled(records: Iterable[str]) -> Iterator[str]:
        for record in records:
            computed(len(record))
            yield record.lower()

    with caplog.at_level(logging.INFO, logger="grubio"):
        assert list(watched(labelled, ["AA", "BB"])) == ["aa", "bb"]
        assert list(watched(labelled, iter(["AA"]))) == ["aa"]
        assert list(counted(iter(["aa"]))) == ["aa"]
    assert [record.getMessage() for record in caplog.records] == [
        "2 of 4 residues, 0 residues/s, 50%, 0:40 left",
        "4 of 4 residues, 0 residues/s",
        "2 residues, 0 residues/s",
        "1 record, 2 residues, 0 residues/s",
    ]
    computed(1)


def test_tables_and_page_beside_the_output(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fasta").write_text(">one\nGSAEAAAKEAAAKEAAAKEAAAKAGS\n")
    extra = ["--segments", "s.tsv", "--summary", "u.tsv", "--html", "p.html"]
    done = grubio("predict", "a.fasta", "-m", "protein-ss-fast", "-o", "a.ss2", *extra)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.ss2").read_text().startswith("# PSIPRED VFORMAT")
    assert (tmp_path / "s.tsv").read_text().startswith("id\tstart\tend\tlabel")
    assert (tmp_path / "u.tsv").read_text().splitlines()[1].startswith("one\t26\t")
    assert "<html" in (tmp_path / "p.html").read_text()
    twice = grubio("predict", "a.fasta", "-o", "p.html", "--html", "p.html")
    assert twice.returncode == 2
