"""What the two kinds of model share when an input is labelled."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from grubio.config import CallSettings, Output, PredictionSettings
from grubio.config.formats import FORMATS
from grubio.config.labels import with_rules
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.bundle import Bundle
from grubio.sequences.grammar import Grammar
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.windows import ContigPart, Window
from grubio.writers.open_writer import open_writer
from grubio.writers.text import Content

AnswerT = TypeVar("AnswerT")
ItemT = TypeVar("ItemT")
LabelledT = TypeVar("LabelledT")

_WITH_LEARNED_TRANSITIONS = ("first", "last", "least", "most", "present")
"""The keys of a grammar that leave the steps of a conditional random field as they are."""


class ModelKind(ABC, Generic[AnswerT, ItemT, LabelledT]):
    """How the models of a kind predict, call, write and return, for one model and its settings.

    A model answers with a :class:`grubio.inference.predictor.Prediction` or a
    :class:`grubio.inference.labelled_region.LabelledRegion`. Writers take items made from it, and
    Python gets a labelled sequence or contig.

    Parameters
    ----------
    bundle
        The model.
    settings
        How to label.

    Raises
    ------
    GrubioError
        If the model lacks the scheme, the grammar does not fit its labels, or a setting is not for
        models of this kind.

    Attributes
    ----------
    content
        What writers must know.
    """

    cuts_records: ClassVar[bool]
    """Whether a record may lie in several shards."""
    row_columns: ClassVar[Mapping[str, str]]
    """Names and Arrow types of the columns that hold an answer in a shard."""
    refusal: ClassVar[tuple[str, str | None]]
    """Message and hint for settings that are not for models of this kind."""

    def __init__(self, bundle: Bundle, settings: PredictionSettings) -> None:
        self.bundle = bundle.with_grammar(_grammar(bundle, settings))
        self.settings = settings
        if settings != settings.for_kind(bundle.kind):
            message, hint = self.refusal
            raise GrubioError(message, hint=hint)
        if bundle.labels is None and settings.calls.about_labels != CallSettings().about_labels:
            raise GrubioError(
                "min_confidence, min_segment and max_gap are about labels, and the model predicts "
                "values"
            )
        self.content = self._content(output_scheme(self.bundle.scheme, settings.scheme))

    def predictor(self) -> Predictor:
        """Return what computes, on the device and threads of the settings."""
        return Predictor(self.bundle, self.settings.device, self.settings.threads)

    def write(self, answers: Iterable[AnswerT], outputs: Sequence[Output]) -> None:
        """Write answers to all outputs in one pass; none is left half-written.

        Raises
        ------
        GrubioError
            If an output is at fault.
        """
        features = any(FORMATS[output.format].features for output in outputs)
        with contextlib.ExitStack() as stack:
            writers = [
                stack.enter_context(open_writer(output.path, output.format, self.content))
                for output in outputs
            ]
            for item in self.items(answers, features=features):
                for write in writers:
                    write(item)

    @abstractmethod
    def _content(self, scheme: LabelScheme) -> Content: ...

    @abstractmethod
    def answers(
        self, predictor: Predictor, records: Iterable[Record | ContigPart]
    ) -> Iterator[AnswerT]:
        """Label records, or parts of contigs, in order, and show the progress."""

    @abstractmethod
    def items(self, answers: Iterable[AnswerT], *, features: bool) -> Iterator[ItemT]:
        """Yield what writers take; features of a genome are called only if ``features``."""

    @abstractmethod
    def labelled(self, predictor: Predictor, records: Iterable[Record]) -> Iterator[LabelledT]:
        """Yield what Python gets for each record."""

    @abstractmethod
    def windows(self, length: int) -> Iterator[Window]:
        """Yield the windows of a record; shards begin at the start of a core."""

    @abstractmethod
    def row(self, answer: AnswerT) -> tuple[dict[str, Any], int]:
        """Return an answer as a row of a shard, bit for bit, and its number of residues."""

    @abstractmethod
    def read(self, rows: Iterable[dict[str, Any]]) -> Iterator[AnswerT]:
        """Yield the answers from rows made by :meth:`row`."""


def _grammar(bundle: Bundle, settings: PredictionSettings) -> Grammar | None:
    transitions = bundle.calibration().transitions
    if transitions is not None and transitions.learned:
        _require_same_steps(bundle, settings.grammar)
    try:
        grammar = with_rules(bundle.scheme, settings.grammar).grammar
    except ValueError as error:
        raise GrubioError(
            f"{error}; the labels of {bundle.name} are {bundle.scheme.letters}"
        ) from error
    if bundle.kind == "genome" and grammar is not None and grammar.present:
        raise GrubioError(
            "'present' of a grammar is for sequences: a genome comes in windows",
            hint="use min_score",
        )
    return grammar


def _require_same_steps(bundle: Bundle, rules: Mapping[str, Any] | str | None) -> None:
    # A conditional random field knows the steps of its own grammar alone.
    if rules is None or (rules != "none" and {*rules} <= {*_WITH_LEARNED_TRANSITIONS}):
        return
    raise GrubioError(
        f"{bundle.name} learned how labels follow one another together with its network (loss "
        "crf), and cannot label without that",
        hint=f"give no more than {', '.join(_WITH_LEARNED_TRANSITIONS)}, for example "
        f"{{least: {{{bundle.scheme.letters[0]}: 3}}}}",
    )


def output_scheme(own: LabelScheme, wanted: str | None) -> LabelScheme:
    """Return the scheme to write: the wanted one, or the model's headline scheme for None.

    Raises
    ------
    GrubioError
        If the model has no such scheme.
    """
    if wanted is None:
        return own.headline
    if wanted == own.name:
        return own
    if own.coarse is not None and wanted == own.coarse.name:
        return own.coarse
    names = [own.name] + ([own.reduces_to] if own.reduces_to else [])
    raise GrubioError(f"the model has no scheme '{wanted}'; it has {' and '.join(names)}")


def float32_bytes(values: npt.NDArray[np.float32]) -> bytes:
    """Return numbers as little-endian bytes."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def float32_array(content: bytes) -> npt.NDArray[np.float32]:
    """Return the numbers in bytes of :func:`float32_bytes`, float32 ``(value,)``."""
    return np.frombuffer(content, dtype="<f4").astype(np.float32)
