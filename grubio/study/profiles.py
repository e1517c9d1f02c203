"""The profiles of schedulers: found by name or folder, and refused if their plugin is missing."""

from __future__ import annotations

import difflib
from importlib.util import find_spec
from pathlib import Path

import yaml

from grubio.errors import GrubioError
from grubio.extras import EXTRAS, pip_install
from grubio.study.folder import workflow_file
from grubio.text import read_text

_FILES = ("profile.yaml", "config.yaml")


def found_profile(name: str, folder: Path) -> Path:
    """Return the folder of a profile: the one that is named, or one of those that come with grubio.

    Parameters
    ----------
    name
        A folder, also below that of the study, or a name such as ``sge``.
    folder
        Folder of the study.

    Raises
    ------
    GrubioError
        If there is no such profile, or Snakemake's plugin for it is not installed.
    """
    shipped = workflow_file().parent / "profiles"
    for place in (Path(name), folder / name, shipped / name):
        for file in _FILES:
            if (place / file).is_file():
                _require_plugin(place / file)
                return place.absolute()
    known = sorted(path.name for path in shipped.iterdir() if path.is_dir())
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"those of grubio: {', '.join(known)}"
    raise GrubioError("no such profile", path=name, hint=hint)


def _require_plugin(profile: Path) -> None:
    try:
        content = yaml.safe_load(read_text(profile)) or {}
    except yaml.YAMLError as error:
        raise GrubioError(f"is not YAML: {' '.join(str(error).split())}", path=profile) from error
    executor = content.get("executor") if isinstance(content, dict) else None
    if executor in (None, "local", "dryrun", "touch"):
        return
    module = f"snakemake_executor_plugin_{str(executor).replace('-', '_')}"
    if find_spec(module) is None:
        ours = module in EXTRAS["cluster"].libraries
        install = pip_install("cluster") if ours else f"pip install {module.replace('_', '-')}"
        raise GrubioError(
            f"needs Snakemake's plugin for '{executor}', which is not installed",
            path=profile,
            hint=install,
        )
