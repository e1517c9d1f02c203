"""The model on disk: a folder with ``weights.safetensors``, ``model.json`` and ``CARD.md``.

``model.json`` holds the format number, the network (name and settings), the number of members of
the ensemble, the inputs, the alphabet, the targets with their calibration, the kind of model, the
SHA-256 of the weights and of the rest of ``model.json``, and how the model was trained. Loading
checks both SHA-256 and refuses unknown content. Nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from grubio import __version__
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.model import bundle_format_1
from grubio.model.card import card
from grubio.model.networks.registry import NETWORKS
from grubio.model.training_input import unlike_training
from grubio.sequences.alphabet import ALPHABETS, Alphabet
from grubio.sequences.kind import Kind, kind_of
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target, target_from_dict

if TYPE_CHECKING:
    from torch import Tensor

    from grubio.model.labeller import Ensemble, Labeller

FORMAT = 2
WEIGHTS_FILE = "weights.safetensors"
METADATA_FILE = "model.json"
CARD_FILE = "CARD.md"
_CHECKSUM = "sha256"
_INPUTS = ["onehot"]


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
class Calibration:
    """How logits of a target of classes become probabilities.

    Attributes
    ----------
    temperature
        Logits are divided by it before the softmax (Guo et al., ICML 2017).
    offsets
        Added to the scaled logits, ``(class,)``, to correct for classes that were oversampled in
        training; empty if nothing is added.
    """

    temperature: float = 1.0
    offsets: tuple[float, ...] = ()


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to predict, and what is known about it.

    Attributes
    ----------
    model
        The network and its heads, in evaluation mode, on the CPU.
    alphabet
        The residues that it reads.
    calibrations
        By name of target; a target of classes without an entry is not calibrated.
    sites
        For a genome model: how each class of fixed width is called, by letter. None for a model of
        sequences.
    metadata
        Content of ``model.json``.
    name
        Of the model, for people.
    """

    model: Labeller | Ensemble
    alphabet: Alphabet
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    sites: Mapping[str, Site] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = "model"

    @property
    def described(self) -> str:
        """The name and what it was trained on, in one line."""
        training = self.metadata.get("training", {})
        data = training.get("trained_on") or ", ".join(sorted(training.get("dataset_sources", ())))
        told = f"{self.name}, trained on {data}" if data else self.name
        return " ".join(told.split())

    def unlike_training(self, texts: Sequence[str]) -> str | None:
        """Return how sequences differ from those of the training, or None if they are alike."""
        training = self.metadata.get("training", {})
        return unlike_training(training, self.alphabet, texts, whole=self.kind == "sequences")

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that it predicts; the first is the main one."""
        return self.model.targets

    @property
    def scheme(self) -> LabelScheme:
        """The classes of the main target."""
        return cast("LabelScheme", self.targets[0].scheme)

    def calibration(self, target: Target | None = None) -> Calibration:
        """Return the calibration of a target, the main one by default."""
        return self.calibrations.get((target or self.targets[0]).name, Calibration())

    @property
    def kind(self) -> Kind:
        """Whether it labels sequences or the strands of a genome."""
        return kind_of(self.sites)


def save_bundle(folder: str | Path, bundle: Bundle, training: Mapping[str, Any]) -> None:
    """Write a model and how it was trained; each file in one step, ``model.json`` last.

    Raises
    ------
    GrubioError
        If the folder cannot be written.
    """
    from safetensors.torch import save_file

    from grubio.model.labeller import members_of

    folder, model = Path(folder), bundle.model
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with written_whole(folder / WEIGHTS_FILE) as temporary:
        save_file(weights, temporary)
    settings = dataclasses.asdict(model.architecture)
    metadata = {
        "format": FORMAT,
        "grubio_version": __version__,
        "kind": bundle.kind,
        "network": {"name": settings.pop("network"), "settings": settings},
        "members": len(members_of(model)),
        "inputs": _INPUTS,
        "alphabet": bundle.alphabet.name,
        "targets": [
            target.as_dict()
            | (dataclasses.asdict(bundle.calibration(target)) if target.scheme else {})
            for target in bundle.targets
        ],
        "weights_sha256": sha256_of_file(folder / WEIGHTS_FILE),
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "training": dict(training),
    }
    if bundle.kind == "genome":
        sites = bundle.sites or {}
        metadata["sites"] = {letter: dataclasses.asdict(site) for letter, site in sites.items()}
    metadata = with_checksum(metadata)
    write_text_whole(folder / CARD_FILE, card(metadata))
    write_text_whole(folder / METADATA_FILE, json.dumps(metadata, indent=2, sort_keys=True) + "\n")


def load_metadata(folder: str | Path) -> dict[str, Any]:
    """Return the content of ``model.json`` in the newest format; ``format`` is that of the file.

    Raises
    ------
    GrubioError
        If the folder holds no model bundle, or one that is damaged or of an unknown format.
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
    if not isinstance(metadata, dict) or metadata.get("format") not in (1, FORMAT):
        raise GrubioError(
            f"model format {FORMAT} or an earlier one was expected", path=path, hint="update grubio"
        )
    # Models of the first releases have no checksum here.
    if metadata.get(_CHECKSUM, _sha256_of(metadata)) != _sha256_of(metadata):
        raise GrubioError(
            f"is damaged or was edited: it does not match its own {_CHECKSUM}",
            path=path,
            hint="install or train the model again",
        )
    if metadata["format"] == FORMAT:
        return metadata
    try:
        return bundle_format_1.upgraded(metadata)
    except (KeyError, TypeError, AttributeError) as error:
        raise _unknown(error, path) from error


