"""Genome models: both strands of contigs are labelled, and features called on them.

The text of one contig at a time is held, twice while it is read. Everything else that is held does
not grow with the contigs: the windows of one batch, and features that wait for a segment that
begins before them and has not ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from grubio.inference.called_features import CalledStretch, FeatureCaller
from grubio.inference.labelled_contig import LabelledContig, labelled_contig
from grubio.inference.predictor import Predictor
from grubio.inference.stretches import Stretch
from grubio.prediction.model_kind import ModelKind, float32_array, float32_bytes
from grubio.progress import counted
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.windows import ContigPart, Window, windows
from grubio.writers.text import Content

_PLACE = ("contig", "length", "start", "end", "residues")
_COUNTED = ("stretches", "bases")


class GenomeKind(ModelKind[Stretch, CalledStretch, LabelledContig]):
    """A genome model."""

    cuts_records = True
    row_columns: ClassVar = {
        "contig": "string",
        "length": "int64",
        "start": "int64",
        "end": "int64",
        "residues": "large_string",
        "+": "large_binary",
        "-": "large_binary",
    }
    refusal = (
        "min_confidence and max_gap are not for genome models",
        "use min_score, or choose by the probabilities of format bigwig",
    )

    def _content(self, scheme: LabelScheme) -> Content:
        strands, model = self.settings.genome.strands, self.bundle.described
        return Content("genome", self.bundle.scheme, strands=strands, model=model)

    def answers(
        self, predictor: Predictor, records: Iterable[Record | ContigPart]
    ) -> Iterator[Stretch]:
        """Label contigs or parts of them, in order, and show how far it is."""
        return counted(predictor.stretches(records, self.content.strands), _COUNTED)

    def items(self, answers: Iterable[Stretch], *, features: bool) -> Iterator[CalledStretch]:
        """Yield each stretch with the features that became certain with it."""
        caller = self._caller()
        for stretch in answers:
            yield CalledStretch(stretch, caller.feed(stretch) if features else [])

    def labelled(self, predictor: Predictor, records: Iterable[Record]) -> Iterator[LabelledContig]:
        """Yield the labelled contig of each record."""
        for record in records:
            stretches = predictor.stretches([record], self.content.strands)
            yield labelled_contig(record.sequence, stretches, self._caller())

    def windows(self, length: int) -> Iterator[Window]:
        """Yield the windows of a contig."""
        return windows(length)

    def row(self, answer: Stretch) -> tuple[dict[str, Any], int]:
        """Return a stretch as a row of a shard, and its bases on all strands."""
        row = {name: getattr(answer, name) for name in _PLACE}
        row |= {strand: float32_bytes(p) for strand, p in answer.probabilities.items()}
        return row, len(answer) * len(answer.probabilities)

    def read(self, rows: Iterable[dict[str, Any]]) -> Iterator[Stretch]:
        """Yield the stretches of a shard."""
        return counted(map(self._stretch, rows), _COUNTED)

    def _stretch(self, row: dict[str, Any]) -> Stretch:
        scheme = self.bundle.scheme
        probabilities = {
            strand: float32_array(row[strand]).reshape(-1, scheme.size)
            for strand in self.content.strands
        }
        place = {name: row[name] for name in _PLACE}
        return Stretch(**place, probabilities=probabilities, scheme=scheme)

    def _caller(self) -> FeatureCaller:
        return FeatureCaller(
            self.bundle.scheme,
            self.bundle.sites or {},
            min_score=self.settings.genome.min_score,
            min_segment=self.settings.calls.min_segment,
        )
