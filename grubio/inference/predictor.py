"""Prediction: a stream of records in, a stream of predictions out, in the same order.

A genome model labels records of any length window by window; see :mod:`grubio.sequences.windows`.

With a GRU on a CPU, the prediction for a record is the same to the last bit on one machine,
whatever its neighbours, batch, order, shard or the number of threads. Each batch is computed by one
thread, and each residue is a row of a matrix that depends on rows of its own sequence alone. Only
the order of the sums in a matrix product could differ between batches: libraries choose it by the
shape, and :mod:`grubio.model.engines.product_shape` finds shapes that keep it. A network without an
engine of its own is reproducible to 1e-5 only (see :mod:`grubio.model.networks.registry`). Another
processor may round differently, by about 1e-6 of a probability, and so may a GPU between batches.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.errors import GrubioError
from grubio.inference.labelled_region import LabelledRegion, Place, batched_places, places_of
from grubio.model.batching import batches_by_length
from grubio.model.bundle import Bundle
from grubio.model.devices import available_threads, choose_device
from grubio.model.engines.engine import engine_of
from grubio.model.engines.one_thread import begin_thread, blas_kernels, one_thread_each
from grubio.model.outputs import softmax
from grubio.progress import computed
from grubio.sequences.best_path import best_classes
from grubio.sequences.grammar import Grammar
from grubio.sequences.locus import STRANDS, Strand, reverse_complement
from grubio.sequences.posteriors import grammar_posteriors
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.sequences.windows import CORE, OVERLAP, ContigPart

# For each thread: enough records to fill batches of like length, few enough to hold in memory.
_LOOK_AHEAD_RESIDUES = 500_000
_LOOK_AHEAD_RECORDS = 5_000
# Matrix products are at full speed from about a hundred rows; these keep a batch to a few hundred
# megabytes.
_BATCH_RESIDUES = 64_000
_BATCH_RECORDS = 192
_BATCH_WINDOWS = 32

_Mapped: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
_Answer: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""By name of target: probabilities ``(residue, class)``; values ``(residue,)``; or values and their
standard deviations ``(residue, 2)``, if the target has them (``spread``)."""
Additional: TypeAlias = Mapping[Target, npt.NDArray[np.float32]]
"""The same for all targets but the labels, in the order of the model."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one record.

    Attributes
    ----------
    record
        The record as it was read.
    probabilities
        Calibrated probabilities, float32 ``(residue, class)``, in the order of ``scheme``; the
        posteriors under its grammar, if it has one.
    scheme
        The classes; without any if the model predicts values.
    additional
        Predictions for targets besides the labels: probabilities, float32 ``(residue, class)``;
        values in the user's unit, float32 ``(residue,)``; or values and their standard deviations,
        float32 ``(residue, 2)``.
    depth
        Sequences in the alignment behind the profile that the model read; 0 if it is not known,
        None for a model that reads no profiles.
    """

    record: Record
    probabilities: npt.NDArray[np.float32]
    scheme: LabelScheme
    additional: Additional = field(default_factory=dict)
    depth: int | None = None

    def reduced(self, target: LabelScheme) -> npt.NDArray[np.float32]:
        """Return probabilities in a coarser scheme, float32 ``(residue, class)``, by summing."""
        if target.letters == self.scheme.letters:
            return self.probabilities
        return self.probabilities @ self.scheme.reduction_matrix(target)

    def labels(self, target: LabelScheme | None = None) -> str:
        """Return the label of each residue in a scheme, the model's by default."""
        scheme = target or self.scheme
        return scheme.decode(*best_classes([self.reduced(scheme)], scheme))


