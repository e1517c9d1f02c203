"""The card of a model: what it predicts, what it was trained on, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grubio.model.networks.registry import AttentionName, NetworkName, described, promise_of
from grubio.sequences.target import LABELS

_SCORES = {
    "accuracy": "share of residues right",
    "mcc": "correlation of observed and predicted classes",
    "macro_f1": "mean F1 of the classes",
    "average_precision": "mean average precision of the classes but background",
    "spearman": "rank correlation of known and predicted values",
    "pearson": "correlation of known and predicted values",
}


def card(metadata: Mapping[str, Any]) -> str:
    """Return the card, as Markdown, of a model from the content of its ``model.json``."""
    training = metadata["training"]
    sources = "".join(
        f"- `{name}`, SHA-256 `{digest}`\n"
        for name, digest in sorted(training["dataset_sources"].items())
    )
    return f"""# Model card

{_network(metadata)}, that predicts for every residue of a {metadata["alphabet"]} sequence:

{"".join(map(_target, metadata["targets"]))}
{_inputs(metadata)}

Trained with grubio {metadata["grubio_version"]}.

## Training data

{training["chains"]:,} sequences, {training["residues"]:,} residues; dataset SHA-256 \
`{training["dataset_sha256"]}`, made from

{sources}{_origin(metadata)}
## Validation

Best score {training["valid_score"]:.4f} ({_SCORES[training.get("score", "accuracy")]}, \
{scored_on(training)}) on {training["valid_chains"]:,} validation sequences after \
{_epochs(training["best_epoch"])}. {_calibrated(metadata)}.

## Settings of the network

{_settings(metadata)}
## Settings of training

{_listed(training["settings"])}"""


def _epochs(count: float) -> str:
    return f"{count:g} {'epoch' if count == 1 else 'epochs'}"


def promised(metadata: Mapping[str, Any]) -> str:
    """Return in one line how reproducible the predictions of a model are."""
    shapes = dict.fromkeys(map(_name_and_attention, _networks(metadata)))
    told = [f"`{name}`" + f" with `{how}` attention" * (how != "none") for name, how in shapes]
    # Networks of different kinds are computed together by an engine that none of them has alone.
    promise = promise_of(*next(iter(shapes))) if len(shapes) == 1 else "to 1e-5"
    return (
        f"The network is {' and '.join(told)}. On one kind of CPU, its prediction for a sequence "
        f"is the same {promise}, whatever the other sequences, their order, batches or shards."
    )


def _origin(metadata: Mapping[str, Any]) -> str:
    training = metadata["training"]
    parent, members = training.get("from"), training.get("members", ())
    told = ""
    if members and metadata["members"] == 1:
        told = (
            f"\nIts weights are the means of those of {len(members)} networks (SHA-256 "
            f"{', '.join(f'`{one}`' for one in members)}), the first of which is described here.\n"
        )
    if not parent:
        return told
    heads = f" and its heads {', '.join(parent['heads'])} were" if parent["heads"] else " was"
    return told + (
        f"\nStarted from `{parent['name']}` (SHA-256 of its weights "
        f"`{parent['weights_sha256']}`): its network{heads} taken over.\n"
    )


def _network(metadata: Mapping[str, Any]) -> str:
    members = metadata["members"]
    kinds = dict.fromkeys(described(*_name_and_attention(one)) for one in _networks(metadata))
    whole = " or ".join(kinds)
    if members > 1:
        whole = f"the mean of {members} networks, each {whole}"
    return f"{whole[0].upper()}{whole[1:]}, {metadata['parameters']:,} parameters"


def _networks(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the networks that differ among the members of a model, or its one network."""
    return metadata.get("networks") or [metadata["network"]]


def _settings(metadata: Mapping[str, Any]) -> str:
    # Those of each network if they differ.
    networks = _networks(metadata)
    return _listed(
        {
            key: ", ".join(map(str, found)) if len(set(found)) > 1 else found[0]
            for key in networks[0]["settings"]
            for found in [[network["settings"].get(key) for network in networks]]
        }
    )


def _name_and_attention(network: Mapping[str, Any]) -> tuple[NetworkName, AttentionName]:
    # Models of earlier versions have no attention.
    return network["name"], network["settings"].get("attention", "none")


def _inputs(metadata: Mapping[str, Any]) -> str:
    inputs = metadata["inputs"]
    known = ", ".join(f"`{name}`" for name in inputs)
    if "profile" not in inputs:
        return f"Inputs: {known}, the residues alone."
    made = metadata["training"].get("profiles")
    text = ", ".join(f"{key} {_plain(value)}" for key, value in sorted((made or {}).items()))
    return (
        f"Inputs: {known}, the residues and the frequencies of the amino acids among their "
        "homologs. Give `grubio predict` an alignment (`--profiles`) or a database "
        f"(`--database`). Profiles in training: {text or 'not recorded'}."
    )


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_plain(one)}" for key, one in sorted(value.items()))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _target(target: Mapping[str, Any]) -> str:
    if target["kind"] == "value":
        return f"- `{target['name']}`: a value{_values(target)}\n"
    scheme = target["scheme"]
    classes = zip(scheme["letters"], scheme["class_names"], strict=True)
    return (
        f"- `{target['name']}`: classes of {scheme['name']}, "
        f"{', '.join(f'{letter} = {name}' for letter, name in classes)}; "
        f"temperature {target['temperature']:.3f}{_grammar(target)}\n"
    )


def _grammar(target: Mapping[str, Any]) -> str:
    rules, transitions = target["scheme"].get("grammar"), target.get("transitions")
    if rules is None:
        return ""
    told = f"; grammar `{json.dumps(rules)}`"
    if transitions is None:
        return told
    how = "learned" if transitions["learned"] else "counted"
    return f"{told}, {how} transitions of strength {transitions['strength']:g}"


def _values(target: Mapping[str, Any]) -> str:
    if target["range"] is not None:
        low, high = target["range"]
        return f" from {low:g} to {high:g}"
    told = (
        f"; mean {target['mean']:.4g} and standard deviation {target['deviation']:.4g} in training"
    )
    if not target["spread"]:
        return told
    return (
        f"{told}; with its own standard deviation, calibrated by {target['deviation_factor']:.3f}"
    )


def scored_on(training: Mapping[str, Any]) -> str:
    """Return the name of the scheme or of the target that the validation score is about."""
    if training.get("score_target", LABELS) == LABELS:
        return str(training["score_scheme"])
    return str(training["score_target"])


def _calibrated(metadata: Mapping[str, Any]) -> str:
    training, main = metadata["training"], metadata["targets"][0]
    error, coverage = training.get("valid_ece"), training.get("valid_coverage")
    if main["kind"] == "value":
        if coverage is None:
            return "Values are not calibrated"
        return (
            "Standard deviations are calibrated on the same sequences; the 95 % intervals hold "
            f"{100 * coverage:.1f} % of the values"
        )
    rest = "" if error is None else f"; the remaining calibration error is {100 * error:.2f} %"
    return f"Probabilities are calibrated on the same sequences{rest}"


def _listed(settings: Mapping[str, Any]) -> str:
    return "".join(f"- {key}: {value}\n" for key, value in sorted(settings.items()))
