"""Several models at once: an input is labelled through each, and the answers stand side by side.

The first model with labels has the main ones; those of the others become further targets, named as
their scheme, and so do all values. Formats need not know of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from grubio.config import PredictionSettings
from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import called
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import Bundle
from grubio.prediction.sequence_kind import SequenceKind
from grubio.sequences.record import Record
from grubio.sequences.target import Target
from grubio.writers.text import Content

_TOGETHER = 256
"""Records that go through one model before the next one has them."""


class SeveralPredictor:
    """Predicts with several models, in turn; see :class:`grubio.inference.predictor.Predictor`.

    Parameters
    ----------
    predictors
        One for each model, that with the main labels first.
    """

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        self._predictors = predictors

    def predict(self, records: Iterable[Record]) -> Iterator[Prediction]:
        """Yield one prediction for each record, in order, with the answers of all models."""
        waiting: list[Record] = []
        for record in records:
            waiting.append(record)
            if len(waiting) == _TOGETHER:
                yield from self._joined(waiting)
                waiting = []
        yield from self._joined(waiting)

    def _joined(self, records: list[Record]) -> Iterator[Prediction]:
        found = [list(predictor.predict(records)) for predictor in self._predictors]
        for main, *others in zip(*found, strict=True):
            additional = dict(main.additional)
            for predictor, other in zip(self._predictors[1:], others, strict=True):
                if (labels := _as_target(predictor.bundle)) and labels.scheme:
                    additional[labels] = other.reduced(labels.scheme)
                additional.update(other.additional)
            depth = next((one.depth for one in (main, *others) if one.depth is not None), None)
            yield replace(main, additional=additional, depth=depth)


def in_order(predictors: Sequence[Predictor]) -> list[Predictor]:
    """Return predictors with the first that has labels in front."""
    return sorted(predictors, key=lambda predictor: predictor.bundle.labels is None)


def together(predictors: Sequence[Predictor]) -> Predictor:
    """Return what predicts with all of them, in order; of one it is that one."""
    if len(predictors) == 1:
        return predictors[0]
    return cast("Predictor", SeveralPredictor(predictors))


class SeveralKind(SequenceKind):
    """Several models of sequences; what is not about labels is as for the first that has them.

    Parameters
    ----------
    bundles
        The models.
    settings
        How to label; a scheme and a grammar are those of the main labels.

    Raises
    ------
    GrubioError
        If the models cannot be combined: they read other residues, one is of a genome, or two
        predict something of the same name.
    """

    def __init__(self, bundles: Sequence[Bundle], settings: PredictionSettings) -> None:
        ordered = sorted(bundles, key=lambda bundle: bundle.labels is None)
        _require_alike(bundles)
        self._others = ordered[1:]
        super().__init__(ordered[0], settings)
        _require_distinct(ordered, self.content)

    def predictor(self) -> Predictor:
        """Return what computes, on the device and threads of the settings."""
        device, threads = self.settings.device, self.settings.threads
        bundles = (self.bundle, *self._others)
        return together([Predictor(one, device, threads) for one in bundles])

    def _content(self, scheme: object) -> Content:
        content = super()._content(scheme)  # type: ignore[arg-type]
        further = [target for one in self._others for target in _targets(one)]
        return replace(
            content,
            additional=(*content.additional, *(called(t, self.settings.calls) for t in further)),
            model="; ".join([content.model, *(one.described for one in self._others)]),
            depth=any(one.reads_profiles for one in (self.bundle, *self._others)),
        )


def _targets(bundle: Bundle) -> list[Target]:
    labels = _as_target(bundle)
    return [*([labels] if labels else []), *bundle.additional]


def _as_target(bundle: Bundle) -> Target | None:
    # The labels of a model, in its coarsest scheme, as a target beside those of another.
    if bundle.labels is None:
        return None
    scheme = bundle.scheme.headline
    return Target(scheme.name, "classes", scheme)


def _require_alike(bundles: Sequence[Bundle]) -> None:
    first = bundles[0]
    for other in bundles[1:]:
        if other.alphabet != first.alphabet:
            raise GrubioError(
                f"{first.name} reads {first.alphabet.title}, {other.name} {other.alphabet.title}",
                hint="models that label one input together read the same residues",
            )
    if genome := next((one.name for one in bundles if one.kind == "genome"), None):
        raise GrubioError(
            f"{genome} is a genome model, which cannot be combined with others",
            hint="predict with each of them",
        )
    if len({one.reads_profiles for one in bundles}) > 1:
        reads = next(one.name for one in bundles if one.reads_profiles)
        plain = next(one.name for one in bundles if not one.reads_profiles)
        raise GrubioError(
            f"{reads} reads profiles, and {plain} does not", hint="predict with each of them"
        )


def _require_distinct(bundles: Sequence[Bundle], content: Content) -> None:
    owners: dict[str, str] = {}
    for number, one in enumerate(bundles):
        names = [target.heading for target in _targets(one)]
        if number == 0 and one.labels is not None:
            names[0] = content.scheme.name
        for name in names:
            if name in owners:
                raise GrubioError(
                    f"{owners[name]} and {one.name} both predict {name}",
                    hint="leave out one of them",
                )
            owners[name] = one.name
