"""Profiles by a search for homologs with MMseqs2.

MMseqs2 is that of Steinegger and Soeding, Nature Biotechnology 35:1026, 2017. Sequences are
searched for in batches. Each finished batch is kept beside the output, in ``OUTPUT.part``, until
all are done, so that a search that was killed goes on after it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grubio import __version__
from grubio.config.profiles import SearchSettings
from grubio.errors import GrubioError
from grubio.files import open_input, written_whole
from grubio.profiles.a3m import read_a3m
from grubio.profiles.archive import Archive, open_archive
from grubio.profiles.named import NamedProfile
from grubio.profiles.weighting import own_profile
from grubio.progress import counted
from grubio.sequences.profile import Profile
from grubio.sequences.record import Record

_PROTEINS = 0
"""Type of a database of amino acids, the first byte of its ``.dbtype``."""


class HomologSearch:
    """A search in one database, batch by batch.

    Parameters
    ----------
    database
        FASTA of proteins, or a database of MMseqs2.
    settings
        How to search.
    threads
        CPU threads of MMseqs2.
    folder
        Keeps what is finished; made, and deleted by :meth:`close`.

    Raises
    ------
    GrubioError
        If MMseqs2 is not installed, or the database is missing or none.
    """

    def __init__(
        self, database: Path, settings: SearchSettings, threads: int, folder: Path
    ) -> None:
        if shutil.which("mmseqs") is None:
            raise GrubioError(
                "MMseqs2 is not installed",
                hint="apt install mmseqs2, or conda install -c bioconda mmseqs2",
            )
        self._settings, self._threads, self._folder = settings, threads, folder
        self._database = database
        _require_database(database)

    def profiles(self, records: Sequence[Record]) -> Iterator[NamedProfile]:
        """Yield the profile of each record, in order, and show the progress.

        Raises
        ------
        GrubioError
            If MMseqs2 fails, with the last lines that it wrote.
        """
        self._resume(records)
        yield from counted_profiles(self._found(records))

    @property
    def made(self) -> dict[str, Any]:
        """What was searched, and how, for the file of profiles."""
        return {
            "grubio": __version__,
            "mmseqs2": _version(),
            "database": self._database.name,
            "settings": self._settings.model_dump(),
        }

    def close(self) -> None:
        """Delete what was kept."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _found(self, records: Sequence[Record]) -> Iterator[NamedProfile]:
        size = self._settings.batch_records
        for first in range(0, len(records), size):
            path = self._folder / f"{first // size}.npz"
            if not path.exists():
                self._search(records[first : first + size], path)
            batch = Archive(path)
            yield from (NamedProfile(name, batch[name]) for name in batch.records)

    def _resume(self, records: Iterable[Record]) -> None:
        # What is kept of another search is deleted.
        state = self._index.stat()
        # The hash of a large database would take as long as the search.
        searched = [self.made, str(self._index.absolute()), state.st_size, state.st_mtime_ns]
        content = json.dumps([searched, [[r.id, r.sequence] for r in records]], sort_keys=True)
        fingerprint = hashlib.sha256(content.encode()).hexdigest()
        mark = self._folder / "fingerprint"
        if not mark.is_file() or mark.read_text(encoding="ascii") != fingerprint:
            self.close()
            self._folder.mkdir(parents=True)
            mark.write_text(fingerprint, encoding="ascii")

    def _search(self, records: Sequence[Record], path: Path) -> None:
        own, settings = self._database_of_mmseqs(), self._settings
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="batch-") as name:
            folder = Path(name)
            with open(folder / "queries.fasta", "w", encoding="ascii") as out:
                # Numbers instead of ids: MMseqs2 shortens and parses some ids.
                for number, record in enumerate(records):
                    out.write(f">{number}\n{record.sequence.upper()}\n")
            run_mmseqs("createdb", "queries.fasta", "queries", "--shuffle", "0", folder=folder)
            found = {
                int(str(number)): profile
                for part in aligned(own, settings, self._threads, folder)
                for number, profile in read_a3m(part)
            }
            with open_archive(path, self.made) as add:
                for number, record in enumerate(records):
                    add(record.id, found.get(number) or own_profile(record.sequence))

    def _database_of_mmseqs(self) -> Path:
        if _is_database(self._database):
            return self._database.resolve()
        made, done = self._folder.resolve() / "database", self._folder / "database.done"
        if not done.exists():
            with (
                written_whole(made.with_suffix(".fasta")) as plain,
                open_input(self._database) as raw,
                open(plain, "wb") as out,
            ):
                shutil.copyfileobj(raw, out)
            run_mmseqs("createdb", "database.fasta", "database", folder=self._folder)
            made.with_suffix(".fasta").unlink()
            done.touch()
        _require_proteins(made, self._database)
        return made

    @property
    def _index(self) -> Path:
        return _beside(self._database, ".index") if _is_database(self._database) else self._database


def aligned(database: Path, settings: SearchSettings, threads: int, folder: Path) -> Sequence[Path]:
    """Search for the database ``queries`` of a folder, and return files of alignments (A3M).

    Raises
    ------
    GrubioError
        If MMseqs2 fails, with the last lines that it wrote.
    """
    words = ["search", "queries", str(database), "hits", "work", "-a"]
    words += ["--num-iterations", str(settings.iterations), "-s", str(settings.sensitivity)]
    words += ["-e", str(settings.max_evalue), "--e-profile", str(settings.max_evalue)]
    words += ["--max-seqs", str(settings.max_sequences), "--threads", str(threads)]
    if not run_mmseqs(*words, folder=folder):
        return []
    words = ["result2msa", "queries", str(database), "hits", "msa", "--msa-format-mode", "5"]
    run_mmseqs(*words, "--threads", str(threads), folder=folder)
    parts = sorted(folder.glob("msa*"))
    return [part for part in parts if not part.suffix or part.suffix[1:].isdigit()]


def counted_profiles(found: Iterable[NamedProfile]) -> Iterator[NamedProfile]:
    """Yield profiles and show their number and residues."""
    names: list[str | None] = []

    def profiles() -> Iterator[Profile]:
        for name, profile in found:
            names.append(name)
            yield profile

    for profile in counted(profiles()):
        yield NamedProfile(names.pop(), profile)


def _require_database(path: Path) -> None:
    if _is_database(path):
        _require_proteins(path, path)
        return
    with open_input(path) as raw:
        if not raw.peek(1).startswith(b">"):
            raise GrubioError(
                "is neither FASTA nor a database of MMseqs2",
                path=path,
                hint="make one with: mmseqs createdb proteins.fasta DATABASE",
            )


def _require_proteins(database: Path, path: Path) -> None:
    kind = _beside(database, ".dbtype").read_bytes()[:1]
    if kind != bytes([_PROTEINS]):
        raise GrubioError("holds no proteins", path=path, hint="give a database of proteins")


def _is_database(path: Path) -> bool:
    return all(_beside(path, ending).is_file() for ending in (".dbtype", ".index"))


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _version() -> str:
    done = subprocess.run(["mmseqs", "version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def run_mmseqs(*words: str, folder: Path) -> bool:
    """Run a command of MMseqs2; return whether there was anything to search for."""
    command = ["mmseqs", *words, "-v", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "No k-mer could be extracted" in done.stdout + done.stderr:
        return False
    if done.returncode:
        message = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise GrubioError(f"mmseqs {words[0]} failed: {message}")
    return True
