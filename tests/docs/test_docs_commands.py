"""Every command that README.md and the pages of docs/ show is run, on small stand-in files."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import REPOSITORY
from fenced_commands import Shown, shown_commands
from grubio.cli import command_line
from grubio.errors import GrubioError
from grubio.fetching.embedded import embedded_path
from grubio.sequences.record import Record
from spliced_genome import write_spliced_genome

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
# What a shell does besides calling grubio once.
SHELL = set("|<>;&$*`")


@pytest.fixture(scope="module")
def stand_ins(chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that pages begin with: short, but of their kind."""
    folder = tmp_path_factory.mktemp("stand-ins")
    for name in ("config", "workflow", "data", "benchmarks", "scripts"):
        (folder / name).symlink_to(REPOSITORY / name)
    for name in ("Makefile", "Snakefile", "constraints.txt", "pyproject.toml"):
        (folder / name).symlink_to(REPOSITORY / name)
    examples = embedded_path("example-proteins").read_text()
    (folder / "proteins.fasta").write_text(f">ubiquitin\n{UBIQUITIN}\n{examples}")
    few = [record for record in chains if len(record) <= 120][:40]
    sequences = "".join(f">{record.id}\n{record.sequence}\n" for record in few)
    (folder / "chains.fasta").write_text(sequences)
    (folder / "labels.fasta").write_text("".join(f">{r.id}\n{r.labels}\n" for r in few))
    (folder / "new_sequences.fasta").write_text(sequences)
    scores = (",".join(str(4.5 * (c in "AVILMFWY")) for c in r.sequence) for r in few)
    rows = (f"{r.id}\t{r.sequence}\t{own}\n" for r, own in zip(few, scores, strict=True))
    (folder / "scores.tsv").write_text("id\tsequence\tscore\n" + "".join(rows))
    for name in ("proteome.fasta.gz", "uniprot_sprot.fasta.gz"):
        (folder / name).write_bytes(gzip.compress(sequences.encode()))
    write_spliced_genome(folder, contigs=6, genes=5, scraps=6)
    for name, new in (("genome.fa", "spliced.fa"), ("sites.bed", "sites_of_spliced.bed")):
        (folder / name).rename(folder / new)
    (folder / "genes.gff3").rename(folder / "spliced.gff3")
    _write_genome(folder)
    return folder


def _write_genome(folder: Path) -> None:
    """Write ten contigs with a gene and a site every 900 bases."""
    generator = np.random.default_rng(1)
    fasta, genes, sites = "", "##gff-version 3\n", ""
    for contig in (f"c{number}" for number in range(10)):
        fasta += f">{contig}\n{''.join(generator.choice(list('ACGT'), 3_000))}\n"
        for start in range(200, 2_900, 900):
            strand = "+-"[int(generator.integers(2))]
            sites += f"{contig}\t{start}\t{start + 6}\tminus10\t0\t{strand}\n"
            for kind in ("gene", "CDS"):
                genes += f"{contig}\tx\t{kind}\t{start}\t{start + 300}\t.\t{strand}\t0\tID={kind}\n"
    (folder / "genome.fna").write_text(fasta)
    (folder / "genes.gff3").write_text(genes)
    signal = (
        f"c{n}\t{at}\t{at + 50}\t{at % 700}\n" for n in range(10) for at in range(0, 3_000, 50)
    )
    (folder / "signal.bedgraph").write_text("".join(signal))
    (folder / "sites.bed").write_text(sites)


@pytest.fixture(scope="module")
def trained(
    stand_ins: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders of two small runs that were trained and evaluated."""
    from grubio.config import EvaluationSettings, ModelSettings, TrainingSettings
    from grubio.evaluation.evaluate import evaluate_model
    from grubio.training.train import train_model

    runs = {}
    for seed, name in enumerate("ab"):
        runs[name] = tmp_path_factory.mktemp("runs") / name
        training = TrainingSettings(seed=seed, epochs=1)
        shape = ModelSettings(hidden_size=8, layers=1, stem_channels=0)
        model = train_model(dataset, runs[name], shape, training, device="cpu", threads=1)
        evaluate_model(
            model, dataset, runs[name], EvaluationSettings(bootstrap=10), device="cpu", threads=1
        )
    return runs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_works(
    page: Path,
    stand_ins: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = list(shown_commands(page))
    if not commands:
        return
    for path in stand_ins.iterdir():
        copy = tmp_path / path.name
        copy.symlink_to(path.readlink()) if path.is_symlink() else shutil.copyfile(path, copy)
    if any("results/a" in shown.command for shown in commands):
        for name, folder in request.getfixturevalue("trained").items():
            shutil.copytree(folder, tmp_path / "results" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    told: dict[str, Shown] = {}
    for shown in commands:
        told.setdefault(shown.command, shown)
    for shown in told.values():
        code, output = _run(shown.command)
        where = f"{page.name}:{shown.line}: {shown.command}\n{output[-2000:]}"
        fails = any(row.startswith("error: ") for row in shown.output)
        assert code == (2 if fails else 0), where
        _assert_shown(shown, output, where)


def _run(command: str) -> tuple[int, str]:
    words = command.split()
    if words[0] == "grubio" and not SHELL & set(command) and "workflow run" not in command:
        return _run_here(shlex.split(command)[1:])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def _run_here(words: list[str]) -> tuple[int, str]:
    """Run grubio in this process: a process of its own spends seconds on imports."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            command_line()(words, prog_name="grubio")
            code = 0
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except GrubioError as error:
            output.write(f"error: {error}\n")
            code = 2
        output.flush()
    return code, output.buffer.getvalue().decode()  # type: ignore[attr-defined]


def _assert_shown(shown: Shown, output: str, where: str) -> None:
    rows = iter(row.rstrip() for row in output.splitlines())
    for wanted in shown.output:
        if wanted.strip() == "...":
            continue
        assert any(row == wanted for row in rows), f"{wanted!r} is not in the output\n{where}"


def test_a_page_that_lies_is_found_out(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# P\n\n```sh\ngrubio predict \\\n    a.fa  # two lines\n```\n\n"
        "<!-- not run: reads the mind -->\n```sh\ngrubio guess\n```\n\ntext\n\n"
        "```console\n$ grubio doctor\nbroken\n```\n\n"
        "<!-- instead: true -->\n```bash\nfalse\n```\n\n```sh\npip install x\n```\n"
    )
    assert [(s.command, s.output) for s in shown_commands(page)] == [
        ("grubio predict a.fa", ()),
        ("grubio doctor", ("broken",)),
        ("true", ()),
    ]
    with pytest.raises(AssertionError, match="broken"):
        _assert_shown(Shown(1, "x", ("fine", "broken")), "fine\nwell\n", "page")
