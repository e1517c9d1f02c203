"""Prediction in shards: the same bytes whatever the number of shards, and whatever happens."""

from __future__ import annotations

import bz2
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genome_model import dna, save_genome_model
from grubio.config import (
    CallSettings,
    GenomeSettings,
    Output,
    PredictionSettings,
    SearchSettings,
)
from grubio.config.formats import FORMATS
from grubio.datasets.validation import Tally
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.zoo import find_model
from grubio.prediction.predict_file import predict_file
from grubio.prediction.profiles import ProfileSource
from grubio.prediction.shards.files import (
    probabilities_path,
    read_parts,
    read_shard,
    records_path,
)
from grubio.prediction.shards.resume import predict_in_shards
from grubio.prediction.shards.steps import cut_input, gather_shards, label_shard
from grubio.sequences.record import Record
from grubio.sequences.windows import CORE, ContigPart, windows

PROTEIN_FORMATS = ("tsv", "parquet", "ss2", "horiz", "fasta", "gff3", "json", "html")
PROTEIN_FORMATS += ("segments", "summary")
ON_CPU = PredictionSettings(device="cpu", threads=1)
GENOME_FORMATS = ("bed", "gff3", "tsv", "parquet", "bedgraph", "bigwig", "html", "igv")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def fasta(chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty chains of very different lengths, with letters that are read as others."""
    path = tmp_path_factory.mktemp("sharding") / "many.fasta"
    records = [
        *(f">{r.id} chain {r.id}\n{r.sequence}\n" for r in chains[:40]),
        *(f">short{i}\n{chains[i].sequence[: i + 1]}\n" for i in range(18)),
        f">long\n{''.join(r.sequence for r in chains[:30])}\n",
        ">odd\nMKTUBZXMKT*\n",
    ]
    path.write_text("".join(records))
    return path


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A genome model, and contigs of one window, of many, and with a gap."""
    folder = tmp_path_factory.mktemp("genome")
    save_genome_model(folder / "model")
    text = dna(31_003, 2)
    (folder / "genome.fna").write_text(
        f">a\n{dna(900, 1)}\n>long\n{text[:9000]}{'N' * 9000}{text[18000:]}\n>b\n{dna(5200, 3)}\n"
    )
    return folder / "model", folder / "genome.fna"


def outputs_in(folder: Path, formats: tuple[str, ...]) -> list[Output]:
    return [Output(f"{folder}/out.{f}{'/' * FORMATS[f].folder}", f) for f in formats]


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def predicted_in_steps(
    sequences: Path,
    folder: Path,
    shards: int,
    model: Path,
    formats: tuple[str, ...],
    settings: PredictionSettings = ON_CPU,
) -> dict[str, bytes]:
    """Cut, label in a foreign order, gather; return the outputs."""
    cut_input(sequences, folder / "shards", shards, model, settings)
    for number in reversed(range(1, shards + 1)):
        label_shard(
            records_path(folder / "shards", number, shards),
            probabilities_path(folder / "shards", number, shards),
            model,
            settings,
        )
    labelled = sorted((folder / "shards").glob("*.probabilities.parquet"))
    gather_shards(labelled, outputs_in(folder / "out", formats), model, settings)
    return content_of(folder / "out")


def test_any_number_of_shards_gives_the_bytes_of_one_go(
    fasta: Path, run_folder: Path, tmp_path: Path
) -> None:
    model = run_folder / "model"
    whole = outputs_in(tmp_path / "whole", PROTEIN_FORMATS)
    predict_file(str(fasta), whole, model, ON_CPU)
    expected = content_of(tmp_path / "whole")
    assert len(expected) == len(PROTEIN_FORMATS)
    assert all(len(text) > 500 for text in expected.values())
    packed = tmp_path / "many.fasta.bz2"
    packed.write_bytes(bz2.compress(fasta.read_bytes()))
    for shards, path in ((1, fasta), (16, packed), (200, fasta)):
        got = predicted_in_steps(path, tmp_path / str(shards), shards, model, PROTEIN_FORMATS)
        assert got == expected, f"{shards} shards"


@pytest.mark.parametrize("grammar", ["none", {"least": {"HGI": 7}}])
def test_shards_obey_the_grammar_that_the_input_was_cut_with(
    grammar: Any, fasta: Path, run_folder: Path, tmp_path: Path
) -> None:
    model, kept = run_folder / "model", tmp_path / "kept"
    settings = ON_CPU.model_copy(update={"grammar": grammar})
    predict_file(str(fasta), outputs_in(tmp_path / "whole", ("fasta",)), model, settings)
    predict_file(str(fasta), outputs_in(tmp_path / "own", ("fasta",)), model, ON_CPU)
    expected = content_of(tmp_path / "whole")
    assert expected != content_of(tmp_path / "own")
    out = outputs_in(tmp_path / "out", ("fasta",))
    cut_input(fasta, kept, 2, model, settings)
    paths = [probabilities_path(kept, number, 2) for number in (1, 2)]
    label_shard(records_path(kept, 1, 2), paths[0], model, ON_CPU)
    with pytest.raises(GrubioError, match="begun with another --grammar"):
        predict_in_shards(str(fasta), out, kept, 2, model, ON_CPU)
    label_shard(records_path(kept, 2, 2), paths[1], model, ON_CPU)
    gather_shards(paths, out, model, ON_CPU)
    assert content_of(tmp_path / "out") == expected
    predict_in_shards(
        str(fasta), outputs_in(tmp_path / "again", ("fasta",)), kept, 2, model, settings
    )
    assert content_of(tmp_path / "again") == expected


@pytest.mark.parametrize("strand", ["both", "-"])
def test_a_genome_is_cut_within_contigs_and_gives_the_bytes_of_one_go(
    genome: tuple[Path, Path], tmp_path: Path, strand: str
) -> None:
    model, sequences = genome
    genome_settings = GenomeSettings(strand=strand, min_score=0.3)  # type: ignore[arg-type]
    settings = ON_CPU.model_copy(update={"genome": genome_settings})
    whole = outputs_in(tmp_path / "whole", GENOME_FORMATS)
    predict_file(str(sequences), whole, model, settings)
    expected = content_of(tmp_path / "whole")
    assert len(expected) > len(GENOME_FORMATS)
    for shards in (1, 5):
        got = predicted_in_steps(
            sequences, tmp_path / str(shards), shards, model, GENOME_FORMATS, settings
        )
        assert got == expected, f"{shards} shards"
    numbers = [
        [part.id for part in read_parts(records_path(tmp_path / "5" / "shards", number, 5))]
        for number in range(1, 6)
    ]
    assert sum("long" in ids for ids in numbers) >= 3


def test_shards_hold_every_residue_once_and_about_as_many_each(
    fasta: Path, run_folder: Path, tmp_path: Path
) -> None:
    plan = cut_input(fasta, tmp_path, 4, run_folder / "model", ON_CPU)
    parts = [list(read_parts(records_path(tmp_path, number, 4))) for number in range(1, 5)]
    sizes = [sum(len(part.sequence) for part in shard) for shard in parts]
    assert sum(sizes) == plan.tally.residues
    assert plan.tally.kept == sum(map(len, parts)) == 60
    longest = max(len(part.sequence) for shard in parts for part in shard)
    assert max(sizes) <= plan.tally.residues / 4 + longest
    ids = [part.id for shard in parts for part in shard]
    assert ids == [line[1:].split()[0] for line in fasta.read_text().splitlines()[::2]]


def test_a_part_of_a_contig_has_the_answers_of_the_whole(genome: tuple[Path, Path]) -> None:
    predictor = Predictor(load_bundle(genome[0]), "cpu", 1)
    text = dna(5 * CORE + 17, 9)
    whole = list(predictor.regions([Record("c", "", text)]))
    cut = list(windows(len(text)))
    part = ContigPart(
        "c",
        "",
        text[cut[2].start : cut[3].end],
        None,
        len(text),
        cut[2].start,
        cut[2].first,
        cut[3].last,
    )
    got = list(predictor.regions([part]))
    assert [(s.start, s.end, s.length) for s in got] == [
        (s.start, s.end, s.length) for s in whole[2:4]
    ]
    for mine, its in zip(got, whole[2:4], strict=True):
        assert mine.residues == its.residues
        for strand in "+-":
            assert (mine.probabilities[strand] == its.probabilities[strand]).all()  # type: ignore[index]


def test_invalid_records_are_judged_before_anything_is_labelled(
    run_folder: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.fasta"
    bad.write_text(">good\nMKT\n>bad\nMK7T\n")
    with pytest.raises(GrubioError, match="'7' is not a protein residue"):
        cut_input(bad, tmp_path / "shards", 2, run_folder / "model", ON_CPU)
    assert not list(tmp_path.glob("shards/*"))
    plan = cut_input(
        bad, tmp_path / "shards", 2, run_folder / "model", PredictionSettings(on_invalid="skip")
    )
    assert plan.tally.refused[0][0] == "bad"
    read = read_shard(records_path(tmp_path / "shards", 2, 2)).plan
    assert read == plan
    assert isinstance(read.tally, Tally)


def test_shards_that_do_not_belong_together_are_refused(
    fasta: Path, run_folder: Path, genome: tuple[Path, Path], tmp_path: Path
) -> None:
    model = run_folder / "model"
    other = tmp_path / "other.fasta"
    other.write_text(fasta.read_text().replace("MKTUBZ", "MKTUBA"))
    paths = {}
    for name, path in (("a", fasta), ("b", other)):
        cut_input(path, tmp_path / name, 2, model, ON_CPU)
        for number in (1, 2):
            paths[name, number] = probabilities_path(tmp_path / name, number, 2)
            label_shard(
                records_path(tmp_path / name, number, 2), paths[name, number], model, ON_CPU
            )
    out = outputs_in(tmp_path / "out", ("tsv",))
    with pytest.raises(GrubioError, match="not of the same input"):
        gather_shards([paths["a", 1], paths["b", 2]], out, model, ON_CPU)
    with pytest.raises(GrubioError, match=r"2 shards were expected, each once; got numbers 1$"):
        gather_shards([paths["a", 1]], out, model, ON_CPU)
    with pytest.raises(GrubioError, match="made for another model"):
        gather_shards([paths["a", 1], paths["a", 2]], out, genome[0], ON_CPU)
    with pytest.raises(GrubioError, match="made for another model"):
        label_shard(records_path(tmp_path / "a", 1, 2), tmp_path / "x.parquet", genome[0], ON_CPU)
    with pytest.raises(GrubioError, match="is not a shard"):
        gather_shards([_plain_parquet(tmp_path)], out, model, ON_CPU)
    paths["a", 2].write_bytes(paths["a", 2].read_bytes()[:-100])
    with pytest.raises(GrubioError, match="is damaged"):
        gather_shards([paths["a", 1], paths["a", 2]], out, model, ON_CPU)
    assert not (tmp_path / "out").exists()


def _plain_parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), folder / "plain.parquet")
    return folder / "plain.parquet"


