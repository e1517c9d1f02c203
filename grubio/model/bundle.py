"""The model on disk: a folder with ``weights.safetensors``, ``model.json`` and ``CARD.md``.

``model.json`` holds the format number, the architecture, the alphabet, the label scheme, the
calibration temperature, the SHA-256 of the weights and of the rest of ``model.json``, and how the
model was trained. Loading checks both SHA-256 and refuses what it does not know. There is no
pickle anywhere.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grubio import __version__
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.sequences.alphabet import ALPHABETS, Alphabet
from grubio.sequences.scheme import LabelScheme, scheme_from_dict

if TYPE_CHECKING:
    from grubio.model.bigru import Labeller

FORMAT = 1
WEIGHTS_FILE = "weights.safetensors"
METADATA_FILE = "model.json"
CARD_FILE = "CARD.md"
_CHECKSUM = "sha256"
_SCORES = {
    "accuracy": "share of residues right",
    "average_precision": "mean average precision of the classes but background",
}


@dataclass(frozen=True)
class Site:
    """How the sites of a class are called.

    Attributes
    ----------
    width
        Bases of a site.
    threshold
        Least mean probability over the site, chosen on validation blocks.
    """

    width: int
    threshold: float


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to predict, and what is known about it.

    Attributes
    ----------
    model
        The network, in evaluation mode, on the CPU.
    alphabet, scheme
        What it reads and what it writes.
    temperature
        Logits are divided by it before the softmax (Guo et al., ICML 2017).
    metadata
        Content of ``model.json``.
    offsets
        Added to the scaled logits, ``(class,)``: corrects for classes that were seen more often in
        training than they are; empty if nothing is added.
    sites
        For a model of a genome's strands: how each class of fixed width is called, by letter. None
        for a model of other sequences.
    """

    model: Labeller
    alphabet: Alphabet
    scheme: LabelScheme
    temperature: float
    metadata: Mapping[str, Any]
    offsets: tuple[float, ...] = ()
    sites: Mapping[str, Site] | None = None


def save_bundle(
    folder: str | Path,
    model: Labeller,
    alphabet: Alphabet,
    scheme: LabelScheme,
    temperature: float,
    training: Mapping[str, Any],
    *,
    offsets: Sequence[float] = (),
    sites: Mapping[str, Site] | None = None,
) -> None:
    """Write a model bundle; each file in one step, ``model.json`` last.

    Raises
    ------
    GrubioError
        If the folder cannot be written.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with written_whole(folder / WEIGHTS_FILE) as temporary:
        save_file(weights, temporary)
    metadata = {
        "format": FORMAT,
        "grubio_version": __version__,
        "architecture": dataclasses.asdict(model.architecture),
        "alphabet": alphabet.name,
        "scheme": scheme.as_dict(),
        "temperature": temperature,
        "offsets": list(offsets),
        "sites": None if sites is None else {k: dataclasses.asdict(v) for k, v in sites.items()},
        "weights_sha256": sha256_of_file(folder / WEIGHTS_FILE),
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "training": dict(training),
    }
    metadata[_CHECKSUM] = _sha256_of(metadata)
    write_text_whole(folder / CARD_FILE, _card(metadata))
    write_text_whole(folder / METADATA_FILE, json.dumps(metadata, indent=2, sort_keys=True) + "\n")


def load_metadata(folder: str | Path) -> dict[str, Any]:
    """Return the content of ``model.json``.

    Raises
    ------
    GrubioError
        If the folder holds no model bundle or one of an unknown format.
    """
    path = Path(folder) / METADATA_FILE
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GrubioError(
            f"is not a model bundle: it has no {METADATA_FILE}",
            path=folder,
            hint="give the folder that grubio train wrote, or a name from: grubio models list",
        ) from error
    except (OSError, ValueError) as error:
        raise GrubioError(f"cannot be read: {error}", path=path) from error
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise GrubioError(f"model format {FORMAT} was expected", path=path, hint="update grubio")
    # Models of the first releases have no such line.
    if metadata.get(_CHECKSUM, _sha256_of(metadata)) != _sha256_of(metadata):
        raise GrubioError(
            f"is damaged, or was edited: it does not agree with its own {_CHECKSUM}",
            path=path,
            hint="install or train the model again",
        )
    return metadata


def _sha256_of(metadata: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in metadata.items() if key != _CHECKSUM}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def load_bundle(folder: str | Path) -> Bundle:
    """Load a model bundle and check it.

    Raises
    ------
    GrubioError
        If something is missing, damaged, or of an unknown format.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from grubio.model.bigru import Architecture, BiGRULabeller, new_labeller

    metadata = load_metadata(folder)
    weights_path = Path(folder) / WEIGHTS_FILE
    try:
        found = sha256_of_file(weights_path)
        if found != metadata["weights_sha256"]:
            raise GrubioError(
                f"is damaged: SHA-256 {metadata['weights_sha256']} was expected, {found} was found",
                path=weights_path,
                hint="install or train the model again",
            )
        alphabet = ALPHABETS[metadata["alphabet"]]
        scheme = scheme_from_dict(metadata["scheme"])
        with torch.device("meta"):
            model = new_labeller(Architecture(**metadata["architecture"]), alphabet.channel_table)
        model.load_state_dict(load_file(weights_path), assign=True)
        for part in model.modules():
            if isinstance(part, BiGRULabeller):
                part.channel_table = torch.from_numpy(alphabet.channel_table)
        temperature = float(metadata["temperature"])
        offsets = tuple(float(value) for value in metadata.get("offsets") or ())
        sites = metadata.get("sites")
        if sites is not None:
            sites = {letter: Site(**values) for letter, values in sites.items()}
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=weights_path) from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise GrubioError(
            f"is not a model that this grubio ({__version__}) knows: {error}",
            path=Path(folder) / METADATA_FILE,
        ) from error
    return Bundle(model.eval(), alphabet, scheme, temperature, metadata, offsets, sites)


