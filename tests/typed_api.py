"""What type checkers know of the public API; mypy reads this file, nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from Bio.SeqRecord import SeqRecord

import grubio
from grubio.api import GenomeModel, LabelledSequences, SequenceModel
from grubio.inference.labelled_contig import LabelledContig
from grubio.inference.labelled_sequence import LabelledSequence


def one_is_one(proteins: SequenceModel, genomes: GenomeModel, record: SeqRecord) -> None:
    assert_type(proteins.predict("MKT"), LabelledSequence)
    assert_type(proteins.predict(record, scheme="ss8"), LabelledSequence)
    assert_type(genomes.predict("ACGT", min_score=0.3), LabelledContig)


def many_are_many(proteins: SequenceModel, genomes: GenomeModel, record: SeqRecord) -> None:
    assert_type(proteins.predict(["MKT"]), LabelledSequences[LabelledSequence])
    assert_type(proteins.predict([record]), LabelledSequences[LabelledSequence])
    assert_type(proteins.predict({"a": "MKT"}), LabelledSequences[LabelledSequence])
    assert_type(proteins.predict(Path("a.fa"))["a"], LabelledSequence)
    assert_type(genomes.predict(Path("a.fa"))[1:], LabelledSequences[LabelledContig])


def the_kind_is_known_after_a_question() -> None:
    model = grubio.load("protein-ss")
    assert_type(model, SequenceModel | GenomeModel)
    if isinstance(model, SequenceModel):
        assert_type(model.predict("MKT").labels, str)
    model.predict("MKT", min_scores=0.5)  # type: ignore[call-overload]
    model.predict(3)  # type: ignore[call-overload]