def test_killed_and_started_again_it_goes_on_at_the_last_finished_shard(
    chains: list[Record], run_folder: Path, grubio: Run, tmp_path: Path
) -> None:
    model = run_folder / "model"
    fasta = tmp_path / "many.fasta"
    fasta.write_text("".join(f">{r.id}.{i}\n{r.sequence}\n" for i in range(8) for r in chains))
    whole = grubio("predict", fasta, "-m", model, "-o", "whole.tsv", "--threads", 1)
    assert whole.returncode == 0, whole.stderr
    command = ["predict", str(fasta), "-m", str(model), "-o", str(tmp_path / "parts.tsv")]
    command += ["--threads", "1", "--resume-folder", str(tmp_path / "kept"), "--shards", "40"]
    started = subprocess.Popen(
        [sys.executable, "-c", "from grubio.cli import main; main()", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while len(list(tmp_path.glob("kept/*.probabilities.parquet"))) < 3:
        assert started.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    finished = {path: path.stat() for path in tmp_path.glob("kept/*.probabilities.parquet")}
    assert 3 <= len(finished) < 40
    assert not (tmp_path / "parts.tsv").exists()
    # A process that is killed while it writes leaves this; whether this one did is up to chance.
    (tmp_path / "kept" / f".{next(iter(finished)).name}.half").touch()
    changed = grubio(*command, "--on-invalid", "skip")
    assert changed.returncode == 2
    assert "begun with another --on-invalid" in changed.stderr
    again = grubio(*command)
    assert again.returncode == 0, again.stderr
    assert f"{len(finished)} of 40 shards are already labelled" in again.stderr
    assert (tmp_path / "parts.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()
    assert not (tmp_path / "kept").exists()


def test_an_input_that_changed_meanwhile_is_refused(
    fasta: Path, run_folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.fasta"
    mine.write_bytes(fasta.read_bytes())
    model, kept = run_folder / "model", tmp_path / "kept"
    cut_input(mine, kept, 3, model, ON_CPU)
    label_shard(records_path(kept, 1, 3), probabilities_path(kept, 1, 3), model, ON_CPU)
    stat = mine.stat()
    mine.write_text(fasta.read_text().replace("MKTUBZ", "MKTUBA"))
    os.utime(mine, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    out = outputs_in(tmp_path / "out", ("tsv",))
    with pytest.raises(GrubioError, match="begun with another input") as refused:
        predict_in_shards(str(mine), out, kept, 3, model, ON_CPU)
    assert "delete the folder" in str(refused.value)
    mine.write_bytes(fasta.read_bytes())
    predict_in_shards(str(mine), out, kept, 3, model, ON_CPU)
    whole = outputs_in(tmp_path / "whole", ("tsv",))
    predict_file(str(mine), whole, model, ON_CPU)
    assert content_of(tmp_path / "out") == content_of(tmp_path / "whole")


def test_shards_of_other_profiles_are_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few, kept, model = tmp_path / "few.fasta", tmp_path / "kept", find_model("protein-ss-profile")
    few.write_text(">a\nMKTAYIAKQR\n>b\nGSHMGLEDPV\n")
    (tmp_path / "ali").mkdir()
    for name, sequence in (("a", "MKTAYIAKQR"), ("b", "GSHMGLEDPV")):
        (tmp_path / "ali" / f"{name}.a3m").write_text(f">{name}\n{sequence}\n>h\n{sequence}\n")
    given = ProfileSource(tmp_path / "ali")
    cut_input(few, kept, 2, model, ON_CPU)
    first = records_path(kept, 1, 2), probabilities_path(kept, 1, 2)
    out = outputs_in(tmp_path / "out", ("tsv",))

    def resumed(source: ProfileSource) -> None:
        predict_in_shards(str(few), out, kept, 2, model, ON_CPU, source)

    label_shard(*first, model, ON_CPU, ProfileSource(own=True))
    with pytest.raises(GrubioError, match="another --own-profile and another --profiles"):
        resumed(given)
    label_shard(*first, model, ON_CPU, given)
    alignment = tmp_path / "ali/a.a3m"
    before = alignment.read_text()
    alignment.write_text(before + ">i\nMKTAYIAKQR\n")
    with pytest.raises(GrubioError, match="begun with another --profiles"):
        resumed(given)
    label_shard(*first, model, ON_CPU, given)
    second = records_path(kept, 2, 2), probabilities_path(kept, 2, 2)
    label_shard(*second, model, ON_CPU, ProfileSource(own=True))
    with caplog.at_level("WARNING"):
        gather_shards([first[1], second[1]], out, model, ON_CPU)
    assert "labelled with profiles of different files or searches" in caplog.text
    second[1].unlink()
    resumed(ProfileSource(str(tmp_path / "ali")))
    assert (tmp_path / "out/out.tsv").exists()


@pytest.mark.parametrize("search", [True, False])
def test_a_search_is_known_by_its_database_and_settings(search: bool, tmp_path: Path) -> None:
    database = tmp_path / "proteins.fasta"
    database.write_text(">a\nMKT\n")
    before = ProfileSource(database=database).described
    assert (
        before == ProfileSource(database=database, search=SearchSettings(batch_records=1)).described
    )
    if search:
        other = ProfileSource(database=database, search=SearchSettings(iterations=1))
    else:
        database.write_text(">a\nMKTA\n")
        other = ProfileSource(database=database)
    assert other.described != before


@pytest.mark.parametrize("of_a_genome", [True, False])
def test_what_the_model_cannot_give_is_refused_before_anything_is_labelled(
    of_a_genome: bool, fasta: Path, genome: tuple[Path, Path], run_folder: Path, tmp_path: Path
) -> None:
    model, sequences = genome if of_a_genome else (run_folder / "model", fasta)
    wrong = (
        PredictionSettings(calls=CallSettings(min_confidence=0.9))
        if of_a_genome
        else PredictionSettings(genome=GenomeSettings(strand="+"))
    )
    folder = tmp_path / "shards"
    with pytest.raises(GrubioError, match=r"for genome models"):
        predict_in_shards(str(sequences), [Output("-", "tsv")], folder, 2, model, wrong)
    assert not folder.exists()


def test_standard_input_is_refused(run_folder: Path, grubio: Run) -> None:
    done = grubio("predict", "-", "-m", run_folder / "model", "--resume-folder", "kept")
    assert done.returncode == 2
    assert "standard input cannot be cut into shards" in done.stderr


def test_shards_on_the_command_line(
    fasta: Path, run_folder: Path, grubio: Run, tmp_path: Path
) -> None:
    model = ("--model", run_folder / "model")
    grammar = ("--grammar", "none")
    done = grubio("shards", "cut", fasta, "--shards", 2, "--output", "s", *model, *grammar)
    assert done.returncode == 0, done.stderr
    names = []
    for number in (1, 2):
        names.append(f"s/{number}-of-2.probabilities.parquet")
        arguments = (f"s/{number}-of-2.records.parquet", "--output", names[-1], "--threads", 1)
        done = grubio("shards", "label", *arguments, *model)
        assert done.returncode == 0, done.stderr
    done = grubio("shards", "gather", *names, "-o", "parts.ss2", *model)
    assert done.returncode == 0, done.stderr
    assert "60 records" in done.stderr
    done = grubio("predict", fasta, "-o", "whole.ss2", "--threads", 1, *model, *grammar)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "parts.ss2").read_bytes() == (tmp_path / "whole.ss2").read_bytes()
