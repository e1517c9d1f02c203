"""One file out of a ZIP archive."""

import shutil
import zipfile
from pathlib import Path

from grubio.errors import GrubioError


def extract(archive: Path, member: str, target: Path) -> None:
    """Write a member of an archive to ``target``.

    Raises
    ------
    GrubioError
        If it is no archive, or has no such member.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            if member not in opened.namelist():
                names = ", ".join(opened.namelist()[:10])
                raise GrubioError(f"has no member '{member}'; it has: {names}", path=archive)
            with opened.open(member) as raw, open(target, "wb") as out:
                shutil.copyfileobj(raw, out)
    except zipfile.BadZipFile as error:
        raise GrubioError(f"is not a ZIP archive: {error}", path=archive) from error
