"""Genome models: both strands of contigs are labelled, and features called on them.

Memory: the text of one contig, twice while it is read. The rest does not grow with the contigs:
the windows of one batch, and features that wait for a segment that begins before them and has not
ended.
"""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from grubio.datasets.annotated_genome import named
from grubio.errors import GrubioError
from grubio.inference.called_features import CalledRegion, FeatureCaller
from grubio.inference.called_genes import called_genes
from grubio.inference.called_introns import IntronCaller, splice_letters
from grubio.inference.contig_labels import with_labels
from grubio.inference.labelled_contig import (
    LabelledContig,
    contig_of_called,
    labelled_contig,
)
from grubio.inference.labelled_region import AdditionalByStrand, LabelledRegion
from grubio.inference.predictor import Predictor
from grubio.prediction.model_kind import ModelKind, float32_array, float32_bytes
from grubio.progress import counted
from grubio.sequences.locus import Strand
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.sequences.windows import ContigPart, Window, windows
from grubio.writers.gff3 import term_of
from grubio.writers.text import Content

logger = logging.getLogger(__name__)

_NAMED = 5
_PLACE = ("contig", "length", "start", "end", "residues")
_COUNTED = ("window", "base")


class GenomeKind(ModelKind[LabelledRegion, CalledRegion, LabelledContig]):
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
        "additional+": "large_binary",
        "additional-": "large_binary",
    }
    refusal = (
        "min_confidence and max_gap are not for genome models",
        "use min_score, or choose by the probabilities of format bigwig",
    )

    def _content(self, scheme: LabelScheme) -> Content:
        strands, model = self.settings.genome.strands, self.bundle.described
        additional = self.bundle.additional
        return Content("genome", self.bundle.scheme, additional, strands=strands, model=model)

    def answers(
        self, predictor: Predictor, records: Iterable[Record | ContigPart]
    ) -> Iterator[LabelledRegion]:
        """Label contigs or parts of them, in order, and show the progress."""
        return counted(predictor.regions(records, self.content.strands), *_COUNTED)

    def items(self, answers: Iterable[LabelledRegion], *, features: bool) -> Iterator[CalledRegion]:
        """Yield each region with the features that became certain with it."""
        caller = self._caller()
        if (rules := self.bundle.scheme.genes) is not None:
            yield from called_genes(answers, rules, caller)
            return
        introns = self._intron_caller() if features else None
        short: list[str] = []
        for region in with_labels(answers):
            found = caller.feed(region) if features else []
            if self.bundle.sites and region.length < self.settings.genome.min_contig:
                short += [region.contig] if features and region.start == 0 else []
                found = [one for one in found if one.letter not in self.bundle.sites]
            yield CalledRegion(region, found, introns.feed(region, found) if introns else ())
        if short:
            logger.warning(
                "no sites are called on %d contigs of fewer than %d bases: %s; --min-contig is the "
                "least",
                *(len(short), self.settings.genome.min_contig, named(short, _NAMED)),
            )

    def labelled(self, predictor: Predictor, records: Iterable[Record]) -> Iterator[LabelledContig]:
        """Yield the labelled contig of each record."""
        if self.bundle.scheme.genes is not None:
            yield from self._labelled_with_genes(predictor, list(records))
            return
        for record in records:
            regions = predictor.regions([record], self.content.strands)
            yield labelled_contig(record.sequence, with_labels(regions), self._caller())

    def _labelled_with_genes(
        self, predictor: Predictor, records: list[Record]
    ) -> Iterator[LabelledContig]:
        # Genes are counted on all contigs together.
        waiting, parts = deque(records), list[CalledRegion]()
        for part in self.items(predictor.regions(records, self.content.strands), features=True):
            parts.append(part)
            if part.region.end == part.region.length:
                yield contig_of_called(waiting.popleft().sequence, parts)
                parts = []

    def windows(self, length: int) -> Iterator[Window]:
        """Yield the windows of a contig."""
        return windows(length)

    def row(self, answer: LabelledRegion) -> tuple[dict[str, Any], int]:
        """Return a region as a row of a shard, and its bases on all strands."""
        row = {name: getattr(answer, name) for name in _PLACE}
        row |= {strand: float32_bytes(p) for strand, p in answer.probabilities.items()}
        if answer.additional:
            for strand in answer.probabilities:
                found = [one[strand] for one in answer.additional.values()]
                row[f"additional{strand}"] = float32_bytes(np.column_stack(found))
        return row, len(answer) * len(answer.probabilities)

    def read(self, rows: Iterable[dict[str, Any]]) -> Iterator[LabelledRegion]:
        """Yield the regions of a shard."""
        return counted(map(self._region, rows), *_COUNTED)

    def _region(self, row: dict[str, Any]) -> LabelledRegion:
        scheme = self.bundle.scheme
        probabilities = {
            strand: float32_array(row[strand]).reshape(row["end"] - row["start"], scheme.size)
            for strand in self.content.strands
        }
        place = {name: row[name] for name in _PLACE}
        additional = self._additional(row)
        return LabelledRegion(
            **place, probabilities=probabilities, scheme=scheme, additional=additional
        )

    def _additional(self, row: dict[str, Any]) -> AdditionalByStrand:
        targets = self.bundle.additional
        found: dict[Target, dict[Strand, npt.NDArray[np.float32]]] = {one: {} for one in targets}
        ends = np.cumsum([target.size for target in targets])[:-1]
        for strand in self.content.strands if targets else ():
            columns = float32_array(row[f"additional{strand}"]).reshape(len(row["residues"]), -1)
            for target, part in zip(targets, np.split(columns, ends, axis=1), strict=True):
                found[target][strand] = part if target.scheme or target.spread else part[:, 0]
        return found

    def _intron_caller(self) -> IntronCaller | None:
        settings, scheme = self.settings.genome, self.bundle.scheme
        if not settings.introns:
            return None
        names = zip(scheme.letters, scheme.class_names, strict=True)
        letters = splice_letters({letter: term_of(name) for letter, name in names})
        if letters is None:
            raise GrubioError(
                f"{self.bundle.name} has no donors and acceptors, of which introns are made",
                hint="its classes are " + ", ".join(scheme.class_names),
            )
        return IntronCaller(*letters, settings.least_intron)

    def _caller(self) -> FeatureCaller:
        return FeatureCaller(
            self.bundle.scheme,
            self.bundle.sites or {},
            min_score=self.settings.genome.min_score,
            min_segment=self.settings.calls.min_segment,
        )
