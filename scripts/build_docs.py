"""Build the documentation site: ``python scripts/build_docs.py [FOLDER]`` (or ``make docs``).

Pages are those of ``docs/``, and some that are made here: the command line from the commands
themselves, the configuration from ``config/README.md``, the Python reference from docstrings. All
are collected in ``build/docs/pages``; the site is ``build/docs/site/index.html``, which opens
without a server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILES = "files"
ON_FIRST_PAGE = "protein-ss-fast"
"""The model that the first page embeds, to try grubio without installing it."""

NAVIGATION: dict[str, list[str]] = {
    "Begin": ["index.md", "faq.md"],
    "Use": [
        "predict.md",
        "topology.md",
        "disorder.md",
        "fetch.md",
        "genomes.md",
        "view.md",
        "page.md",
        "formats.md",
        "python.md",
    ],
    "Train": [
        "train.md",
        "values.md",
        "grammar.md",
        "fine-tuning.md",
        "cross-validation.md",
        "profiles.md",
        "dna.md",
        "cluster.md",
        "module.md",
    ],
    "Understand": [
        "report.md",
        "scikit-learn.md",
        "how-it-works.md",
        "benchmarks.md",
        "dna_benchmarks.md",
        "cells.md",
        "experiments.md",
        "experiments_topology.md",
    ],
    "Scale": ["performance.md", "scaling.md"],
    "Look up": ["commands.md", "configuration.md", "api.md", "exit-codes.md"],
    "Project": ["contributing.md", "architecture.md", "changelog.md"],
}
"""Pages by section; a page of ``docs/`` that is not listed goes to the end."""

ELSEWHERE = {
    "config/README.md": "configuration.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that are kept outside ``docs/``, and their names on the site."""

REFERENCE = {
    "Notebooks and scripts": [
        "grubio.api",
        "grubio.inference.labelled_sequence",
        "grubio.inference.labelled_contig",
        "grubio.sequences.segments",
    ],
    "Models": [
        "grubio.model.bundle",
        "grubio.model.labeller",
        "grubio.model.networks.registry",
        "grubio.model.networks.protocol",
        "grubio.inference.predictor",
    ],
    "From files to files": ["grubio.prediction.predict_file", "grubio.writers"],
    "Sequences and labels": [
        "grubio.sequences.record",
        "grubio.sequences.alphabet",
        "grubio.sequences.scheme",
        "grubio.datasets.parquet",
        "grubio.readers.fasta",
    ],
    "Training and scoring": [
        "grubio.datasets.prepare_sequences",
        "grubio.splits.split",
        "grubio.training.train",
        "grubio.evaluation.evaluate",
        "grubio.metrics.classification",
        "grubio.metrics.segment_overlap",
        "grubio.model.calibration",
    ],
    "Errors": ["grubio.errors"],
}
"""Modules of the Python reference, by heading."""

