"""Models of sequences: each record is labelled as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from grubio.inference.labelled_sequence import LabelledSequence, labelled
from grubio.inference.predictor import Prediction, Predictor
from grubio.prediction.model_kind import ModelKind, float32_array, float32_bytes
from grubio.progress import watched
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.windows import ContigPart, Window, windows
from grubio.writers.text import Content


class SequenceKind(ModelKind[Prediction, LabelledSequence, LabelledSequence]):
    """A model of sequences."""

    cuts_records = False
    row_columns: ClassVar = {
        "id": "string",
        "description": "string",
        "sequence": "large_string",
        "mask": "large_string",
        "probabilities": "large_binary",
        "accessibility": "large_binary",
    }
    refusal = (
        "strand and min_score are for genome models",
        "use min_confidence, the least probability of a label",
    )

    def _content(self, scheme: LabelScheme) -> Content:
        exposed = any(target.name == "accessibility" for target in self.bundle.targets)
        return Content("sequences", scheme, exposed)

    def answers(
        self, predictor: Predictor, records: Iterable[Record | ContigPart]
    ) -> Iterator[Prediction]:
        """Label records, in order, and show how far it is."""
        return watched(predictor.predict, map(_whole, records))

    def items(self, answers: Iterable[Prediction], *, features: bool) -> Iterator[LabelledSequence]:
        """Yield the labelled sequences."""
        return (labelled(one, self.content.scheme, self.settings.calls) for one in answers)

    def labelled(
        self, predictor: Predictor, records: Iterable[Record]
    ) -> Iterator[LabelledSequence]:
        """Yield the labelled sequence of each record."""
        return self.items(predictor.predict(records), features=False)

    def windows(self, length: int) -> Iterator[Window]:
        """Yield one window: a record is labelled at once."""
        return windows(length, length)

    def row(self, answer: Prediction) -> tuple[dict[str, Any], int]:
        """Return a prediction as a row of a shard, and its residues."""
        record, exposed = answer.record, answer.accessibility
        row = {name: getattr(record, name) for name in ("id", "description", "sequence", "mask")}
        row["probabilities"] = float32_bytes(answer.probabilities)
        row["accessibility"] = None if exposed is None else float32_bytes(exposed)
        return row, len(record)

    def read(self, rows: Iterable[dict[str, Any]]) -> Iterator[Prediction]:
        """Yield the predictions of a shard."""
        scheme = self.bundle.scheme
        for row in rows:
            exposed = row["accessibility"]
            yield Prediction(
                Record(row["id"], row["description"], row["sequence"], mask=row["mask"]),
                float32_array(row["probabilities"]).reshape(-1, scheme.size),
                scheme,
                None if exposed is None else float32_array(exposed),
            )


def _whole(part: Record | ContigPart) -> Record:
    if isinstance(part, Record):
        return part
    return Record(part.id, part.description, part.sequence, mask=part.mask)
