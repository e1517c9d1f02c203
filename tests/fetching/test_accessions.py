"""Accessions from servers on this machine: errors, redirects, limits, truncation, and the lock."""

from __future__ import annotations

import gzip
import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from grubio.config import Config, Source
from grubio.config.accessions import SOURCES, accession_of
from grubio.config.loading import checked
from grubio.errors import GrubioError
from grubio.fetching import transfer
from grubio.fetching.fetch import fetch_source
from grubio.fetching.local import local_path, local_paths
from replayed_servers import (
    GENOME,
    GFF3,
    PROTEIN,
    STRUCTURE,
    UNIPROT,
    Answer,
    Servers,
    text,
)

QUICK: dict[str, Any] = {"timeout": 1.0, "pause": 0.005, "attempts": 3}
WORD = "uniprot:P0CG48"


def fetch(word: str, output: Path | None = None, **options: Any) -> Path:
    source = checked(Source, {"location": word})
    return fetch_source(source, output, **{"lock": Path("grubio.lock"), **QUICK, **options})


def locked() -> dict[str, Any]:
    return dict(json.loads(Path("grubio.lock").read_text())["sources"])


@pytest.mark.parametrize(
    ("word", "name", "content"),
    [
        (WORD, "P0CG48.fasta", PROTEIN),
        ("UniProt:P0CG48-2", "P0CG48-2.fasta", PROTEIN.replace("P0CG48", "P0CG48-2")),
        ("uniprot:proteome/UP000005640", "UP000005640.fasta.gz", PROTEIN),
        ("ncbi:NC_000913.3", "NC_000913.3.fna", GENOME),
        ("ncbi:NC_000913.3/gff3", "NC_000913.3.gff3", GFF3),
        ("ncbi:NP_414542.1", "NP_414542.1.fasta", ">NP_414542.1"),
        ("ncbi:GCF_000005845.2", "GCF_000005845.2.fna", GENOME),
        ("ncbi:GCF_000005845.2/gff3", "GCF_000005845.2.gff3", "##gff-version 3"),
        ("pdb:1UBQ", "1UBQ.fasta", ">1UBQ_1"),
        ("pdb:1UBQ/cif", "1UBQ.cif.gz", STRUCTURE.decode()),
        ("ensembl:ENSP00000344818.4", "ENSP00000344818.4.fasta", ">ENSP"),
        ("alphafold:P0CG48", "P0CG48.cif", "data_AF-P0CG48"),
    ],
)
def test_every_form_of_accession_is_fetched_and_locked_and_then_in_the_cache(
    servers: Servers, word: str, name: str, content: str
) -> None:
    path = fetch(word)
    data = path.read_bytes()
    plain = gzip.decompress(data) if name.endswith(".gz") else data
    assert path.name == name
    assert plain.decode().startswith(content)
    (key,) = locked()
    assert key.lower() == word.lower()
    assert locked()[key]["bytes"] == len(data)
    assert locked()[key]["url"].startswith("https://")
    asked = len(servers.asked)
    assert fetch(word) == path
    assert len(servers.asked) == asked
    (agent,) = servers.agents
    assert agent.startswith("grubio/")