# The generator loads it from the network; docs/site/ has it.
_WORKER = "https://unpkg.com/iframe-worker/shim"
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)((?:#[^)\s]*)?)\)")


def collect(folder: Path) -> None:
    """Put the settings, all pages and the files that they link to into a new folder."""
    from grubio.model.zoo import find_model
    from grubio.page.predictor import write_page

    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    shutil.copytree(ROOT / "docs", pages)
    for source, name in ELSEWHERE.items():
        shutil.copyfile(ROOT / source, pages / name)
    (pages / FILES).mkdir(exist_ok=True)
    sources = {name: source for source, name in ELSEWHERE.items()}
    for page in pages.glob("*.md"):
        source = sources.get(page.name, f"docs/{page.name}")
        page.write_text(_relinked(page.read_text("utf-8"), Path(source).parent, pages), "utf-8")
    write_page(find_model(ON_FIRST_PAGE), pages / FILES / "predictor.html")
    (pages / "commands.md").write_text(command_reference(), "utf-8")
    (pages / "api.md").write_text(_python_reference(), "utf-8")
    settings = (pages / "site/zensical.toml").read_text("utf-8").replace("REPOSITORY", str(ROOT))
    (pages / "site/zensical.toml").unlink()
    navigation = f"[project]\nnav = {_as_toml(navigation_of(pages))}\n"
    settings = settings.replace("[project]\n", navigation, 1)
    (folder / "zensical.toml").write_text(settings, "utf-8")


def navigation_of(folder: Path) -> list[dict[str, list[str]]]:
    """Return sections and those of their pages that exist; pages without a section last."""
    there = {page.name for page in folder.glob("*.md")}
    found = [{name: [p for p in pages if p in there]} for name, pages in NAVIGATION.items()]
    rest = sorted(there - {page for pages in NAVIGATION.values() for page in pages})
    return [section for section in [*found, {"More": rest}] if any(section.values())]


def command_reference() -> str:
    """Return the page of the command line: every command with its options and examples."""
    from grubio.cli import command_line
    from grubio.cli.commands import COMMANDS

    parts = [
        "# Command line\n\nEvery command, as `grubio COMMAND --help` prints it. "
        "[Exit codes](exit-codes.md) are the same for all.\n",
        "| command | what it does |\n| --- | --- |",
    ]
    entries = {entry.name: entry for entry in COMMANDS}
    for entry in COMMANDS:
        parts.append(f"| [`grubio {entry.name}`](#grubio-{entry.name}) | {entry.help} |")
    parts.append("\n## Common options\n")
    parts.append(
        "`--quiet` and `--verbose` stand before or after the command; `--log` keeps its notices. "
        "Commands that write something have `--dry-run`.\n\nShells complete commands, options and "
        "names of models after\n\n<!-- not run: changes the shell's start-up files -->\n"
        "```sh\ngrubio --install-completion\n```\n"
    )
    for name, lazy in command_line().commands.items():
        parts.append(f"## grubio {name}\n")
        inner = getattr(lazy.loaded, "commands", None)
        if inner is None:
            parts.append(_command(lazy.loaded))
            continue
        parts.append(f"{entries[name].help}\n")
        for part, command in inner.items():
            parts.append(f"### grubio {name} {part}\n\n{_command(command)}")
    return "\n".join(parts)


def _command(command: Any) -> str:
    paragraphs = command.help.split("\n\n")
    examples = [p.removeprefix("Example: ") for p in paragraphs if p.startswith("Example: ")]
    text = "\n\n".join(p for p in paragraphs if not p.startswith("Example: "))
    rows = ["| option | default | meaning |", "| --- | --- | --- |"]
    for parameter in command.params:
        if "--help" in parameter.opts:
            continue
        flags = sorted(parameter.opts, key=len, reverse=True) + list(parameter.secondary_opts)
        argument = parameter.param_type_name == "argument"
        shown = parameter.metavar or parameter.name.upper()
        name = f"`{shown}`" if argument else ", ".join(f"`{flag}`" for flag in flags)
        rows.append(f"| {name} | {_default(parameter)} | {_in_a_cell(parameter.help)} |")
    code = "\n".join(examples)
    return f"{text}\n\n```sh\n{code}\n```\n\n" + "\n".join(rows) + "\n"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return _in_a_cell(parameter.show_default)
    if parameter.default in (None, False, ()) or callable(parameter.default):
        return ""
    return f"`{parameter.default}`"


def _in_a_cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;")


def _python_reference() -> str:
    parts = [
        "# Python reference\n\nMade from the docstrings. Everything that the command line does is "
        "a function here; shapes of arrays are written as `(residue, class)`.\n"
    ]
    for title, modules in REFERENCE.items():
        parts.append(f"## {title}\n")
        parts += [f"::: {module}\n" for module in modules]
    return "\n".join(parts)


def _relinked(text: str, folder: Path, pages: Path) -> str:
    def target(match: re.Match[str]) -> str:
        text, link, anchor = match.groups()
        if "://" in link or link.startswith("mailto:"):
            return match[0]
        path = os.path.normpath(folder / link)
        if path in ELSEWHERE:
            return f"[{text}]({ELSEWHERE[path]}{anchor})"
        if path == "README.md":
            return f"[{text}](index.md)"
        if path.startswith("docs/"):
            return f"[{text}]({path.removeprefix('docs/')}{anchor})"
        if (ROOT / path).is_file():
            # Scripts and settings are shown as text, whatever a browser makes of their endings.
            copy = pages / FILES / f"{path}.txt"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy)
            return f"[{text}]({FILES}/{path}.txt)"
        return match[0]

    return _LINK.sub(target, text)


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {_as_toml(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    return f'"{value}"'


def build(folder: Path) -> int:
    """Collect the pages and build the site into ``folder/site``; return the exit code."""
    collect(folder)
    paths = [str(ROOT / "scripts"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        check=False,
    )
    if done.returncode == 0:
        for page in (folder / "site").glob("*.html"):
            text = page.read_text("utf-8").replace(_WORKER, "site/iframe-worker.js")
            page.write_text(text, "utf-8")
        print(f"open {folder / 'site/index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/docs"))
