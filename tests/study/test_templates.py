"""Templates of studies: what they find, what they refuse, and that what they write runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grubio.cli import command_line
from grubio.config import Config, ModelSettings
from grubio.config.loading import load_config
from grubio.datasets.parquet import read_header
from grubio.datasets.prepare_genome import prepare_genome
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.splits.split import split_dataset
from grubio.study.protein_template import protein_study
from grubio.study.templates import genome_study
from grubio.training.train import train_model
from spliced_genome import write_spliced_genome


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_spliced_genome(folder, contigs=8, genes=8, scraps=4)
    exons = (folder / "genes.gff3").read_text()
    (folder / "cds.gff3").write_text(exons.replace("\texon\t", "\tCDS\t"))
    return folder


def config_of(text: str, folder: Path) -> Config:
    path = folder / "config.yaml"
    path.write_text(text)
    return load_config(path)


CASES = {
    "splice-sites": ("genes.gff3", {"D": 2, "A": 2}),
    "splice-sites from GTF": ("genes.gtf", {"D": 2, "A": 2}),
    "splice-sites from BED": ("genes.bed12", {"D": 2, "A": 2}),
    "splice-sites from CDS": ("cds.gff3", {"D": 2, "A": 2}),
    "genes": ("cds.gff3", {}),
    "promoters": ("genes.gff3", {"T": 1}),
    "motif": ("sites.bed", {"A": 7}),
    "motif from peaks": ("peaks.narrowPeak", {"S": 21}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_study_from_a_template_trains_as_it_is(case: str, files: Path, tmp_path: Path) -> None:
    annotation, sites = CASES[case]
    template = case.split()[0]
    made = genome_study(template, files / "genome.fa", files / annotation)  # type: ignore[arg-type]
    config = config_of(made.config, tmp_path)
    data = config.datasets[template]
    assert data.prepare.annotated == "only"
    prepared = tmp_path / "prepared.parquet"
    tally = prepare_genome(
        [data.records[0].location], [data.annotation[0].location], prepared, data.prepare
    )
    assert tally.contigs_left_out == 4
    split_dataset(prepared, tmp_path / "split.parquet", data.split)
    assert read_header(prepared).sites == sites
    if case not in ("splice-sites", "motif", "genes"):
        return
    run = config.runs[template]
    tiny = ModelSettings(hidden_size=4, layers=1, stem_channels=4)
    quick = run.training.model_copy(update={"epochs": 1, "validations_per_epoch": 1})
    train_model(tmp_path / "split.parquet", tmp_path / "run", tiny, quick, device="cpu", threads=1)
    assert load_bundle(tmp_path / "run/model").scheme == data.prepare.label_scheme


def test_what_a_template_finds_is_in_its_dry_run_and_nothing_is_written(
    files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    words = f"workflow init {tmp_path}/s --template splice-sites --genome genome.fa "
    words += "--annotation genes.gff3 --dry-run"
    assert command_line()(words.split(), standalone_mode=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("contigs: 12, ") for line in lines)
    assert any(line.startswith("  exon  ") for line in lines)
    assert any(line.startswith("contigs without annotation: 4, ") for line in lines)
    assert "donors that read GT: 100.0 %" in lines
    assert not (tmp_path / "s").exists()


def test_a_template_is_refused_for_data_without_such_features(files: Path) -> None:
    genome = files / "genome.fa"
    with pytest.raises(GrubioError, match="no introns") as refused:
        genome_study("splice-sites", genome, files / "sites.bed")
    assert "AP1 (64)" in (refused.value.hint or "")
    with pytest.raises(GrubioError, match="no CDS") as refused:
        genome_study("genes", genome, files / "genes.gff3")
    assert "exon (" in (refused.value.hint or "")
    with pytest.raises(GrubioError, match="no binding sites"):
        genome_study("motif", genome, files / "genes.gff3")
    with pytest.raises(GrubioError, match="no feature 'TSS'"):
        genome_study("promoters", genome, files / "genes.gff3", ["TSS"])


def test_lines_about_contigs_that_the_genome_lacks_are_counted(files: Path, tmp_path: Path) -> None:
    text = (files / "genes.gff3").read_text()
    lines = [line for line in text.splitlines() if line.startswith("chr1\t")]
    (tmp_path / "more.gff3").write_text(text + "\n".join(lines).replace("chr1\t", "chrX\t") + "\n")
    made = genome_study("splice-sites", files / "genome.fa", tmp_path / "more.gff3")
    assert (
        f"lines left out, on contigs that the genome lacks: {len(lines)}, on 'chrX'" in made.found
    )
    assert config_of(made.config, tmp_path).datasets["splice-sites"].prepare.on_invalid == "skip"
    (tmp_path / "other.gff3").write_text("\n".join(lines).replace("chr1\t", "1\t") + "\n")
    with pytest.raises(GrubioError, match="is not in the genome") as refused:
        genome_study("splice-sites", files / "genome.fa", tmp_path / "other.gff3")
    assert "did you mean 'chr1'?" in (refused.value.hint or "")


def test_gaps_in_genes_of_bacteria_are_no_introns(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">c\n" + "ACCA" * 500 + "\n")
    lines = [
        f"c\tx\tCDS\t{start + first}\t{start + first + 98}\t.\t+\t0\tID=c{start};Parent=g{start}"
        for start in range(1, 1900, 300)
        for first in (0, 110)
    ]
    (tmp_path / "g.gff3").write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    with pytest.raises(GrubioError, match="6 gaps between the pieces"):
        genome_study("splice-sites", tmp_path / "g.fa", tmp_path / "g.gff3")


def test_proteins_with_labels_become_a_study(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(12)]
    (tmp_path / "p.fa").write_text("".join(f">{n}\nMKTAYIAKQR\n" for n in names))
    (tmp_path / "l.fa").write_text("".join(f">{n}\n...XX.....\n" for n in names))
    made = protein_study(tmp_path / "p.fa", tmp_path / "l.fa")
    data = config_of(made.config, tmp_path).datasets["protein-labels"]
    assert (data.prepare.label_scheme.letters, data.prepare.background) == (".X", ".")
    assert data.split.folds == 5
    assert data.labels is not None
    tally = prepare_dataset(
        [data.records[0].location],
        tmp_path / "d.parquet",
        data.prepare,
        labels=Path(data.labels.location),
    )
    assert tally.kept == 12


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--template", "genes"], "template genes needs --genome and --annotation"),
        (["--template", "protein-labels"], "template protein-labels needs --records"),
        (["--genome", "g.fa"], "--genome, --annotation and --feature are for templates"),
    ],
)
def test_options_that_are_missing_are_told(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    with pytest.raises(GrubioError, match=told):
        command_line()(["workflow", "init", "s", *options], standalone_mode=False)
    assert not (tmp_path / "s").exists()
