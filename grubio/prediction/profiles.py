"""The profiles of the records that are labelled, for models that read them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from grubio.config import SearchSettings
from grubio.errors import GrubioError
from grubio.model.bundle import Bundle
from grubio.model.devices import available_threads
from grubio.profiles.search import HomologSearch
from grubio.profiles.source import Given, Profiles, with_profiles
from grubio.sequences.record import Record


@dataclass(frozen=True)
class ProfileSource:
    """Where the profiles of an input come from; one of the first three is given, or none.

    Attributes
    ----------
    profiles
        Files or folders of profiles or alignments, or profiles by id.
    database
        What to search for homologs.
    own
        Whether every record gets the profile of its own sequence.
    search
        How to search.
    folder
        Where a search keeps what is finished; by default it is not kept.
    """

    profiles: Given | None = None
    database: Path | None = None
    own: bool = False
    search: SearchSettings = field(default_factory=SearchSettings)
    folder: Path | None = None

    def require_fit(self, bundle: Bundle) -> None:
        """Check that a model reads profiles if and only if they are given.

        Raises
        ------
        GrubioError
            If it does not, or if more than one source is given.
        """
        given = [self.profiles is not None, self.database is not None, self.own]
        if any(given) and not bundle.reads_profiles:
            raise GrubioError(
                f"model {bundle.name} reads no profiles",
                hint="leave out --profiles, --database and --own-profile",
            )
        if bundle.reads_profiles and not any(given):
            raise GrubioError(
                f"model {bundle.name} reads profiles, and none are given",
                hint="give --profiles FILE_OR_FOLDER or --database PROTEINS; --own-profile labels "
                "without homologs, less accurately",
            )
        if sum(given) > 1:
            raise GrubioError("give one of --profiles, --database and --own-profile")

    @property
    def described(self) -> dict[str, Any]:
        """What the profiles depend on, by the option that says it; for JSON.

        Files are known by name, size and time: the hash of a large database would take as long as
        the labelling.
        """
        if self.database is not None:
            settings = self.search.model_dump(exclude={"batch_records"})
            return {"--database": _states([self.database]), "search settings": settings}
        if self.profiles is None:
            return {"--own-profile": True} if self.own else {}
        if isinstance(self.profiles, Mapping):
            arrays = [
                (name, np.asarray(getattr(one, "frequencies", one)).tobytes())
                for name, one in sorted(self.profiles.items())
            ]
            return {"--profiles": _digest(arrays)}
        given = [self.profiles] if isinstance(self.profiles, str | Path) else self.profiles
        return {"--profiles": _states(given)}

    def added(
        self, records: Iterable[Record], *, whole: bool = True, threads: int | None = None
    ) -> Iterator[Record]:
        """Yield records with their profiles; without a source they stay as they are.

        Parameters
        ----------
        records
            Records as they are labelled.
        whole
            Whether these are all records of an input, of which one at least must have a profile.
        threads
            CPU threads of MMseqs2.

        Raises
        ------
        GrubioError
            If a file is at fault or the search fails.
        """
        if self.database is not None:
            yield from self._searched(list(records), self.database, threads)
        elif self.profiles is not None:
            path = self.profiles if isinstance(self.profiles, str | Path) else None
            yield from with_profiles(records, Profiles(self.profiles), path, whole=whole)
        elif self.own:
            yield from with_profiles(records, None)
        else:
            yield from records

    def _searched(
        self, records: list[Record], database: Path, threads: int | None
    ) -> Iterator[Record]:
        with tempfile.TemporaryDirectory(prefix="grubio-profiles-") as temporary:
            folder = self.folder or Path(temporary) / "search"
            search = HomologSearch(database, self.search, threads or available_threads(), folder)
            named = search.profiles(records)
            for record, found in zip(records, named, strict=True):
                yield replace(record, profile=found.profile)
            search.close()


def _states(paths: Iterable[str | Path]) -> str:
    files = [
        one
        for path in map(Path, paths)
        # A database of MMseqs2 is several files beside each other, and needs none of its own name.
        for one in sorted([path, *path.glob("*"), path.with_name(f"{path.name}.index")])
        if one.is_file()
    ]
    return _digest((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in files)


def _digest(items: Iterable[Any]) -> str:
    found = hashlib.sha256()
    for item in items:
        found.update(repr(item).encode())
    return found.hexdigest()
