"""The folder of a new study: configuration, and a Snakefile that uses the installed workflow."""

from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import write_text_whole

_PACKAGE = Path(__file__).parents[1]

_SNAKEFILE = """\
# A study of grubio. Settings: config/config.yaml; all keys: config/README.md.
from grubio.study.folder import workflow_file


if "datasets" not in config:

    configfile: "config/config.yaml"


module grubio:
    snakefile:
        str(workflow_file())
    config:
        config


use rule * from grubio
"""

STUDIES = {"protein": "config.yaml", "dna": "synthetic_motifs.yaml"}
"""Studies to start from: proteins that come with grubio, and a synthetic genome."""


def workflow_file() -> Path:
    """Return the Snakefile of the workflow: of the installed package or of the checkout.

    Raises
    ------
    GrubioError
        If it was not installed.
    """
    return _shipped("workflow", "Snakefile")


def start_study(
    folder: str | Path, study: str = "protein", config: str | None = None
) -> list[Path]:
    """Write ``Snakefile`` and ``config/`` of a study into a folder and return what was written.

    Parameters
    ----------
    folder
        Made if it is missing.
    study
        A name of ``STUDIES``.
    config
        Text of the configuration, in place of that of ``study``.

    Raises
    ------
    GrubioError
        If one of the files exists already, or cannot be written.
    """
    folder = Path(folder)
    texts = {
        folder / "config/config.yaml": config
        or _shipped("config", STUDIES[study]).read_text("utf-8"),
        folder / "config/README.md": _shipped("config", "README.md").read_text("utf-8"),
        folder / "Snakefile": _SNAKEFILE,
    }
    for path in texts:
        if path.exists():
            raise GrubioError("exists already", path=path, hint="choose another folder")
    for path, text in texts.items():
        write_text_whole(path, text)
    return list(texts)


def _shipped(folder: str, name: str) -> Path:
    for place in (_PACKAGE / "shipped" / folder, _PACKAGE.parent / folder):
        if (place / name).is_file():
            return place / name
    raise GrubioError(f"this grubio was installed without {folder}/{name}", hint="install it again")
