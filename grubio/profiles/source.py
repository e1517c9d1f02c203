"""Profiles for records: from files by id, or from the records' own sequences."""

from __future__ import annotations

import logging
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.config.alignment_formats import ALIGNMENT_FORMATS, AlignmentFormat
from grubio.errors import GrubioError
from grubio.profiles.archive import Archive
from grubio.profiles.weighting import own_profile
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import Profile, profile_from
from grubio.sequences.record import Record

logger = logging.getLogger(__name__)

_COMPRESSED = (".gz", ".xz", ".bz2", ".zst", ".lz4")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")

Given = str | Path | Sequence[str | Path] | Mapping[str, Profile | npt.NDArray[np.floating]]
"""What profiles are read from: files and folders, or profiles or frequencies by id."""


class Profiles:
    """Profiles by the id of a record, from files and folders.

    In a folder each file of a known ending is for the record that it is named after, unless it is
    an archive of many; other characters than ``A-Z a-z 0-9 . _ -`` may be ``_`` in the name. In any
    other file the first sequence of an alignment names the record; a matrix without an id is for
    the record of its sequence.

    Parameters
    ----------
    given
        See :data:`Given`.

    Raises
    ------
    GrubioError
        If a file is missing, damaged, empty or of an unknown format, an id occurs twice, or a
        folder has no file of a known format.
    """

    def __init__(self, given: Given) -> None:
        self._archives: list[Archive] = []
        self._files: dict[str, Path] = {}
        self._known: dict[str, tuple[Profile | npt.NDArray[np.floating], str | Path | None]] = {}
        self._by_sequence: dict[str, tuple[Profile, str | Path]] = {}
        if isinstance(given, Mapping):
            self._known = {name: (profile, None) for name, profile in given.items()}
            return
        for path in [given] if isinstance(given, str | Path) else given:
            self._add(Path(path))

    @property
    def made(self) -> dict[str, Any]:
        """How they were made, as far as their files say, as JSON can hold it."""
        return {key: one for archive in self._archives for key, one in archive.made.items()}

    def of(self, record: Record) -> Profile | None:
        """Return the profile of a record, or None if there is none.

        Raises
        ------
        GrubioError
            With file and record, if its profile is that of another sequence, or its file is at
            fault.
        """
        found, path = self._found(record)
        if found is None:
            return None
        if isinstance(found, Profile):
            _require_same(record, found.sequence, path)
            return found
        try:
            return profile_from(record.sequence, np.asarray(found))
        except ValueError as error:
            raise GrubioError(f"its profile: {error}", record=record.id) from None

    def _found(
        self, record: Record
    ) -> tuple[Profile | npt.NDArray[np.floating] | None, str | Path | None]:
        name = record.id
        if name in self._known:
            return self._known[name]
        for archive in self._archives:
            if name in archive:
                return archive[name], archive.path
        path = self._files.get(name) or self._files.get(_NOT_IN_NAMES.sub("_", name))
        if path is not None:
            return _only(path), path
        return self._by_sequence.get(_plain(record.sequence), (None, None))

    def _add(self, path: Path) -> None:
        if path.is_dir():
            self._add_folder(path)
            return
        known = _format_of(path)
        if known is None:
            raise GrubioError(
                "is in no known format of alignments",
                path=path,
                hint=f"these endings are known: {_endings()}",
            )
        if known is ALIGNMENT_FORMATS["profiles"]:
            self._archives.append(Archive(path))
            return
        for name, profile in _read(path, known):
            if name is None:
                self._by_sequence[_plain(profile.sequence)] = profile, path
            elif name in self._known:
                raise GrubioError("two alignments are for this record", path=path, record=name)
            else:
                self._known[name] = profile, path

    def _add_folder(self, folder: Path) -> None:
        before = len(self._archives), len(self._files)
        for path in sorted(folder.iterdir()):
            known = None if path.name.startswith(".") or path.is_dir() else _format_of(path)
            if known is ALIGNMENT_FORMATS["profiles"]:
                self._archives.append(Archive(path))
            elif known is not None:
                name = _without_ending(path, known)
                if name in self._files:
                    raise GrubioError(
                        f"is for the same record as {self._files[name].name}",
                        path=path,
                        record=name,
                    )
                self._files[name] = path
        if before == (len(self._archives), len(self._files)):
            raise GrubioError(
                "holds no alignment", path=folder, hint=f"these endings are known: {_endings()}"
            )