def with_checksum(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``model.json`` with its SHA-256 as it is now."""
    return {**metadata, _CHECKSUM: _sha256_of(metadata)}


def _sha256_of(metadata: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in metadata.items() if key != _CHECKSUM}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _unknown(error: Exception, path: Path) -> GrubioError:
    return GrubioError(f"is not a model that this grubio ({__version__}) knows: {error}", path=path)


def load_bundle(folder: str | Path) -> Bundle:
    """Load a model bundle and check it.

    Raises
    ------
    GrubioError
        If something is missing, damaged, or of an unknown format.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

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
        alphabet, weights = ALPHABETS[metadata["alphabet"]], load_file(weights_path)
        if metadata["format"] == 1:
            weights = bundle_format_1.renamed(weights)
        sites = metadata.get("sites")
        return Bundle(
            _with_weights(metadata, alphabet, weights),
            alphabet,
            {
                target["name"]: Calibration(float(target["temperature"]), tuple(target["offsets"]))
                for target in metadata["targets"]
                if target["kind"] == "classes"
            },
            sites and {letter: Site(**values) for letter, values in sites.items()},
            metadata,
            _name_of(Path(folder).absolute()),
        )
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=weights_path) from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unknown(error, Path(folder) / METADATA_FILE) from error


def _name_of(folder: Path) -> str:
    # A run keeps its model in a folder of its own; the run's name says more.
    return folder.parent.name if folder.name == "model" else folder.name


def _with_weights(
    metadata: Mapping[str, Any], alphabet: Alphabet, weights: Mapping[str, Tensor]
) -> Labeller | Ensemble:
    import torch

    from grubio.model.labeller import members_of, new_labeller
    from grubio.model.networks.protocol import Architecture

    if metadata["inputs"] != _INPUTS:
        raise ValueError(f"it reads {', '.join(metadata['inputs'])}")
    network = metadata["network"]
    if network["name"] not in NETWORKS:
        raise ValueError(f"there is no network '{network['name']}'")
    targets = [target_from_dict(target) for target in metadata["targets"]]
    architecture = Architecture(network["name"], **network["settings"])
    # On the meta device no memory is taken and no weights are drawn, only to be replaced.
    with torch.device("meta"):
        model = new_labeller(architecture, targets, alphabet.channel_table, metadata["members"])
    model.load_state_dict(weights, assign=True)
    for labeller in members_of(model):
        labeller.network.stem.channel_table = torch.from_numpy(alphabet.channel_table)
    return model.eval()
