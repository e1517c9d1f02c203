"""The door for notebooks and scripts: :func:`load` a model, then :meth:`Model.predict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from grubio.config import CallSettings, Device, OnInvalid
from grubio.config.loading import checked
from grubio.datasets.validation import checked_records
from grubio.errors import GrubioError
from grubio.inference.called_features import FeatureCaller
from grubio.inference.columns import Columns
from grubio.inference.labelled_contig import LabelledContig, labelled_contig
from grubio.inference.labelled_sequence import LabelledSequence, labelled
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.zoo import find_model
from grubio.prediction.predict_file import wanted_scheme
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme

Labelled = LabelledSequence | LabelledContig


def load(
    model: str | Path = "protein-ss", *, device: Device = "auto", threads: int | None = None
) -> Model:
    """Load a model, by the name of a bundled one or from its folder.

    Parameters
    ----------
    model
        Name (see ``grubio models list``) or folder.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    threads
        CPU threads; all that the process may use by default.

    Raises
    ------
    GrubioError
        If there is no such model or it is damaged.

    Examples
    --------
    >>> import grubio
    >>> model = grubio.load("protein-ss-fast", device="cpu", threads=1)
    >>> model.predict("GSAEAAAKEAAAKEAAAKEAAAKAGS").labels[6:20]
    'HHHHHHHHHHHHHH'
    """
    return Model(Predictor(load_bundle(find_model(str(model))), device, threads), str(model))


class Model:
    """A loaded model; make one with :func:`load`."""

    def __init__(self, predictor: Predictor, name: str) -> None:
        self._predictor = predictor
        self.name = name

    def __repr__(self) -> str:
        """Return one line."""
        bundle = self._predictor.bundle
        return f"<model {self.name}: {bundle.alphabet.name}, {bundle.scheme.name}>"

    @property
    def scheme(self) -> LabelScheme:
        """The classes that it knows."""
        return self._predictor.bundle.scheme

    def predict(
        self,
        sequences: Any,
        *,
        scheme: str | None = None,
        min_confidence: float = 0.0,
        min_segment: int = 1,
        max_gap: int = 0,
        min_score: float | None = None,
        on_invalid: OnInvalid = "error",
    ) -> Any:
        """Label one sequence or many.

        Parameters
        ----------
        sequences
            One sequence as text or as a Biopython ``SeqRecord``: the answer is a
            :class:`LabelledSequence`, or a :class:`LabelledContig` with a model of a genome.
            A list of them, a mapping from id to sequence, or the path of a FASTA file (a
            ``Path``, or text with a dot or a slash): the answer is a :class:`LabelledSequences`.
        scheme
            Classes to return, such as ``ss8``; the model's coarsest by default.
        min_confidence, min_segment, max_gap
            See :class:`grubio.config.CallSettings`; not for models of a genome, except
            ``min_segment``.
        min_score
            Least score of a called feature, for models of a genome alone; the model's own
            thresholds by default.
        on_invalid
            ``error``, ``skip`` (leave the sequence out) or ``mask`` (read as unknown residues).

        Raises
        ------
        GrubioError
            If a sequence has letters that are no residues, or a setting is out of bounds.

        Examples
        --------
        >>> import grubio
        >>> found = grubio.load("protein-ss-fast").predict({"a": "MKTAYIAKQR", "b": "GSGSG"})
        >>> found["b"].probabilities.shape
        (5, 3)
        """
        given = {
            "min_confidence": min_confidence,
            "min_segment": min_segment,
            "max_gap": max_gap,
        }
        calls = checked(CallSettings, given)
        bundle = self._predictor.bundle
        target = wanted_scheme(bundle, scheme, None, calls)
        single, records = _records(sequences)
        ready = checked_records(records, bundle.alphabet, on_invalid)
        if bundle.sites is not None:
            caller = FeatureCaller(
                bundle.scheme, bundle.sites, min_score=min_score, min_segment=min_segment
            )
            found: list[Labelled] = [
                labelled_contig(record.sequence, self._predictor.stretches([record]), caller)
                for record in ready
            ]
        elif min_score is not None:
            raise GrubioError("min_score is for models of a genome", hint="use min_confidence")
        else:
            found = [labelled(p, target, calls) for p in self._predictor.predict(ready)]
        if not single:
            return LabelledSequences(found)
        if not found:
            raise GrubioError("the sequence could not be labelled", hint="use on_invalid='mask'")
        return found[0]


class LabelledSequences(Columns, Sequence[Labelled]):
    """Labelled sequences in order; also found by id."""

    def __init__(self, sequences: Iterable[Labelled]) -> None:
        self._all = list(sequences)
        self._by_id = {sequence.id: sequence for sequence in self._all}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._all)

    @overload
    def __getitem__(self, key: int | str) -> Labelled: ...
    @overload
    def __getitem__(self, key: slice) -> LabelledSequences: ...
    def __getitem__(self, key: int | str | slice) -> Labelled | LabelledSequences:
        """Return one by its place or id, or a part.

        Raises
        ------
        KeyError, IndexError
            If there is none.
        """
        if isinstance(key, str):
            return self._by_id[key]
        return LabelledSequences(self._all[key]) if isinstance(key, slice) else self._all[key]

    def __repr__(self) -> str:
        """Return one line."""
        residues = sum(map(len, self._all))
        return f"<{len(self)} labelled sequences, {residues} residues>"

    def columns(self) -> dict[str, Any]:
        """Return the columns of all sequences, one below the other."""
        parts = [sequence.columns() for sequence in self._all]
        names = parts[0] if parts else {}
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def _repr_html_(self) -> str:
        from grubio.view.notebook import several_html

        return several_html((one._repr_html_() for one in self._all), len(self))


def _records(given: Any) -> tuple[bool, Iterator[Record]]:
    # Whether one sequence was given, and the records.
    if isinstance(given, Path) or (isinstance(given, str) and set("./\\") & set(given)):
        return False, read_fasta(given)
    if isinstance(given, Mapping):
        return False, (Record(str(name), "", str(text)) for name, text in given.items())
    if isinstance(given, str) or hasattr(given, "seq"):
        return True, iter([_record(given, "sequence")])
    if isinstance(given, Iterable):
        return False, (_record(one, f"sequence_{i}") for i, one in enumerate(given, start=1))
    raise GrubioError(
        f"a {type(given).__name__} is no sequence",
        hint="give text, a SeqRecord, a list, a mapping from id to sequence, or a path",
    )


def _record(given: Any, name: str) -> Record:
    if hasattr(given, "seq"):
        return Record(str(getattr(given, "id", name)), "", str(given.seq))
    if isinstance(given, str):
        return Record(name, "", "".join(given.split()))
    raise GrubioError(f"a {type(given).__name__} is no sequence", hint="give text or SeqRecords")
