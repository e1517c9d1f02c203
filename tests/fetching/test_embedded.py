"""The synthetic genome that comes with grubio: made by its script, and what it says it is."""

from __future__ import annotations

import lzma
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from conftest import REPOSITORY
from grubio.fetching.embedded import embedded_path
from grubio.readers.fasta import read_fasta
from grubio.sequences.locus import reverse_complement


def test_the_script_makes_the_files_that_come_with_grubio(tmp_path: Path) -> None:
    genome, sites = tmp_path / "genome.xz", tmp_path / "sites.bed"
    subprocess.run(
        [
            sys.executable,
            REPOSITORY / "scripts/make_synthetic_genome.py",
            *("--genome", genome, "--sites", sites),
        ],
        check=True,
    )
    # Versions of liblzma may compress differently.
    embedded = lzma.decompress(embedded_path("synthetic-genome").read_bytes())
    assert lzma.decompress(genome.read_bytes()) == embedded
    assert sites.read_bytes() == embedded_path("synthetic-sites").read_bytes()


@pytest.mark.parametrize(
    ("name", "consensus"), [("minus35", "TTGACA"), ("minus10", "TATAAT"), ("tss", None)]
)
def test_the_planted_sites_read_as_promoters(name: str, consensus: str | None) -> None:
    contigs = {record.id: record for record in read_fasta(embedded_path("synthetic-genome"))}
    assert all(record.description.startswith("SYNTHETIC") for record in contigs.values())
    columns: list[Counter[str]] = [Counter() for _ in consensus or "N"]
    sites = 0
    for line in embedded_path("synthetic-sites").read_text().splitlines()[1:]:
        contig, start, end, found, _, strand = line.split("\t")
        if found != name:
            continue
        site = contigs[contig].sequence[int(start) : int(end)].upper()
        assert len(site) == len(columns)
        for column, base in zip(
            columns, site if strand == "+" else reverse_complement(site), strict=True
        ):
            column[base] += 1
        sites += 1
    assert sites == 450
    if consensus:
        assert "".join(column.most_common(1)[0][0] for column in columns) == consensus