def with_profiles(
    records: Iterable[Record],
    profiles: Profiles | None,
    path: str | Path | None = None,
    *,
    whole: bool = True,
) -> Iterator[Record]:
    """Yield records with their profiles; one without an alignment gets that of its own sequence.

    How many these are is logged at the end.

    Parameters
    ----------
    records
        Records of proteins.
    profiles
        Where to look; with None every record gets the profile of its own sequence.
    path
        What to name if no record has a profile.
    whole
        Whether that is an error.

    Raises
    ------
    GrubioError
        At the end, if none of the records has a profile; or see :meth:`Profiles.of`.
    """
    read = without = 0
    for record in records:
        profile = None if profiles is None else profiles.of(record)
        read += 1
        without += profile is None
        yield replace(record, profile=profile or own_profile(record.sequence))
    if profiles is None or not without:
        return
    if without == read and whole:
        raise GrubioError(
            f"has no alignment for any of the {read} records",
            path=path,
            hint="files are named after the ids of the records, or the first sequence of each "
            "alignment has the id",
        )
    logger.warning("%d of %d records have no alignment: depth 1", without, read)


def _format_of(path: Path) -> AlignmentFormat | None:
    name = path.name.lower().removesuffix(_compression(path))
    return next((one for one in ALIGNMENT_FORMATS.values() if name.endswith(one.endings)), None)


def _compression(path: Path) -> str:
    return path.suffix.lower() if path.suffix.lower() in _COMPRESSED else ""


def _without_ending(path: Path, known: AlignmentFormat) -> str:
    name = path.name[: len(path.name) - len(_compression(path))]
    ending = next(ending for ending in known.endings if name.lower().endswith(ending))
    return name[: -len(ending)]


def _endings() -> str:
    return " ".join(ending for one in ALIGNMENT_FORMATS.values() for ending in one.endings)


def _read(path: Path, known: AlignmentFormat) -> Iterator[tuple[str | None, Profile]]:
    found: Iterator[tuple[str | None, Profile]] = pkgutil.resolve_name(
        "grubio.profiles." + known.reader.replace(".", ":")
    )(path)
    return found


def _only(path: Path) -> Profile:
    # The file of one record; of several alignments in it the first one counts.
    known = _format_of(path)
    assert known is not None
    return next(profile for _, profile in _read(path, known))


def _plain(sequence: str) -> str:
    # What search tools make of letters that they do not know.
    residues = PROTEIN.residue_of_byte[np.frombuffer(sequence.upper().encode("ascii"), np.uint8)]
    return "".join(PROTEIN.letters[one] if one >= 0 else PROTEIN.unknown for one in residues)


def _require_same(record: Record, found: str, path: str | Path | None) -> None:
    if len(found) != len(record):
        raise GrubioError(
            f"the first sequence of the alignment has {len(found)} residues; {len(record)} were "
            "expected",
            path=path,
            record=record.id,
            hint="align to the whole sequence, and put it first",
        )
    ours, theirs = _plain(record.sequence), _plain(found)
    unknown = PROTEIN.unknown
    for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if one != other and unknown not in (one, other):
            raise GrubioError(
                f"the first sequence of the alignment has '{other}' here; '{one}' was expected",
                path=path,
                record=record.id,
                position=place + 1,
                hint="align to the sequence of the record, and put it first",
            )
