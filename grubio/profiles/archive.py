"""The file of profiles: one NumPy archive (``.npz``) for any number of sequences.

``ID.npy`` holds the frequencies of a sequence, float16 ``(residue, 20)``, columns in the order
``ACDEFGHIKLMNPQRSTVWY``: ``numpy.load(FILE)[ID]`` gives them without grubio. ``about.json`` holds
the sequence, the depth and the effective number of each id, and under ``made`` what was read, run
and set. A profile is written as soon as it is made and read without the others, and NumPy is all
that it takes. Nothing is pickled.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.profiles.named import NamedProfile
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import Profile

FORMAT = 1
_ABOUT = "about.json"
_HINT = "make it with: grubio profile"


@contextmanager
def open_archive(path: Path, made: Mapping[str, Any]) -> Iterator[Callable[[str, Profile], None]]:
    """Give a function that adds a profile, by id; the file appears when the block ends.

    Parameters
    ----------
    path
        File to write.
    made
        What was read, run and set, as JSON can hold it.

    Raises
    ------
    GrubioError
        If the file cannot be written.
    """
    records: dict[str, dict[str, Any]] = {}
    with (
        written_whole(path) as temporary,
        # Frequencies hardly repeat: a low level takes a tenth of the time.
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):

        def add(name: str, profile: Profile) -> None:
            records[name] = {
                "sequence": profile.sequence,
                "depth": profile.depth,
                "neff": profile.neff,
            }
            with archive.open(_member(name), "w") as out:
                np.lib.format.write_array(out, profile.stored, allow_pickle=False)

        yield add
        content = {"format": FORMAT, "letters": PROTEIN.letters, "made": made, "records": records}
        with archive.open(_ABOUT, "w") as out:
            out.write(json.dumps(content).encode())


class Archive:
    """A file of profiles; each is read when it is asked for.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    GrubioError
        If it is missing, damaged, or no file of profiles.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        with self._faults():
            self._archive = zipfile.ZipFile(path)
            if _ABOUT not in self._archive.namelist():
                raise GrubioError("is no file of profiles", path=path, hint=_HINT)
            content = json.loads(self._archive.read(_ABOUT))
            if content["format"] != FORMAT or content["letters"] != PROTEIN.letters:
                raise GrubioError(
                    f"format {FORMAT} of profiles was expected", path=path, hint="update grubio"
                )
            self.made: Mapping[str, Any] = content["made"]
            self.records: Mapping[str, Mapping[str, Any]] = content["records"]

    def __contains__(self, name: object) -> bool:
        """Return whether it has the profile of an id."""
        return name in self.records

    def __getitem__(self, name: str) -> Profile:
        """Return the profile of an id.

        Raises
        ------
        KeyError
            If there is none.
        GrubioError
            If the file is damaged.
        """
        about = self.records[name]
        with self._faults(), self._archive.open(_member(name)) as raw:
            stored = np.lib.format.read_array(raw, allow_pickle=False)
            if stored.shape != (len(about["sequence"]), PROTEIN.channels):
                raise ValueError(f"{name} has shape {stored.shape}")
            return Profile(
                about["sequence"], stored.astype(np.float16), about["depth"], about["neff"]
            )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise GrubioError("no such file", path=self.path) from error
        except IsADirectoryError as error:
            raise GrubioError("is a folder, not a file", path=self.path) from error
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise GrubioError(
                f"is damaged, or no file of profiles: {error}", path=self.path, hint=_HINT
            ) from error


def read_archive(path: str | Path) -> Iterator[NamedProfile]:
    """Yield all profiles of a file, in its order.

    Raises
    ------
    GrubioError
        If it is missing, damaged, or no file of profiles.
    """
    archive = Archive(path)
    for name in archive.records:
        yield NamedProfile(name, archive[name])


def is_archive_of_shares(path: Path) -> bool:
    """Return whether a file is a NumPy archive of shares (:mod:`grubio.readers.targets`)."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return _ABOUT not in names and "freq.npy" in names


def _member(name: str) -> str:
    return f"{name}.npy"