class Predictor:
    """Labels records in batches of similar length, and returns them in the order of the input.

    Parameters
    ----------
    bundle
        The model.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    threads
        Batches to compute at once, each with one CPU thread; by default as many as the process
        may use.
    grammar
        Whether probabilities are the posteriors under the grammar of the model, if it has one.

    Raises
    ------
    GrubioError
        If the device is not available.
    """

    def __init__(
        self,
        bundle: Bundle,
        device: str = "auto",
        threads: int | None = None,
        *,
        grammar: bool = True,
    ) -> None:
        self._threads = threads or available_threads()
        self.bundle = bundle if grammar else bundle.with_grammar(None)
        self.device = choose_device(device)
        self._engine = engine_of(bundle, self.device)

    def under(self, grammar: Grammar | None) -> Predictor:
        """Return the same with another grammar, or with none; the weights are shared."""
        other = copy.copy(self)
        other.bundle = self.bundle.with_grammar(grammar)
        return other

    @property
    def described(self) -> str:
        """The hardware, on which the last digits depend, for example ``cpu with Haswell``."""
        return self.device if self.device != "cpu" else f"cpu with {blas_kernels()}"

    def predict(self, records: Iterable[Record]) -> Iterator[Prediction]:
        """Yield one prediction for each record, in order, holding a bounded number at a time.

        For a genome model a record is one strand, and a long one is labelled window by window.

        Raises
        ------
        ValueError
            If a sequence is empty or has letters outside the alphabet; check records first with
            :func:`grubio.datasets.validation.checked_records`.
        GrubioError
            If the model reads profiles and a record has none.
        """
        if self.bundle.kind == "genome":
            yield from self._predict_by_windows(records)
            return
        with self._workers() as mapped:
            for window in _looked_ahead(records, self._threads):
                if self.bundle.reads_profiles:
                    _require_profiles(window)
                lengths = [len(record) for record in window]
                batches = batches_by_length(lengths, _BATCH_RESIDUES, _BATCH_RECORDS)
                found = mapped(
                    self._answers_of_records, ([window[i] for i in batch] for batch in batches)
                )
                answers: dict[int, _Answer] = {}
                for batch, answer in zip(batches, found, strict=True):
                    answers.update(zip(batch, answer, strict=True))
                    computed(sum(lengths[i] for i in batch))
                for index, record in enumerate(window):
                    answer = answers.pop(index)
                    additional = {target: answer[target.name] for target in self.bundle.additional}
                    scheme, depth = self.bundle.scheme, self._depth(record)
                    yield Prediction(record, self._main(answer), scheme, additional, depth)

    def regions(
        self,
        contigs: Iterable[Record | ContigPart],
        strands: Sequence[Strand] = STRANDS,
        *,
        core: int = CORE,
        overlap: int = OVERLAP,
    ) -> Iterator[LabelledRegion]:
        """Yield the regions of each contig in order, each base once, window by window.

        A region is the core of a window. However long the contigs are, only one contig's text and
        the windows of one batch are held. The minus strand is labelled as the reverse complement.
        Bases in a gap (see :mod:`grubio.sequences.windows`) are background with
        probability 1, if the scheme has a background; a window whose core is a gap is not computed.

        Parameters
        ----------
        contigs
            Plus strands, whole or in parts; the predictions for a part are those for the whole.
        strands
            The strands to label.
        core, overlap
            See :func:`grubio.sequences.windows.windows`.

        Raises
        ------
        ValueError
            As for :meth:`predict`.
        """
        budget = _BATCH_WINDOWS * (core + 2 * overlap + 2)
        places = places_of(contigs, core, overlap, self.bundle.scheme)
        groups = batched_places(places, budget // len(strands))
        with self._workers() as mapped:
            for found in mapped(lambda group: list(self._labelled(group, strands)), groups):
                yield from found

    def _predict_by_windows(self, records: Iterable[Record]) -> Iterator[Prediction]:
        waiting: deque[Record] = deque()

        def noted() -> Iterator[Record]:
            for record in records:
                waiting.append(record)
                yield record

        parts: list[LabelledRegion] = []
        for region in self.regions(noted(), ("+",)):
            parts.append(region)
            if region.end == region.length:
                yield Prediction(
                    waiting.popleft(),
                    np.concatenate([part.probabilities["+"] for part in parts]),
                    region.scheme,
                    {
                        target: np.concatenate([part.additional[target]["+"] for part in parts])
                        for target in region.additional
                    },
                )
                parts = []

    def _labelled(self, places: list[Place], strands: Sequence[Strand]) -> Iterator[LabelledRegion]:
        scheme = self.bundle.scheme
        texts = {
            (number, strand): place.text if strand == "+" else reverse_complement(place.text)
            for number, place in enumerate(places)
            if not place.gap.all()
            for strand in strands
        }
        codes = [self.bundle.alphabet.encode(text) for text in texts.values()]
        pieces = [_open_ends(places[number], strand) for number, strand in texts]
        found = self._answers(codes, open_ends=pieces) if codes else []
        answers = {key: self._main(answer) for key, answer in zip(texts, found, strict=True)}
        # Without other targets nothing is held that is not written.
        others = dict(zip(texts, found, strict=True)) if self.bundle.additional else {}
        for number, place in enumerate(places):
            window = place.window
            kept = slice(window.first - window.start, window.last - window.start)
            probabilities: dict[Strand, npt.NDArray[np.float32]] = {}
            for strand in strands:
                if (number, strand) in answers:
                    whole = answers.pop((number, strand))
                    core = (whole if strand == "+" else whole[::-1])[kept].copy()
                else:
                    core = np.zeros((len(place.gap), scheme.size), dtype=np.float32)
                core[place.gap] = [float(letter == scheme.background) for letter in scheme.letters]
                probabilities[strand] = core
            additional = {
                target: {
                    strand: _core(target, others.get((number, strand)), strand, kept, place.gap)
                    for strand in strands
                }
                for target in self.bundle.additional
            }
            yield LabelledRegion(
                place.contig,
                place.length,
                window.first,
                window.last,
                place.text[kept],
                probabilities,
                scheme,
                additional=additional,
            )

    def _main(self, answer: _Answer) -> npt.NDArray[np.float32]:
        # The probabilities of the labels, (residue, class); without labels there are no classes.
        if self.bundle.labels is not None:
            return answer[self.bundle.labels.name]
        return np.zeros((len(next(iter(answer.values()))), 0), dtype=np.float32)

    @contextlib.contextmanager
    def _workers(self) -> Iterator[_Mapped]:
        """Give a function that maps over threads, in order, reading only a little ahead."""
        if self.device != "cpu":
            yield map
            return
        with one_thread_each():
            if self._threads == 1:
                yield map
                return
            with ThreadPoolExecutor(self._threads, initializer=begin_thread) as pool:
                yield self._over(pool)

    def _over(self, pool: Executor) -> _Mapped:

        def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            ahead, running = iter(items), deque[Future[Any]]()
            first = list(itertools.islice(ahead, 2))
            if len(first) == 1:
                # Another thread would not be faster, and has to be started.
                yield function(*first)
                return
            for item in itertools.chain(first, ahead):
                if len(running) > self._threads:
                    yield running.popleft().result()
                running.append(pool.submit(function, item))
            while running:
                yield running.popleft().result()

        return mapped

    def _depth(self, record: Record) -> int | None:
        profile = record.profile if self.bundle.reads_profiles else None
        return None if profile is None else (profile.depth or 0)

    def _answers_of_records(self, records: list[Record]) -> list[_Answer]:
        codes = [self.bundle.alphabet.encode(record.sequence) for record in records]
        if not self.bundle.reads_profiles:
            return self._answers(codes)
        return self._answers(codes, [r.profile.stored for r in records if r.profile is not None])

    def _answers(
        self,
        sequences: list[npt.NDArray[np.uint8]],
        profiles: list[npt.NDArray[np.float16]] | None = None,
        open_ends: Sequence[tuple[bool, bool]] | None = None,
    ) -> list[_Answer]:
        outputs = self._engine(sequences, profiles)
        found = {
            target.name: self._in_units(target, outputs[target.name])
            for target in self.bundle.targets
        }
        ends = itertools.accumulate(map(len, sequences))
        parts = [slice(end - len(own), end) for own, end in zip(sequences, ends, strict=True)]
        # Copies: a view would keep the whole batch alive.
        answers = [{name: whole[part].copy() for name, whole in found.items()} for part in parts]
        graph, main = self.bundle.scheme.graph, self.bundle.targets[0].name
        if graph is not None:
            transitions = self.bundle.calibration().transitions
            own = [answer[main] for answer in answers]
            decoded = grammar_posteriors(own, graph, transitions, open_ends=open_ends)
            for answer, rows in zip(answers, decoded, strict=True):
                answer[main] = rows
        return answers

    def _in_units(self, target: Target, output: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the output for a target as probabilities, or as values in the user's unit."""
        if target.kind == "value":
            return self._values_in_units(target, output)
        calibration = self.bundle.calibration(target)
        calibrated = output / np.float32(calibration.temperature)
        if calibration.offsets:
            calibrated += np.array(calibration.offsets, dtype=np.float32)
        return np.asarray(softmax(calibrated), dtype=np.float32)

    def _values_in_units(
        self, target: Target, output: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        if not target.spread:
            return target.in_own_range(output)
        unit = target.deviation * self.bundle.calibration(target).deviation
        parts = target.in_own_range(output[:, 0]), np.exp(output[:, 1]) * np.float32(unit)
        return np.asarray(np.column_stack(parts), dtype=np.float32)


def _require_profiles(records: Iterable[Record]) -> None:
    for record in records:
        if record.profile is None:
            raise GrubioError(
                "has no profile, which the model reads",
                record=record.id,
                hint="add profiles: grubio profile",
            )


def _open_ends(place: Place, strand: Strand) -> tuple[bool, bool]:
    # Whether more of the contig lies before and after a window, as the strand is read.
    before, after = place.window.start > 0, place.window.end < place.length
    return (before, after) if strand == "+" else (after, before)


def _core(
    target: Target,
    answer: _Answer | None,
    strand: Strand,
    kept: slice,
    gap: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    # The answers for the core of a window in the order of the plus strand; NaN in a gap.
    shape = (len(gap), target.size) if target.scheme or target.spread else (len(gap),)
    core = np.full(shape, np.nan, dtype=np.float32)
    if answer is not None:
        whole = answer[target.name]
        core[:] = (whole if strand == "+" else whole[::-1])[kept]
        core[gap] = np.nan
    return core


def _looked_ahead(records: Iterable[Record], threads: int) -> Iterator[list[Record]]:
    window: list[Record] = []
    residues = 0
    for record in records:
        if window and residues + len(record) > threads * _LOOK_AHEAD_RESIDUES:
            yield window
            window, residues = [], 0
        window.append(record)
        residues += len(record)
        if len(window) == threads * _LOOK_AHEAD_RECORDS:
            yield window
            window, residues = [], 0
    if window:
        yield window
