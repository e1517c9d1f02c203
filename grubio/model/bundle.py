"""The model on disk: a folder with ``weights.safetensors``, ``model.json`` and ``CARD.md``.

``model.json`` holds the format number, the network (name and settings), the number of members of
the ensemble, under ``networks`` the network of each if they differ, the inputs, the alphabet, the
targets with their calibration, the kind of model, the SHA-256 of the weights and of the rest of
``model.json``, and how the model was trained. Weights are stored as float32, or rounded to float16,
and are float32 in memory. A sketch of the training sequences lies beside it
(:mod:`grubio.model.training_sketch`), and labelling does not read it. Loading checks both SHA-256
and refuses unknown content. Nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio import __version__
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.model import bundle_format_1
from grubio.model.architecture import INPUT_NAMES, Architecture, WeightPrecision
from grubio.model.card import card
from grubio.model.networks.registry import NETWORKS
from grubio.model.training_input import unlike_training
from grubio.model.training_sketch import SKETCH_FILE, Sketch, write_sketches
from grubio.overwriting import keeps_inputs
from grubio.sequences.alphabet import ALPHABETS, Alphabet
from grubio.sequences.grammar import Grammar
from grubio.sequences.kind import Kind, kind_of
from grubio.sequences.posteriors import Transitions
from grubio.sequences.runs_and_peaks import called_radius
from grubio.sequences.scheme import NO_CLASSES, LabelScheme
from grubio.sequences.target import Target, target_from_dict

Weights: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""Arrays of weights by name, as PyTorch names and shapes them."""

FORMAT = 2
WEIGHTS_FILE = "weights.safetensors"
METADATA_FILE = "model.json"
CARD_FILE = "CARD.md"
_CHECKSUM = "sha256"


@dataclass(frozen=True)
class Site:
    """How the sites of a class are called.

    Attributes
    ----------
    width
        Bases of a site.
    threshold
        Least mean probability over the site, chosen on validation blocks.
    apart
        Bases within which no other site of the class is called beside a better one, chosen on
        validation blocks; None for the larger of the width and ten.
    """

    width: int
    threshold: float
    apart: int | None = None

    @property
    def radius(self) -> int:
        """Bases within which no other site of the class is called beside a better one."""
        return called_radius(self.width) if self.apart is None else self.apart

    def as_dict(self) -> dict[str, float]:
        """Return what ``model.json`` holds of it."""
        content = {"width": self.width, "threshold": self.threshold}
        return content if self.apart is None else content | {"apart": self.apart}


@dataclass(frozen=True)
class Calibration:
    """How logits of a target of classes become probabilities, and how deviations are corrected.

    Attributes
    ----------
    temperature
        Logits are divided by it before the softmax (Guo et al., ICML 2017).
    offsets
        Added to the scaled logits, ``(class,)``, to correct for classes that were oversampled in
        training; empty if nothing is added.
    deviation
        Predicted standard deviations of values are multiplied by it.
    transitions
        How likely classes follow one another, where the scheme has a grammar; None if that is not
        considered.
    """

    temperature: float = 1.0
    offsets: tuple[float, ...] = ()
    deviation: float = 1.0
    transitions: Transitions | None = None

    def as_dict(self, target: Target) -> dict[str, Any]:
        """Return what ``model.json`` holds of it under a target."""
        if target.scheme is None:
            return {"deviation_factor": self.deviation} if target.spread else {}
        content: dict[str, Any] = {"temperature": self.temperature, "offsets": self.offsets}
        if self.transitions is not None:
            content["transitions"] = dataclasses.asdict(self.transitions)
        return content


