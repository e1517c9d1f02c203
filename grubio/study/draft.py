"""The configuration of a study on a genome: classes from a template, sizes from the data.

Sizes are such that a study takes about an hour of one processor or less. Each setting is written
with the reason for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from grubio.config.sources import lasting
from grubio.datasets.annotate import ClassPlaces
from grubio.study.survey import Survey

Rules: TypeAlias = dict[str, dict[str, Any]]

_TRAINED_RESIDUES = 30_000_000
"""Residues that a training sees in all: at two layers of 64 units about half an hour."""
_MOST_BASES = 60_000_000
_MOST_SITES = 60_000
_LABELLED_AT_ONCE = 20_000_000
_VALID_BASES, _TEST_BASES = 1_500_000, 4_000_000
_SITES_OF_A_SMALL_NETWORK = 1_000


@dataclass(frozen=True)
class Draft:
    """A study before its sizes are chosen.

    Attributes
    ----------
    classes
        The rules, as they are written.
    why
        What each class is, for the comment above it.
    said
        Lines about the classes for people.
    window
        Bases of a training window; 0 trains on everything, in pieces.
    motifs
        Whether the network begins with the position weight matrices of the sites.
    extra
        Further keys of ``prepare``, each with its comment.
    formats, prediction
        What is written of the labelled genome, and further lines of ``prediction``.
    """

    classes: Rules
    why: Mapping[str, str]
    said: Sequence[str] = ()
    window: int = 200
    motifs: bool = False
    extra: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    formats: Sequence[str] = ("bed", "gff3")
    prediction: Sequence[str] = ()


@dataclass(frozen=True)
class Study:
    """A study to write, and what was found for it.

    Attributes
    ----------
    config
        Text of ``config/config.yaml``.
    found
        What the files hold, in lines for people.
    """

    config: str
    found: Sequence[str]


class Configuration:
    """The text of a configuration: a draft with its sizes.

    Parameters
    ----------
    template
        Name of the dataset and of the run.
    found
        What the files hold.
    draft
        The classes.
    places
        Where each class is, by name.
    said
        Lines for people, for the comment at the top.
    """

    def __init__(
        self,
        template: str,
        found: Survey,
        draft: Draft,
        places: Mapping[str, ClassPlaces],
        said: Sequence[str],
    ) -> None:
        self.template, self.found, self.draft, self.said = template, found, draft, said
        self.contigs = _chosen_contigs(found, places)
        self.bases = sum(found.lengths[name] for name in self.contigs)
        chosen = set(self.contigs)
        self.sites = {
            name: sum(locus.contig in chosen for locus in one.loci) for name, one in places.items()
        }

    def text(self) -> str:
        """Return it."""
        parts = [self._head(), self._dataset(), self._model(), self._training(), self._end()]
        return "\n".join(part.rstrip() + "\n" for part in parts)

    def _head(self) -> str:
        lines = [
            f"Template {self.template}. Every key that may stand here: config/README.md",
            "",
            "What was found in the files:",
            *(f"  {line}" for line in self.said),
        ]
        return "".join(f"# {line}".rstrip() + "\n" for line in lines)

    def _dataset(self) -> str:
        found, chosen = self.found, self.contigs
        lines = [
            "datasets:",
            f"  {self.template}:",
            f"    records: {json.dumps(lasting(found.genome))}",
            f"    annotation: [{json.dumps(lasting(found.annotation))}]",
            "    prepare:",
            "      format: genome",
        ]
        if found.absent or found.bad:
            lines += [
                f"      # {sum(found.absent.values()) + len(found.bad):,} lines of annotation are "
                "on contigs that the genome lacks, or cannot be read.",
                "      on_invalid: skip",
            ]
        lines += [
            "      # Contigs without any annotation are unknown, not background.",
            "      annotated: only",
        ]
        if len(chosen) < len(found.annotated):
            lines += [
                f"      # {self.bases:,} of {found.bases:,} annotated bases: enough to learn from; "
                "more take longer.",
                f"      contigs: [{', '.join(map(json.dumps, chosen))}]",
            ]
        block = _block_length(self.bases)
        lines += [
            "      # What is dealt out to training, validation and test: 60 blocks or more.",
            f"      block_length: {block}",
        ]
        for key, (value, comment) in self.draft.extra.items():
            lines += [f"      # {comment}", f"      {key}: {value}"]
        lines.append("      classes:")
        for name, rule in self.draft.classes.items():
            lines += [f"        # {self.draft.why[name]}", f"        {name}: {_flow(rule)}"]
        valid, test = self._shares()
        lines += [
            "    split:",
            f"      # {round(valid * self.bases):,} and {round(test * self.bases):,} bases.",
            f"      valid_fraction: {valid}",
            f"      test_fraction: {test}",
            "      # Bases between blocks of different splits, so that no site sees both.",
            f"      gap: {min(500, block // 10)}",
        ]
        return "\n".join(lines)

    def _shares(self) -> tuple[float, float]:
        # Of small genomes enough for intervals, of large ones as much as is validated in a minute.
        valid = min(0.12, max(0.02, _VALID_BASES / self.bases))
        test = min(0.18, max(0.03, _TEST_BASES / self.bases))
        return round(valid, 3), round(test, 3)

    @property
    def _is_small(self) -> bool:
        return sum(self.sites.values()) < _SITES_OF_A_SMALL_NETWORK and self.draft.window > 0

    def _model(self) -> str:
        units, layers, width = (32, 1, 9) if self._is_small else (64, 2, 15)
        if not self.draft.window:
            units = 96
        why = (
            f"{sum(self.sites.values()):,} sites are few: a small network."
            if self._is_small
            else "Units of each direction, layers, and bases that the first convolution sees."
        )
        return (
            f"model:\n  # {why}\n  hidden_size: {units}\n  layers: {layers}\n  stem_width: {width}"
        )

    def _training(self) -> str:
        window, lines = self.draft.window, ["training:"]
        trained = 1 - sum(self._shares())
        if not window:
            of_a_pass = 2 * self.bases * trained
            lines += [
                "  # Pieces of the blocks, in bases: longer than what a base is judged by.",
                "  max_length: 800",
                "  learning_rate: 0.005",
            ]
        else:
            ratio = 2 if sum(self.sites.values()) > _SITES_OF_A_SMALL_NETWORK else 4
            windows = trained * sum(self.sites.values()) / (1.3 if len(self.sites) > 1 else 1)
            of_a_pass = windows * (1 + ratio) * window
            lines += [
                "  # Each pass takes a window of this many bases around each site,",
                f"  max_length: {window}",
                f"  # and {ratio} windows for each of these from anywhere.",
                f"  background_ratio: {ratio}",
                "  # Validation looks at the sites, not at the share of bases that are right.",
                "  select_by: average_precision",
                f"  learning_rate: {0.005 if self._is_small else 0.004}",
            ]
            if self.draft.motifs:
                lines += [
                    "  # The network begins with the position weight matrices of the sites.",
                    "  motifs: sites",
                ]
        batch = int(min(max(of_a_pass / 80, 1000), 8000) // 100 * 100)
        epochs = int(min(max(_TRAINED_RESIDUES / of_a_pass, 2), 12))
        lines += [
            f"  # About {of_a_pass * epochs / 1e6:.1f} million bases are learned from in all.",
            f"  batch_residues: {max(batch, 2 * (window or 800))}",
            f"  epochs: {epochs}",
            f"  validations_per_epoch: {max(1, 6 // epochs)}",
            "  patience: 12",
        ]
        return "\n".join(lines)

    def _end(self) -> str:
        name = json.dumps(lasting(self.found.genome))
        total = sum(self.found.lengths.values())
        lines = [
            "# One model is trained, scored beside a position weight matrix, and reported.",
            "runs:",
            f"  {self.template}:",
            f"    dataset: {self.template}",
            "",
        ]
        inputs = [
            "prediction:",
            "  # What is labelled with the model.",
            f"  inputs: {{genome: {name}}}",
            "  # Features, and a track of probabilities for each class and strand: add bigwig.",
            f"  formats: [{', '.join(self.draft.formats)}]",
            *(f"  {line}" for line in self.draft.prediction),
        ]
        if total > _LABELLED_AT_ONCE:
            lines.append(f"# {total:,} bases take a while to label; take the # away to do it.")
            inputs = [f"# {line}" for line in inputs]
        return "\n".join([*lines, *inputs])


def _chosen_contigs(found: Survey, places: Mapping[str, ClassPlaces]) -> list[str]:
    # The largest annotated contigs, up to what is learned from in an hour.
    sites = Counter(locus.contig for one in places.values() for locus in one.loci)
    bases = count = 0
    chosen: list[str] = []
    for name in sorted(found.annotated, key=lambda name: (-found.lengths[name], name)):
        fits = bases + found.lengths[name] <= _MOST_BASES
        if fits and (not chosen or count < _MOST_SITES):
            chosen.append(name)
            bases, count = bases + found.lengths[name], count + sites[name]
    if not count:
        # Every contig with sites is too large: the smallest of them.
        chosen = sorted(sites, key=lambda name: (found.lengths[name], name))[:1]
    return [name for name in found.lengths if name in set(chosen)]


def _block_length(bases: int) -> int:
    step = int(10 ** max(len(str(bases // 60)) - 1, 2))
    return min(max(bases // 60 // step * step, 2_000), 100_000)


def _flow(rule: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in rule.items()) + "}"


def _value(value: Any) -> str:
    plain = isinstance(value, str) and value.replace("_", "").isalnum() and not value[0].isdigit()
    return value if plain else json.dumps(value)
