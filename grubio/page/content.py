"""What a page knows of its model: settings as JSON, and the weights in half precision."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from grubio import __version__
from grubio.config import PredictionSettings
from grubio.errors import GrubioError
from grubio.model.bundle import Bundle
from grubio.model.outputs import LARGEST_LOG_DEVIATION
from grubio.model.training_input import JUDGED_RESIDUES, USUAL_BITS, USUAL_ERRORS, WORDS
from grubio.sequences.alphabet import ALPHABETS, CERTAIN_BITS, letter_bits
from grubio.sequences.best_path import presence
from grubio.sequences.posteriors import Transitions
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.sequences.topology import roles_of
from grubio.sequences.windows import CORE, GAP, OVERLAP
from grubio.view.page import about
from grubio.writers.gff3 import term_of_region, terms_of
from grubio.writers.html import GenomeHtmlFormat

_NETWORKS = ("gru", "conv")


def require_page(bundle: Bundle) -> None:
    """Refuse a model that pages cannot compute.

    Raises
    ------
    GrubioError
        If the network is not a GRU or a convolution without attention, its members differ, it reads
        profiles, or it predicts only values along a genome.
    """
    architecture, *others = bundle.architectures
    problem = ""
    if architecture.network not in _NETWORKS:
        networks = " and ".join(_NETWORKS)
        problem = f"its network is {architecture.network}, and pages compute {networks}"
    elif architecture.attention != "none":
        problem = f"it has {architecture.attention} attention, which pages do not compute"
    elif bundle.reads_profiles:
        problem = "it reads profiles, and a page has no search for homologs"
    elif any(other != architecture for other in others):
        problem = "its members are different networks, and pages compute several of one"
    elif bundle.kind == "genome" and not bundle.scheme.size:
        problem = "it predicts values along a genome, and pages list called features"
    if problem:
        raise GrubioError(
            f"{bundle.name} cannot be a page: {problem}", hint="use grubio predict with this model"
        )


def weights_of(bundle: Bundle) -> str:
    """Return all weights, in the order of :func:`settings_of`, as half precision in base64.

    Raises
    ------
    GrubioError
        If a weight is too large for half precision.
    """
    weights = bundle.stored_in("16").weights.values()
    halves = np.concatenate([np.ravel(array) for array in weights]).astype("<f2")
    return base64.b64encode(halves.tobytes()).decode("ascii")


def settings_of(bundle: Bundle) -> dict[str, Any]:
    """Return what the scripts of a page need of a model, as JSON holds it."""
    schemes = [bundle.scheme]
    if bundle.scheme.headline.name != bundle.scheme.name:
        schemes.append(bundle.scheme.headline)
    architecture = bundle.architectures[0]
    settings = PredictionSettings()
    return {
        "name": bundle.name,
        "described": bundle.described,
        "version": __version__,
        "kind": bundle.kind,
        "members": bundle.members,
        "network": {
            "kind": architecture.network,
            "hidden": architecture.hidden_size,
            "layers": architecture.layers,
            "filters": architecture.stem_channels,
            "width": architecture.stem_width if architecture.stem_channels else 1,
        },
        "alphabet": _alphabet(bundle),
        "channels": bundle.alphabet.channel_table.tolist(),
        "pad": bundle.alphabet.pad_code,
        "weights": [[name, array.size] for name, array in bundle.weights.items()],
        "targets": [_target(bundle, target) for target in bundle.targets],
        "largestLogDeviation": LARGEST_LOG_DEVIATION,
        "schemes": [_scheme(bundle, scheme) for scheme in schemes],
        "additional": [target.name for target in bundle.additional],
        "sites": {
            letter: {"width": site.width, "threshold": site.threshold, "radius": site.radius}
            for letter, site in (bundle.sites or {}).items()
        },
        "training": _training(bundle),
        "windows": {"core": CORE, "overlap": OVERLAP, "gap": GAP},
        "defaults": {
            "onInvalid": settings.on_invalid,
            **{_camel(key): value for key, value in settings.calls.model_dump().items()},
            **{_camel(key): value for key, value in settings.genome.model_dump().items()},
        },
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _alphabet(bundle: Bundle) -> dict[str, Any]:
    ours = bundle.alphabet
    other = next(alphabet for alphabet in ALPHABETS.values() if alphabet is not ours)
    return {
        "name": ours.name,
        "title": ours.title,
        "codes": ours.codes,
        "unknown": ours.unknown,
        "other": {"title": other.title, "codes": other.codes},
        "dnaBits": letter_bits(),
        "certainBits": CERTAIN_BITS,
    }


def _training(bundle: Bundle) -> dict[str, Any] | None:
    kept = bundle.metadata.get("training", {}).get("input")
    if kept is None:
        return None
    return {
        "shares": [int(word) / 1e6 for word in kept["words"].split()],
        "lengths": kept["lengths"],
        "word": WORDS[bundle.alphabet.name],
        "usualBits": USUAL_BITS,
        "usualErrors": USUAL_ERRORS,
        "judged": JUDGED_RESIDUES,
    }


def _target(bundle: Bundle, target: Target) -> dict[str, Any]:
    calibration = bundle.calibration(target)
    content: dict[str, Any] = {
        "name": target.name,
        "size": target.size,
        "columns": target.columns,
        "classes": target.scheme is not None,
    }
    if target.scheme is not None:
        return content | {
            "scheme": _classes(bundle, target.scheme),
            "graph": _graph(target.scheme),
            "temperature": calibration.temperature,
            "offsets": calibration.offsets,
            "transitions": _transitions(calibration.transitions),
        }
    start, unit = target.scale
    regions = target.regions
    if regions is not None:
        term = term_of_region(regions.name)
        content["regions"] = dataclasses.asdict(regions) | {"term": term}
    return content | {
        "bounded": target.bounded,
        "spread": target.spread,
        "start": start,
        "unit": unit,
        "deviationUnit": target.deviation * calibration.deviation,
    }


def _scheme(bundle: Bundle, scheme: LabelScheme) -> dict[str, Any]:
    content: dict[str, Any] = _classes(bundle, scheme) | {
        "graph": _graph(scheme),
        "to": None,
        "about": about(
            scheme,
            GenomeHtmlFormat.title if bundle.kind == "genome" else None,
            model=bundle.described,
            targets=bundle.additional,
        ),
    }
    if scheme.letters != bundle.scheme.letters:
        content["to"] = bundle.scheme.reduction_matrix(scheme).argmax(axis=1).tolist()
    return content


def _classes(bundle: Bundle, scheme: LabelScheme) -> dict[str, Any]:
    return {
        "name": scheme.name,
        "letters": scheme.letters,
        "classNames": scheme.class_names,
        "background": scheme.background,
        "terms": terms_of(scheme, bundle.kind),
        "roles": roles_of(scheme),
    }


def _graph(scheme: LabelScheme) -> dict[str, Any] | None:
    graph = scheme.graph
    if graph is None:
        return None
    paths, period = graph.path_lengths
    return {
        "labels": graph.labels.tolist(),
        "before": [np.flatnonzero(column).tolist() for column in graph.edges.T],
        "after": [np.flatnonzero(row).tolist() for row in graph.edges],
        "first": graph.first.tolist(),
        "last": graph.last.tolist(),
        "paths": paths,
        "period": period,
        "present": [(k, share, k in graph.leading) for k, share in presence(scheme).items()],
    }


def _transitions(transitions: Transitions | None) -> Mapping[str, Any] | None:
    if transitions is None or not transitions.strength:
        return None
    return {"factors": transitions.factors.ravel().tolist(), "learned": transitions.learned}