def _calibration_of(content: Mapping[str, Any]) -> Calibration:
    if content["kind"] != "classes":
        return Calibration(deviation=float(content.get("deviation_factor", 1)))
    transitions = None
    if (given := content.get("transitions")) is not None:
        scores = tuple(tuple(map(float, row)) for row in given["scores"])
        transitions = Transitions(scores, float(given["strength"]), bool(given["learned"]))
    offsets = tuple(content["offsets"])
    return Calibration(float(content["temperature"]), offsets, transitions=transitions)


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model that is ready to predict, and what is known about it.

    Attributes
    ----------
    architectures
        Which network, and its size: of each member of an ensemble, whose outputs are averaged, or
        of a single model.
    targets
        What it predicts; the first target is the main one.
    weights
        Of the network and its heads; those of an ensemble begin with ``members.N.``.
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
    weight_precision
        Bits of a weight on disk; in memory they are float32, see :meth:`stored_in`.
    """

    architectures: tuple[Architecture, ...]
    targets: tuple[Target, ...]
    weights: Weights
    alphabet: Alphabet
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    sites: Mapping[str, Site] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = "model"
    weight_precision: WeightPrecision = "32"

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
    def members(self) -> int:
        """Models of an ensemble; 1 for a single model."""
        return len(self.architectures)

    @property
    def single_models(self) -> list[Bundle]:
        """The members, each as a bundle, whose weights have the names of a single model."""
        if self.members == 1:
            return [self]
        found = []
        for number, architecture in enumerate(self.architectures):
            own = f"members.{number}."
            weights = {
                name.removeprefix(own): weight
                for name, weight in self.weights.items()
                if name.startswith(own)
            }
            found.append(replace(self, architectures=(architecture,), weights=weights))
        return found

    @property
    def labels(self) -> Target | None:
        """The target that is the labels of records; None if the main target is a value."""
        return self.targets[0] if self.targets[0].scheme is not None else None

    @property
    def additional(self) -> tuple[Target, ...]:
        """The targets besides the labels."""
        return self.targets if self.labels is None else self.targets[1:]

    @property
    def reads_profiles(self) -> bool:
        """Whether a record needs a profile to be labelled."""
        return any(architecture.reads_profiles for architecture in self.architectures)

    @property
    def scheme(self) -> LabelScheme:
        """The classes of the labels; without any if the main target is a value."""
        return self.targets[0].scheme or NO_CLASSES

    def with_grammar(self, grammar: Grammar | None) -> Bundle:
        """Return the same model with another grammar of its main target, or with none."""
        main, *others = self.targets
        if main.scheme is None:
            return self
        return replace(
            self, targets=(replace(main, scheme=self.scheme.with_grammar(grammar)), *others)
        )

    def stored_in(self, precision: WeightPrecision) -> Bundle:
        """Return the same model with weights that are stored exactly in a precision.

        Raises
        ------
        GrubioError
            If a weight is too large for float16.
        """
        if precision == self.weight_precision:
            return self
        weights = self.weights
        if precision == "16":
            largest = float(np.finfo(np.float16).max)
            for name, array in weights.items():
                if np.abs(array).max(initial=0) > largest:
                    raise GrubioError(f"weights {name} are larger than {largest:g}, float16's most")
            weights = {
                name: array.astype(np.float16).astype(np.float32) for name, array in weights.items()
            }
        return replace(self, weights=weights, weight_precision=precision)

    def calibration(self, target: Target | None = None) -> Calibration:
        """Return the calibration of a target, the main one by default."""
        return self.calibrations.get((target or self.targets[0]).name, Calibration())

    @property
    def kind(self) -> Kind:
        """Whether it labels sequences or the strands of a genome."""
        return kind_of(self.sites)


def save_bundle(
    folder: str | Path,
    bundle: Bundle,
    training: Mapping[str, Any],
    sketches: Sequence[Sketch] = (),
) -> None:
    """Write a model and how it was trained; each file in one step, ``model.json`` last.

    The sketches are those of its training sequences, and then of the models that it started from.

    Raises
    ------
    GrubioError
        If the folder cannot be written.
    """
    folder = Path(folder)
    networks = [_network(architecture) for architecture in bundle.architectures]
    alike = all(network == networks[0] for network in networks)
    metadata = {
        "format": FORMAT,
        "grubio_version": __version__,
        "kind": bundle.kind,
        "network": {key: networks[0][key] for key in ("name", "settings")},
        "members": bundle.members,
        **({} if alike else {"networks": networks}),
        "inputs": [
            name for name in INPUT_NAMES if any(name in network["inputs"] for network in networks)
        ],
        "alphabet": bundle.alphabet.name,
        "targets": [
            target.as_dict() | bundle.calibration(target).as_dict(target)
            for target in bundle.targets
        ],
        **_write_weights(folder, bundle),
        "parameters": sum(array.size for array in bundle.weights.values()),
        "training": dict(training),
    }
    if bundle.kind == "genome":
        sites = bundle.sites or {}
        metadata["sites"] = {letter: site.as_dict() for letter, site in sites.items()}
    if sketches:
        metadata |= write_sketches(folder, sketches)
    metadata = with_checksum(metadata)
    write_text_whole(folder / CARD_FILE, card(metadata))
    write_text_whole(folder / METADATA_FILE, _as_text(metadata))


@keeps_inputs("folder")
def copy_bundle(folder: Path, output: Path, precision: WeightPrecision | None = None) -> None:
    """Write a model anew, its weights in another precision if given; the rest stays as it is.

    Raises
    ------
    GrubioError
        If the model cannot be loaded, or its weights are too large for float16.
    """
    bundle = load_bundle(folder)
    bundle = bundle.stored_in(precision or bundle.weight_precision)
    for name in (CARD_FILE, SKETCH_FILE):
        if (folder / name).exists():
            with written_whole(output / name) as temporary:
                shutil.copyfile(folder / name, temporary)
    metadata = with_checksum(
        {**bundle.metadata, "format": FORMAT, **_write_weights(output, bundle)}
    )
    write_text_whole(output / METADATA_FILE, _as_text(metadata))


def _write_weights(folder: Path, bundle: Bundle) -> dict[str, Any]:
    """Write the weights, and return what ``model.json`` says about their file."""
    from safetensors.numpy import save_file

    stored = np.float16 if bundle.weight_precision == "16" else np.float32
    weights = {name: np.ascontiguousarray(w, dtype=stored) for name, w in bundle.weights.items()}
    with written_whole(folder / WEIGHTS_FILE) as temporary:
        save_file(weights, temporary)
    return {
        "weight_precision": bundle.weight_precision,
        "weights_sha256": sha256_of_file(folder / WEIGHTS_FILE),
    }


def _as_text(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata, indent=2, sort_keys=True) + "\n"


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
    from safetensors.numpy import load_file

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
        weights = {name: w.astype(np.float32) for name, w in load_file(weights_path).items()}
        if metadata["format"] == 1:
            weights = bundle_format_1.renamed(weights)
        sites = metadata.get("sites")
        return Bundle(
            architectures_of(metadata),
            tuple(target_from_dict(target) for target in metadata["targets"]),
            weights,
            alphabet,
            {
                target["name"]: _calibration_of(target)
                for target in metadata["targets"]
                if target["kind"] == "classes" or target.get("spread")
            },
            sites and {letter: Site(**values) for letter, values in sites.items()},
            metadata,
            _name_of(Path(folder).absolute()),
            # Models of earlier versions do not say it.
            metadata.get("weight_precision", "32"),
        )
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=weights_path) from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unknown(error, Path(folder) / METADATA_FILE) from error


def _name_of(folder: Path) -> str:
    # A run keeps its model in a folder of its own; the run's name says more.
    return folder.parent.name if folder.name == "model" else folder.name


def _network(architecture: Architecture) -> dict[str, Any]:
    settings = dataclasses.asdict(architecture)
    inputs = list(settings.pop("inputs"))
    return {"name": settings.pop("network"), "settings": settings, "inputs": inputs}


def architectures_of(metadata: Mapping[str, Any]) -> tuple[Architecture, ...]:
    """Return the networks of the members: each its own, or all the same."""
    members = int(metadata["members"])
    networks = metadata.get("networks")
    if networks is None:
        networks = [{**metadata["network"], "inputs": metadata["inputs"]}] * members
    if len(networks) != members or not networks:
        raise ValueError(f"it has {members} members and {len(networks)} networks")
    return tuple(map(_architecture, networks))


def _architecture(network: Mapping[str, Any]) -> Architecture:
    inputs = tuple(network["inputs"])
    if not {"onehot"} <= {*inputs} <= {*INPUT_NAMES}:
        raise ValueError(f"it reads {', '.join(inputs)}")
    if network["name"] not in NETWORKS:
        raise ValueError(f"there is no network '{network['name']}'")
    return Architecture(network["name"], **network["settings"], inputs=inputs)