def _described_network(architecture: Mapping[str, Any]) -> str:
    members = architecture.get("members", 1)
    return "A bidirectional GRU" if members == 1 else f"The mean of {members} bidirectional GRUs"


def _stem(architecture: Mapping[str, Any]) -> str:
    channels = architecture.get("stem_channels", 0)
    width = architecture.get("stem_width")
    return f", after {channels} channels of convolution over {width} residues" if channels else ""


def _remaining_error(training: Mapping[str, Any]) -> str:
    error = training.get("valid_ece")
    return "" if error is None else f"; the calibration error that remains is {100 * error:.2f} %"


def _card(metadata: Mapping[str, Any]) -> str:
    training = metadata["training"]
    sources = "".join(
        f"- `{name}`, SHA-256 `{digest}`\n"
        for name, digest in sorted(training["dataset_sources"].items())
    )
    settings = "".join(f"- {key}: {value}\n" for key, value in sorted(training["settings"].items()))
    architecture = metadata["architecture"]
    scheme = metadata["scheme"]
    classes = ", ".join(
        f"{letter} = {name}"
        for letter, name in zip(scheme["letters"], scheme["class_names"], strict=True)
    )
    return f"""# Model card

{_described_network(architecture)} ({architecture["layers"]} layers, \
{architecture["hidden_size"]} wide in each direction{_stem(architecture)}; \
{metadata["parameters"]:,} parameters) that labels every residue of a \
{metadata["alphabet"]} sequence, trained with grubio {metadata["grubio_version"]}.

Classes ({scheme["name"]}): {classes}.

## Training data

{training["chains"]:,} chains, {training["residues"]:,} residues; dataset SHA-256 \
`{training["dataset_sha256"]}`, made from

{sources}
## Validation

Best score {training["valid_score"]:.4f} ({_SCORES[training.get("score", "accuracy")]}, \
{training["score_scheme"]}) \
on {training["valid_chains"]:,} validation chains after {training["best_epoch"]:g} epochs. \
Probabilities are calibrated on the same chains with temperature {metadata["temperature"]:.3f}\
{_remaining_error(training)}.

## Settings

{settings}"""
