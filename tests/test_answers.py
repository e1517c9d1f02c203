"""What the bundled models answer, held to the last bit while the code around them changes.

``answers.json`` has, for each model, a SHA-256 of each output format and the mean probability of
each class. The hashes hold on the kind of processor that they were written on; on any other one,
products round differently, and the means are compared to 1e-4.

After an intended change of the answers: ``python tests/test_answers.py`` writes the file anew.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

REPOSITORY = Path(__file__).parents[1]
DATA = REPOSITORY / "grubio" / "data"
ANSWERS = Path(__file__).with_name("answers.json")
PROTEIN_OUTPUTS = (
    *("tsv", "parquet", "ss2", "horiz", "fasta", "gff3", "json", "html", "segments", "summary"),
)
SEQUENCE_OUTPUTS = tuple(name for name in PROTEIN_OUTPUTS if name not in ("ss2", "horiz"))
GENOME_OUTPUTS = ("bed", "gff3", "tsv", "parquet", "html", "bedgraph/", "bigwig/", "igv/")
MODELS: dict[str, tuple[str, ...]] = {
    "protein-ss": PROTEIN_OUTPUTS,
    "protein-ss-fast": PROTEIN_OUTPUTS,
    "ecoli-promoters": GENOME_OUTPUTS,
    "ecoli-genes": GENOME_OUTPUTS,
}


def processor() -> str:
    """What decides about the last bits of a product: the processor and the libraries."""
    from grubio.model.engines.one_thread import blas_kernels

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    found = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    kind = [found.get(key, "unknown") for key in ("model name", "cpu family", "model")]
    return ", ".join([*kind, blas_kernels(), f"numpy {np.__version__}"])


def write_input(model: str, folder: Path) -> Path:
    """The example proteins and 50 embedded chains, or 20 kb of the synthetic genome."""
    path = folder / "input.fasta"
    if MODELS[model] != GENOME_OUTPUTS:
        text = (DATA / "example_proteins.fasta").read_text()
        with lzma.open(DATA / "pdb_demo.tsv.xz", "rt") as lines:
            next(lines)
            for _, line in zip(range(50), lines, strict=False):
                name, sequence = line.split("\t")[:2]
                text += f">{name}\n{sequence}\n"
    else:
        with lzma.open(DATA / "synthetic_genome.fasta.xz", "rt") as lines:
            header = next(lines)
            text = header + lines.read(20_250)
            text = text[: text.rindex("\n") + 1]
    path.write_text(text)
    return path


def content(path: Path) -> bytes:
    """The answer that a file holds, without what surrounds it."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return json.dumps({n: table.column(n).to_pylist() for n in table.column_names}).encode()
    if path.suffix == ".html":
        # The data of the page; its looks may change.
        return "\n".join(
            line for line in path.read_text().splitlines() if re.match(r"[\[{].*[\]}],?$", line)
        ).encode()
    if path.suffix in (".json", ".xml"):
        return re.sub(r'"(grubio_)?version": "[^"]*"', "", path.read_text()).encode()
    return path.read_bytes()


def means(table: Any) -> dict[str, float]:
    """The mean of each column of probabilities."""
    found = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        values = column.flatten() if hasattr(column, "flatten") else column
        while hasattr(values, "flatten") and str(values.type).startswith(("list", "fixed")):
            values = values.flatten()
        if str(values.type) in ("float", "double", "halffloat"):
            found[name] = round(float(np.mean(values.to_numpy(zero_copy_only=False))), 6)
    return found


@cache
def answers(model: str) -> dict[str, Any]:
    """The answers of a model now."""
    from grubio.cli import command_line

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        arguments = ["predict", str(write_input(model, folder)), "--model", model]
        arguments += ["--device", "cpu", "--threads", "1"]
        for output in MODELS[model]:
            arguments += ["--output", str(folder / f"{model}.{output.rstrip('/')}")]
            arguments[-1] += "/" * output.endswith("/")
        done = CliRunner().invoke(command_line(), arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        hashes = {}
        if "ss2" in MODELS[model]:
            fine = [*arguments[:8], "--scheme", "ss8", "--output", str(folder / "ss8.tsv")]
            CliRunner().invoke(command_line(), fine, catch_exceptions=False)
            hashes["ss8.tsv"] = hashlib.sha256((folder / "ss8.tsv").read_bytes()).hexdigest()
        for output in MODELS[model]:
            place = folder / f"{model}.{output.rstrip('/')}"
            files = sorted(f for f in [place, *place.rglob("*")] if f.is_file())
            digest = hashlib.sha256()
            for file in files:
                digest.update(str(file.relative_to(folder)).encode() + b"\0" + content(file))
            assert files
            assert all(content(file) for file in files), f"no answer in {output}"
            hashes[output.rstrip("/")] = digest.hexdigest()
        table = pq.read_table(folder / f"{model}.parquet")
        return {"sha256": hashes, "means": means(table)}


@pytest.mark.parametrize("model", MODELS)
def test_answers_are_those_of_before(model: str) -> None:
    known = json.loads(ANSWERS.read_text())
    found = answers(model)
    assert found["means"]
    assert found["means"] == pytest.approx(known[model]["means"], abs=1e-4)
    if known["processor"] == processor():
        assert found["sha256"] == known[model]["sha256"]


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    written = {"processor": processor(), **{model: answers(model) for model in MODELS}}
    ANSWERS.write_text(json.dumps(written, indent=1) + "\n")
