"""The models that come with grubio, by name."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from grubio.errors import GrubioError
from grubio.model.bundle import METADATA_FILE
from grubio.sequences.alphabet import Alphabet

DEFAULT_MODELS = {"protein": "protein-ss", "dna": "ecoli-promoters"}
"""The model that labels an input if none is named, by alphabet."""


def bundled_models() -> dict[str, Path]:
    """Return the folders of the models that come with grubio, by name."""
    zoo = Path(str(resources.files("grubio.zoo")))
    return {path.parent.name: path.parent for path in sorted(zoo.glob(f"*/{METADATA_FILE}"))}


def find_model(name_or_path: str) -> Path:
    """Return the folder of a bundled model by name, or of any model by path.

    Raises
    ------
    GrubioError
        If there is no such model.
    """
    models = bundled_models()
    if name_or_path in models:
        return models[name_or_path]
    if Path(name_or_path).exists():
        return Path(name_or_path)
    near = difflib.get_close_matches(name_or_path, models, 1)
    raise GrubioError(
        f"there is no model '{name_or_path}', neither by name nor by path",
        hint=f"did you mean '{near[0]}'?" if near else "see: grubio models list",
    )


def default_model(alphabet: Alphabet) -> Path:
    """Return the bundled model that labels an input of an alphabet if none is named.

    Raises
    ------
    GrubioError
        If none is bundled.
    """
    folder = bundled_models().get(DEFAULT_MODELS.get(alphabet.name, ""))
    if folder is None:
        raise GrubioError(
            f"no {alphabet.name} model comes with this grubio", hint="give one with --model PATH"
        )
    return folder
