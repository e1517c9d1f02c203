"""A study of a genome, from FASTA and BED to report, motifs and tracks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conftest import REPOSITORY
from grubio.motifs.matrices import frequencies, meme_text
from grubio.sequences.locus import reverse_complement
from test_workflow import snakemake, write_study

pytestmark = pytest.mark.workflow

BOX = "TTGATATAAT"


def write_genome(folder: Path) -> None:
    """Write ten contigs of 3,000 bases with five planted boxes each, and their BED."""
    generator = np.random.default_rng(4)
    fasta, bed = "", ""
    for contig in range(10):
        letters = list(generator.choice(list("ACGT"), 3000))
        for place in range(300, 2800, 500):
            strand = "+-"[int(generator.integers(2))]
            planted = BOX if strand == "+" else reverse_complement(BOX)
            letters[place : place + len(BOX)] = planted
            bed += f"c{contig}\t{place}\t{place + len(BOX)}\tbox\t0\t{strand}\n"
        fasta += f">c{contig}\n{''.join(letters)}\n"
    (folder / "genome.fna").write_text(fasta)
    (folder / "sites.bed").write_text(bed)


def test_a_genome_goes_from_annotation_to_tracks(tmp_path: Path) -> None:
    write_genome(tmp_path)
    known = {"planted": frequencies([BOX]), "other": frequencies(["GGCCGGCCGG"])}
    text = meme_text(known, dict.fromkeys(known, 20), np.full(4, 0.25))
    (tmp_path / "known.meme").write_text(text)
    write_study(
        tmp_path,
        {
            "datasets": {
                "boxes": {
                    "records": "genome.fna",
                    "annotation": ["sites.bed"],
                    "prepare": {
                        "format": "genome",
                        "classes": {"box": {"letter": "X", "feature": "box"}},
                    },
                    "split": {
                        "unit": "contig",
                        "valid_fraction": 0.2,
                        "test_fraction": 0.2,
                        "gap": 50,
                    },
                }
            },
            "model": {"hidden_size": 12, "layers": 1, "stem_channels": 16, "stem_width": 11},
            "training": {
                "epochs": 6,
                "max_length": 100,
                "batch_residues": 800,
                "background_ratio": 1,
                "select_by": "average_precision",
                "learning_rate": 0.01,
            },
            "evaluation": {"bootstrap": 20},
            "motifs": {"sites": 40, "mutated_sites": 1, "database": "known.meme"},
            "runs": {"boxes": {"dataset": "boxes"}},
            "prediction": {"inputs": {"new": "genome.fna"}, "formats": ["bed", "gff3"]},
        },
    )
    done = snakemake(
        tmp_path, "--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "1"
    )
    assert done.returncode == 0, done.stderr
    run = tmp_path / "results/boxes"
    metrics = json.loads((run / "metrics.json").read_text())
    scores = metrics["sites"]["X"]["methods"]
    assert scores["model"]["genome"]["tolerance_3"]["average_precision"]["value"] > 0.1
    assert {"pwm", "kmer_logistic", "prevalence"} < set(scores)
    motif = json.loads((run / "motifs/motifs.json").read_text())["box"]
    assert 5 <= motif["sites"] <= 40
    assert motif["match"]["name"] == "planted"
    assert (run / "motifs/box.logo.svg").stat().st_size > 2000
    page = (run / "report.html").read_text()
    learned = page[page.index('<h2 id="motifs">') : page.index('<h2 id="learning">')]
    assert learned.count("<svg role=") == 2
    assert f"<code>{motif['site_consensus']}</code>" in learned
    assert "most similar motif of the database is <b>planted</b>" in learned
    for line in (run / "predictions/new.bed").read_text().splitlines():
        contig, start, end, name, _, strand = line.split("\t")
        assert int(end) - int(start) == len(BOX)
        assert (name, strand in "+-", contig[0]) == ("box", True, "c")