def test_every_form_has_an_example_of_its_own() -> None:
    for forms in SOURCES.values():
        for form in forms:
            assert accession_of(form.example).form is form
            for last in form.endings:
                assert accession_of(f"{form.example}/{last}").format == last


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("uniprot:P0CG4", "known forms: uniprot:P0CG48, uniprot:proteome/UP000005640"),
        ("uniprot:p0cg48", "did you mean 'uniprot:P0CG48'?"),
        ("ncbi:nc_000913.3/gff3", "did you mean 'ncbi:NC_000913.3/gff3'?"),
        ("unipr0t:P0CG48", "did you mean 'uniprot:P0CG48'?"),
        ("ncib:NC_000913.3", "did you mean 'ncbi:NC_000913.3'?"),
        ("ncbi:NC_000913.3/gff", "comes as fasta or gff3, not as 'gff'"),
        ("alphafold:P0CG48/pdb", "comes as cif, not as 'pdb'"),
        ("pdb:", "known forms: pdb:1UBQ (or /cif)"),
    ],
)
def test_a_word_that_is_wrong_is_told_with_the_nearest_form(
    servers: Servers, word: str, told: str
) -> None:
    with pytest.raises(GrubioError) as caught:
        checked(Source, {"location": word})
    assert told in str(caught.value)
    with pytest.raises(GrubioError) as caught:
        local_path(word)
    assert told in str(caught.value)
    assert servers.asked == []


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("uniprot:P02248", "P02248 was merged into P0CG48\nhint: fetch uniprot:P0CG48"),
        ("uniprot:P62988", "P62988 was merged into P0CG47, P0CG48\nhint: fetch uniprot:P0CG47 or"),
        ("uniprot:A0A000AAA0", "A0A000AAA0 was withdrawn (deleted)"),
        ("uniprot:Q00000", "the server answered 404 Not Found\nhint: look for it"),
        ("ncbi:NC_000001.1", "NC_000001.1 was merged into NC_000001.11"),
        ("ncbi:GCF_000005845.1", "GCF_000005845.1 was merged into GCF_000005845.2"),
        ("pdb:1CAT", "1CAT was merged into 8CAT\nhint: fetch pdb:8CAT"),
        ("pdb:1CAT/cif", "1CAT was merged into 8CAT\nhint: fetch pdb:8CAT/cif"),
        ("pdb:9ZZZ", "404 Not Found\nhint: look for it: is 9ZZZ written right?"),
        ("ensembl:ENSG00000000001", "ENSG00000000001 was merged into ENSG2"),
        ("ensembl:ENSG00000000002", "ENSG00000000002 was withdrawn (last in release 75)"),
        ("alphafold:Q00000", "AlphaFold DB has no structure of Q00000"),
    ],
)
def test_what_became_of_an_accession_is_told(servers: Servers, word: str, told: str) -> None:
    with pytest.raises(GrubioError) as caught:
        fetch(word)
    assert str(caught.value).startswith(f"{word}: ")
    assert told in str(caught.value)
    assert not Path("grubio.lock").exists()
    assert [path for path in Path("cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=503),
        Answer(status=429, headers={"Retry-After": "0"}),
        Answer(b"<html>maintenance</html>"),
        "truncate",
    ],
)
def test_passing_faults_are_tried_again(servers: Servers, fault: Answer | str) -> None:
    servers.faults = [fault]
    assert fetch(WORD).read_text() == PROTEIN
    assert len(servers.asked) == 2


