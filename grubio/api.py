"""The door for notebooks and scripts: :func:`load` a model, then :meth:`Model.predict`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

import numpy as np

from grubio.config import Device, OnInvalid, PredictionSettings
from grubio.config.loading import checked, grouped
from grubio.datasets.first_records import first_records
from grubio.datasets.validation import checked_records
from grubio.errors import GrubioError
from grubio.fetching.local import local_path
from grubio.inference.columns import Columns
from grubio.inference.labelled_contig import LabelledContig
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.zoo import find_model
from grubio.prediction.kinds import model_kind
from grubio.prediction.opening import unsuitable
from grubio.prediction.profiles import ProfileSource
from grubio.prediction.several import in_order, together
from grubio.profiles.source import Given
from grubio.readers.objects import read_objects
from grubio.sequences.kind import Kind
from grubio.sequences.scheme import LabelScheme

if TYPE_CHECKING:
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

LabelledT = TypeVar("LabelledT", bound=LabelledSequence | LabelledContig)


class PredictOptions(TypedDict, total=False):
    """What :meth:`Model.predict` takes by name."""

    scheme: str | None
    min_confidence: float | None
    min_segment: int | None
    max_gap: int | None
    min_score: float | None
    on_invalid: OnInvalid | None
    alphabet: Literal["protein", "dna"] | None
    profiles: Given | None
    database: str | Path | None
    own_profile: bool
    grammar: Mapping[str, Any] | Literal["none"] | None


def load(
    model: str | Path | Sequence[str | Path] = "protein-ss",
    *,
    device: Device = "auto",
    threads: int | None = None,
) -> SequenceModel | GenomeModel:
    """Load a model, by the name of a bundled one or from its folder.

    Parameters
    ----------
    model
        Name (see ``grubio models list``) or folder; or a list of them, whose answers stand side by
        side: the labels of the first that has any, and those of the others as further targets.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    threads
        CPU threads; all that the process may use by default.

    Raises
    ------
    GrubioError
        If there is no such model or it is damaged, or models cannot be combined.

    Examples
    --------
    >>> import grubio
    >>> model = grubio.load("protein-ss-fast", device="cpu", threads=1)
    >>> model.predict("GSAEAAAKEAAAKEAAAKEAAAKAGS").labels[6:20]
    'HHHHHHHHHHHHHH'
    """
    given = [model] if isinstance(model, str | Path) else list(model)
    bundles = [load_bundle(find_model(str(one))) for one in given]
    if len(bundles) > 1:
        # What cannot be combined is refused at once.
        model_kind(bundles, PredictionSettings())
    predictors = [Predictor(bundle, device, threads) for bundle in bundles]
    return _MODELS[bundles[0].kind](predictors, ", ".join(map(str, given)))


class Model(Generic[LabelledT]):
    """A loaded model; make one with :func:`load`."""

    def __init__(self, predictors: Sequence[Predictor], name: str) -> None:
        self._predictors = in_order(predictors)
        self.name = name

    def __repr__(self) -> str:
        """Return one line."""
        bundles = [predictor.bundle for predictor in self._predictors]
        parts = [
            bundle.scheme.name if bundle.labels else ", ".join(t.name for t in bundle.targets)
            for bundle in bundles
        ]
        return f"<model {self.name}: {bundles[0].alphabet.name}, {', '.join(parts)}>"

    @property
    def scheme(self) -> LabelScheme:
        """The classes that it knows; none if it predicts values."""
        return self._predictors[0].bundle.scheme

    # Text is iterable as well; the first that fits is taken.
    @overload
    def predict(  # type: ignore[overload-overlap]
        self, sequences: str | Seq | SeqRecord, **settings: Unpack[PredictOptions]
    ) -> LabelledT: ...
    @overload
    def predict(
        self,
        sequences: Path
        | Mapping[str, str]
        | Mapping[str, SeqRecord]
        | Iterable[str]
        | Iterable[Seq]
        | Iterable[SeqRecord]
        | Iterable[tuple[str, str]],
        **settings: Unpack[PredictOptions],
    ) -> LabelledSequences[LabelledT]: ...
    def predict(
        self, sequences: Any, **settings: Unpack[PredictOptions]
    ) -> LabelledT | LabelledSequences[LabelledT]:
        """Label one sequence or many.

        Parameters
        ----------
        sequences
            One sequence as text or as a Biopython ``Seq`` or ``SeqRecord``: the answer is a
            :class:`LabelledSequence`, or a :class:`LabelledContig` with a genome model.
            A list, array or generator of them or of pairs (id, sequence), a mapping from id to
            sequence, a pandas Series (its index is the ids), a pandas or Polars table with the
            columns ``id`` and ``sequence``, or the path of a FASTA file (a ``Path``): the answer
            is a :class:`LabelledSequences`. Text that is an existing file is a path as well, and a
            URL, an accession such as ``uniprot:P0CG48`` or a list ``@FILE`` is fetched, but type
            checkers cannot know that.
        scheme
            Classes to return, such as ``ss8``; the model's coarsest by default.
        min_confidence, min_segment, max_gap
            See :class:`grubio.config.CallSettings`; not for genome models, except
            ``min_segment``.
        min_score
            Least score of a called feature, for genome models alone; the model's own
            thresholds by default.
        on_invalid
            ``error``, ``skip`` (leave the sequence out) or ``mask`` (read as unknown residues).
        alphabet
            ``protein`` or ``dna``: what the sequences are, whatever they look like.
        profiles
            For a model that reads profiles: files or folders of profiles or alignments, or
            frequencies ``(residue, 20)`` by id, columns in the order ``ACDEFGHIKLMNPQRSTVWY``.
        database
            Instead of them, proteins to search for homologs with MMseqs2: a path, or what is
            fetched, such as ``uniprot:proteome/UP000005640``.
        own_profile
            Instead of them, label without homologs.
        grammar
            What the labels obey instead of the model's own grammar, such as
            ``{"least": {"H": 4}}``; ``none`` for the most probable class of each residue.

        Raises
        ------
        GrubioError
            If what is given is no sequence, or looks like another kind than the model reads; if an
            id comes twice; if a sequence has letters that are no residues, or a setting is out of
            bounds.

        Examples
        --------
        >>> import grubio
        >>> found = grubio.load("protein-ss-fast").predict({"a": "MKTAYIAKQR", "b": "GSGSG"})
        >>> found["b"].probabilities.shape
        (5, 3)
        """
        if unknown := settings.keys() - PredictOptions.__annotations__.keys():
            raise TypeError(f"predict() has no argument '{min(unknown)}'")
        given: dict[str, Any] = dict(settings)
        database = given.pop("database", None)
        source = ProfileSource(
            given.pop("profiles", None),
            None if database is None else Path(local_path(str(database))),
            given.pop("own_profile", False),
        )
        wanted = checked(PredictionSettings, grouped(PredictionSettings, given))
        kind = model_kind([predictor.bundle for predictor in self._predictors], wanted)
        source.require_fit(kind.bundle)
        single, records = read_objects(sequences)
        few, records = first_records(records)
        if warning := unsuitable(few, kind.bundle, wanted):
            warnings.warn(warning, stacklevel=2)
        ready = source.added(checked_records(records, kind.bundle.alphabet, wanted.on_invalid))
        first, *others = self._predictors
        used = [first.under(kind.bundle.scheme.grammar), *others]
        found: list[LabelledT] = list(kind.labelled(together(used), ready))
        if not single:
            return LabelledSequences(found)
        if not found:
            raise GrubioError("the sequence could not be labelled", hint="use on_invalid='mask'")
        return found[0]

    def page(self, output: str | Path, *, title: str | None = None) -> None:
        """Write the model as one HTML file that labels in the browser, without a network.

        Parameters
        ----------
        output
            HTML file to write.
        title
            Heading of the page; the name of the model by default.

        Raises
        ------
        GrubioError
            If pages cannot compute such a model (only networks ``gru`` and ``conv``,
            without attention and profiles), or the file cannot be written.

        Examples
        --------
        >>> import grubio
        >>> grubio.load("protein-ss-fast").page("labels.html")  # doctest: +SKIP
        """
        from grubio.page.predictor import write_page

        write_page(find_model(self.name), output, title=title)


class SequenceModel(Model[LabelledSequence]):
    """A loaded model of sequences."""


class GenomeModel(Model[LabelledContig]):
    """A loaded genome model."""


_MODELS: dict[Kind, type[SequenceModel | GenomeModel]] = {
    "sequences": SequenceModel,
    "genome": GenomeModel,
}


class LabelledSequences(Columns, Sequence[LabelledT]):
    """Labelled sequences in order; also found by id."""

    def __init__(self, sequences: Iterable[LabelledT]) -> None:
        self._all = list(sequences)
        self._by_id = {sequence.id: sequence for sequence in self._all}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._all)

    @overload
    def __getitem__(self, key: int | str) -> LabelledT: ...
    @overload
    def __getitem__(self, key: slice) -> LabelledSequences[LabelledT]: ...
    def __getitem__(self, key: int | str | slice) -> LabelledT | LabelledSequences[LabelledT]:
        """Return one by its place or id, or a part.

        Raises
        ------
        KeyError, IndexError
            If there is none.
        """
        if isinstance(key, str):
            return self._by_id[key]
        return LabelledSequences(self._all[key]) if isinstance(key, slice) else self._all[key]

    def __contains__(self, key: object) -> bool:
        """Return whether there is a sequence of this id, or this sequence."""
        return key in self._by_id if isinstance(key, str) else key in self._all

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
