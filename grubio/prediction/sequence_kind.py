"""Models of sequences: each record is labelled as a whole."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from grubio.inference.labelled_sequence import LabelledSequence, all_labelled, called
from grubio.inference.predictor import Prediction, Predictor
from grubio.prediction.model_kind import ModelKind, float32_array, float32_bytes
from grubio.progress import watched
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
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
        "additional": "large_binary",
        "depth": "int32",
    }
    refusal = (
        "strand, min_score, introns and the like are for genome models",
        "use min_confidence, the least probability of a label",
    )

    def _content(self, scheme: LabelScheme) -> Content:
        additional = tuple(called(t, self.settings.calls) for t in self.bundle.additional)
        model = self.bundle.described
        depth = self.bundle.reads_profiles
        return Content("sequences", scheme, additional, model=model, depth=depth)

    def answers(
        self, predictor: Predictor, records: Iterable[Record | ContigPart]
    ) -> Iterator[Prediction]:
        """Label records, in order, and show the progress."""
        return watched(predictor.predict, map(_whole, records))

    def items(self, answers: Iterable[Prediction], *, features: bool) -> Iterator[LabelledSequence]:
        """Yield the labelled sequences."""
        return all_labelled(answers, self.content.scheme, self.settings.calls)

    def labelled(
        self, predictor: Predictor, records: Iterable[Record]
    ) -> Iterator[LabelledSequence]:
        """Yield the labelled sequence of each record."""
        return self.items(predictor.predict(records), features=False)

    def windows(self, length: int) -> Iterator[Window]:
        """Yield one window: a record is labelled as a whole."""
        return windows(length, length)

    def row(self, answer: Prediction) -> tuple[dict[str, Any], int]:
        """Return a prediction as a row of a shard, and its residues."""
        record, additional = answer.record, list(answer.additional.values())
        row = {name: getattr(record, name) for name in ("id", "description", "sequence", "mask")}
        row["depth"] = answer.depth
        row["probabilities"] = float32_bytes(answer.probabilities)
        row["additional"] = float32_bytes(np.column_stack(additional)) if additional else None
        return row, len(record)

    def read(self, rows: Iterable[dict[str, Any]]) -> Iterator[Prediction]:
        """Yield the predictions of a shard."""
        scheme = self.bundle.scheme
        for row in rows:
            additional: dict[Target, npt.NDArray[np.float32]] = {}
            if row["additional"] is not None:
                columns = float32_array(row["additional"]).reshape(len(row["sequence"]), -1)
                others = self.bundle.additional
                ends = np.cumsum([target.size for target in others])[:-1]
                for target, part in zip(others, np.split(columns, ends, axis=1), strict=True):
                    additional[target] = part if target.scheme or target.spread else part[:, 0]
            yield Prediction(
                Record(row["id"], row["description"], row["sequence"], mask=row["mask"]),
                float32_array(row["probabilities"]).reshape(len(row["sequence"]), scheme.size),
                scheme,
                additional,
                row.get("depth"),
            )


def _whole(part: Record | ContigPart) -> Record:
    return part if isinstance(part, Record) else part.record