@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_a_server_that_says_when_is_obeyed(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", slept.append)
    when = "7" if kind == "seconds" else formatdate(time.time() + 7, usegmt=True)
    servers.faults = [Answer(status=429, headers={"Retry-After": when})]
    fetch(WORD)
    assert slept == [pytest.approx(7, abs=1.5)]


def test_a_stream_that_breaks_off_inside_is_not_taken(servers: Servers) -> None:
    whole = gzip.compress(PROTEIN.encode() * 50)
    said = gzip.compress(PROTEIN.encode() + b"Error encountered when streaming data. Try again.\n")
    servers.faults = [Answer(whole[: len(whole) // 2]), Answer(said)]
    path = fetch("uniprot:proteome/UP000005640")
    assert gzip.decompress(path.read_bytes()).decode() == PROTEIN
    servers.faults = [Answer(said)] * 3
    with pytest.raises(GrubioError, match="the server broke off in the middle"):
        fetch("uniprot:proteome/UP000005640", update=True)


def test_requests_to_one_host_keep_their_distance(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSES", {"127.0.0.1": 0.2})
    started = time.monotonic()
    for word in (WORD, "pdb:1UBQ", "ncbi:NC_000913.3"):
        fetch(word)
    assert time.monotonic() - started >= 0.39  # the clocks of files and of this test may differ


def test_what_changed_is_told_with_both_checksums_and_the_date(servers: Servers) -> None:
    path = fetch(WORD)
    old = locked()[WORD]
    path.unlink()
    servers.answers[f"{UNIPROT}/P0CG48.fasta"] = text(PROTEIN + "ACDE\n")
    with pytest.raises(GrubioError) as caught:
        fetch(WORD, Path("out.fasta"))
    message = str(caught.value)
    assert old["sha256"] in message
    assert f"in grubio.lock of {old['date']}" in message
    assert f"hint: take the new one with: grubio fetch {WORD} --update" in message
    assert not Path("out.fasta").exists()
    assert locked()[WORD] == old
    assert fetch(WORD, update=True).read_text() == PROTEIN + "ACDE\n"
    new = locked()[WORD]
    assert new["sha256"] in message
    assert new["sha256"] != old["sha256"]


def test_without_a_network_the_cache_answers(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = fetch(WORD)
    monkeypatch.setenv("GRUBIO_MIRROR", "http://127.0.0.1:9")
    assert fetch(WORD) == path
    Path("grubio.lock").unlink()
    assert fetch(WORD, attempts=1) == path
    assert f"{WORD}: no network; the copy of " in caplog.text
    assert WORD in locked()
    with pytest.raises(GrubioError) as caught:
        fetch("uniprot:P0CG48-2", attempts=1)
    assert f"hint: check the network; in the cache: {WORD}" in str(caught.value)
    with pytest.raises(
        GrubioError, match=r"no connection: Connection refused[^\n]*\n.*the cache has none"
    ):
        fetch("pdb:1UBQ", attempts=1)
    with pytest.raises(GrubioError, match="cannot be fetched"):
        fetch(WORD, attempts=1, update=True)


def test_the_key_of_ncbi_is_sent_and_told_to_nobody(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NCBI_API_KEY", "secret")
    monkeypatch.setenv("NCBI_EMAIL", "me@example.org")
    query = next(path for path in servers.answers if "nuccore&id=NC_000913.3&rettype" in path)
    servers.answers = {f"{query}&email=me@example.org&api_key=secret": text(GENOME)}
    assert fetch("ncbi:NC_000913.3").read_text() == GENOME
    servers.answers["entrez/eutils/own.fasta"] = text(PROTEIN)
    fetch(f"{servers.address}/entrez/eutils/own.fasta")
    assert servers.asked[-1] == "entrez/eutils/own.fasta"
    assert "me@example.org" not in f"{servers.agents}"
    monkeypatch.setenv("GRUBIO_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(GrubioError) as caught:
        fetch("ncbi:NC_000001.1")
    assert "secret" not in f"{caught.value}{caplog.text}{Path('grubio.lock').read_text()}"


def test_a_list_of_sequences_becomes_one_file(servers: Servers) -> None:
    Path("own.fasta").write_text(">own\nMKT")
    Path("list.txt").write_text(f"# mine\n{WORD}\n\nown.fasta  # here\npdb:1UBQ\n{WORD}\n")
    path = fetch("@list.txt", Path("all.fasta"))
    assert (
        path.read_text()
        == f"{PROTEIN}>own\nMKT\n>1UBQ_1|Chain A|UBIQUITIN|Homo sapiens\nMQIFVKTLTG\n"
    )
    assert set(locked()) == {WORD, "pdb:1UBQ"}
    assert Path(local_path("@list.txt")).read_text() == path.read_text()


def test_a_list_of_structures_becomes_a_folder(servers: Servers) -> None:
    Path("list.txt").write_text("pdb:1UBQ/cif\nalphafold:P0CG48\n")
    folder = fetch("@list.txt", Path("structures"))
    assert sorted(path.name for path in folder.iterdir()) == ["1UBQ.cif.gz", "P0CG48.cif"]
    names = [Path(path).name for path in local_paths("@list.txt")]
    assert names == ["1UBQ.cif.gz", "P0CG48.cif"]
    with pytest.raises(GrubioError, match=r"pdb:1UBQ/cif is no FASTA.*\nhint: .*--output FOLDER"):
        fetch("@list.txt", Path("one.fasta"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("uniprot:P0CG48\nuniprot:nothing\n", "line 2: 'nothing' is no accession of uniprot"),
        ("@other.txt\n", "line 1: a list may not name another list"),
        ("nowhere.fasta\n", "nowhere.fasta: no such file"),
    ],
)
def test_a_wrong_line_of_a_list_is_told(servers: Servers, content: str, told: str) -> None:
    Path("list.txt").write_text(content)
    with pytest.raises(GrubioError) as caught:
        fetch("@list.txt", Path("out.fasta"))
    assert told in str(caught.value)
    assert not Path("out.fasta").exists()


def test_a_damaged_lock_is_told(servers: Servers) -> None:
    Path("grubio.lock").write_text("{")
    with pytest.raises(GrubioError, match=r"grubio\.lock: is no lock file.*\nhint: delete it"):
        fetch(WORD)


def test_a_study_takes_accessions_as_locations(servers: Servers) -> None:
    study = {
        "datasets": {"d": {"records": WORD, "prepare": {"format": "tsv"}}},
        "runs": {"one": {"dataset": "d"}},
        "prediction": {"inputs": {"new": "@list.txt"}},
    }
    assert checked(Config, study).prediction.inputs["new"].location == "@list.txt"
    study["datasets"] = {"d": {"records": "pdb:1UB", "prepare": {"format": "tsv"}}}
    with pytest.raises(GrubioError, match=r"datasets\.d.*'1UB' is no accession of pdb"):
        checked(Config, study)
