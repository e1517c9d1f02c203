"""Label schemes: the classes of residues, and how fine classes reduce to coarse ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grubio.sequences.gene_rules import GeneRules
from grubio.sequences.grammar import Grammar, StateGraph, grammar_from_dict, state_graph

UNKNOWN_LABEL = "?"
"""The label of a residue whose class is not known; its mask is 0."""

_MISSING = 255
# Okabe and Ito's colours, which people with any colour vision can distinguish; the grey is lighter,
# since without green-sensitive cones #999999 looks like #CC79A7 and like #009E73.
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#C4C4C4")


@dataclass(frozen=True)
class LabelScheme:
    """An ordered set of classes, one letter each.

    Attributes
    ----------
    name
        Name in configuration files, datasets and model bundles.
    letters
        One letter per class; their order is the order of probabilities everywhere.
    class_names
        A readable name for each letter.
    colours
        A colour for each letter, the same in every figure.
    synonyms
        Letters that are read as one of ``letters``.
    background
        Letter of the class for "nothing special", which GFF3 and the like leave out; None without.
    reduces_to, reduction
        For a fine scheme: the name of the coarse scheme, and the coarse letter of each letter.
    grammar
        What label sequences may look like; None if any may occur. Schemes that differ in it alone
        are equal: they have the same classes.
    """

    name: str
    letters: str
    class_names: tuple[str, ...]
    colours: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict, hash=False)
    background: str | None = None
    reduces_to: str | None = None
    reduction: Mapping[str, str] = field(default_factory=dict, hash=False)
    grammar: Grammar | None = field(default=None, compare=False)

    @property
    def size(self) -> int:
        """Number of classes."""
        return len(self.letters)

    def encode(self, labels: str) -> npt.NDArray[np.uint8]:
        """Return the class index of each label, uint8 ``(residue,)``; 255 where there is none.

        A lower-case letter of the coarse scheme is a class that is known only there; its index is
        ``size`` plus the index in the coarse scheme. In SS8, ``h`` is H, G or I.

        Examples
        --------
        >>> SS3.encode("HEC?").tolist()
        [0, 1, 2, 255]
        >>> SS8.encode("HCh").tolist()
        [0, 7, 8]
        """
        raw = np.frombuffer(labels.encode("ascii", errors="replace"), dtype=np.uint8)
        return self._index_of_byte[raw]

    def decode(self, classes: npt.NDArray[np.integer]) -> str:
        """Return one letter for each class index ``(residue,)``."""
        return str(self._letter_bytes[classes].tobytes(), "ascii")

    def invalid_positions(self, labels: str) -> list[int]:
        """Return the 0-based positions whose letter is neither a class, a synonym nor ``?``."""
        missing = np.flatnonzero(self.encode(labels) == _MISSING).tolist()
        return [at for at in missing if labels[at] != UNKNOWN_LABEL]

    def with_grammar(self, grammar: Grammar | None) -> LabelScheme:
        """Return the same classes with another grammar, or with none."""
        return self if grammar == self.grammar else replace(self, grammar=grammar)

    @cached_property
    def graph(self) -> StateGraph | None:
        """The states of the grammar; None without, and for genes."""
        if self.grammar is None or self.grammar.genes is not None:
            return None
        return state_graph(self.grammar, self.letters)

    @property
    def genes(self) -> GeneRules | None:
        """What genes look like, where the grammar says so."""
        return None if self.grammar is None else self.grammar.genes

    @cached_property
    def coarse(self) -> LabelScheme | None:
        """The scheme that this one reduces to, or None.

        Its grammar has the least runs of this one that are of all fine letters of a coarse one.
        """
        if self.reduces_to is None:
            return None
        coarse = SCHEMES[self.reduces_to]
        if self.grammar is None:
            return coarse.with_grammar(None)
        fine = {c: {f for f, to in self.reduction.items() if to == c} for c in coarse.letters}
        least = tuple(
            (letter, size)
            for key, size in self.grammar.least
            for letter, members in fine.items()
            if set(key) == members
        )
        return coarse.with_grammar(Grammar(least=least))

    @cached_property
    def coarse_letters(self) -> str:
        """The labels of residues whose class is known only in the coarse scheme; may be empty."""
        return self.coarse.letters.lower() if self.coarse else ""

    @cached_property
    def headline(self) -> LabelScheme:
        """The scheme of the headline score and of the default output: the coarsest one."""
        return self.coarse.headline if self.coarse else self

    def reduction_matrix(self, target: LabelScheme) -> npt.NDArray[np.float32]:
        """Return float32 ``(fine class, coarse class)``, so that ``p_fine @ m`` sums probabilities.

        Raises
        ------
        ValueError
            If this scheme does not reduce to ``target``.
        """
        if target.letters == self.letters:
            return np.eye(self.size, dtype=np.float32)
        if self.coarse is None or target.name != self.reduces_to:
            raise ValueError(f"scheme {self.name} does not reduce to {target.name}")
        matrix = np.zeros((self.size, target.size), dtype=np.float32)
        for fine, coarse in self.reduction.items():
            matrix[self.letters.index(fine), target.letters.index(coarse)] = 1.0
        return matrix

    def reduced_classes(
        self, classes: npt.NDArray[np.uint8], target: LabelScheme
    ) -> npt.NDArray[np.uint8]:
        """Return class indices in a coarser scheme, uint8; 255 where there is no class of this one.

        Examples
        --------
        >>> SS8.reduced_classes(SS8.encode("GEC?h"), SS3).tolist()
        [0, 1, 2, 255, 255]
        """
        table = np.full(256, _MISSING, dtype=np.uint8)
        table[: self.size] = self.reduction_matrix(target).argmax(axis=1)
        return table[classes]

    def as_dict(self) -> dict[str, object]:
        """Return the content from which :func:`scheme_from_dict` rebuilds this scheme."""
        content = {
            "name": self.name,
            "letters": self.letters,
            "class_names": list(self.class_names),
            "colours": list(self.colours),
            "background": self.background,
        }
        return content | ({} if self.grammar is None else {"grammar": self.grammar.as_dict()})

    @cached_property
    def _index_of_byte(self) -> npt.NDArray[np.uint8]:
        table = np.full(256, _MISSING, dtype=np.uint8)
        for index, letter in enumerate(self.letters):
            table[ord(letter)] = index
        for letter, meaning in self.synonyms.items():
            table[ord(letter)] = self.letters.index(meaning)
        for index, letter in enumerate(self.coarse_letters):
            table[ord(letter)] = self.size + index
        return table

    @cached_property
    def _letter_bytes(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self.letters.encode("ascii"), dtype=np.uint8)


SS3 = LabelScheme(
    name="ss3",
    letters="HEC",
    class_names=("helix", "strand", "coil"),
    colours=tuple(_PALETTE[place] for place in (0, 1, 7)),
    # SS8 has lower-case letters for classes that are known only in SS3.
    synonyms={"L": "C", "-": "C", "h": "H", "e": "E", "c": "C"},
    background="C",
    grammar=Grammar(least=(("H", 3),)),
)

SS8 = LabelScheme(
    name="ss8",
    letters="HGIEBTSC",
    class_names=(
        "alpha helix",
        "3-10 helix",
        "pi helix",
        "strand",
        "bridge",
        "turn",
        "bend",
        "coil",
    ),
    colours=tuple(_PALETTE[place] for place in (0, 5, 3, 1, 4, 2, 6, 7)),
    # DSSP 4 writes P for polyproline II, which SS8 counts as coil; older versions a blank.
    synonyms={"L": "C", "-": "C", " ": "C", "P": "C"},
    background="C",
    reduces_to="ss3",
    reduction={"H": "H", "G": "H", "I": "H", "E": "E", "B": "E", "T": "C", "S": "C", "C": "C"},
    # A helix turns once in three residues or more; a helix may change its kind.
    grammar=Grammar(least=(("HGI", 3),)),
)

NO_CLASSES = LabelScheme("none", "", (), ())
"""The scheme of records without labels: their first target is a value."""

SCHEMES: Mapping[str, LabelScheme] = {scheme.name: scheme for scheme in (SS3, SS8)}


def custom_scheme(
    name: str, letters: str, class_names: Iterable[str] = (), background: str | None = None
) -> LabelScheme:
    """Return a scheme for a user's own classes.

    Raises
    ------
    ValueError
        If a letter occurs twice, is not printable ASCII, or is ``?``; if there are not as many
        names as letters; or if the background is not one of the letters.
    """
    names = tuple(class_names) or tuple(letters)
    if len(set(letters)) != len(letters) or len(letters) < 2:
        raise ValueError(f"a scheme needs at least two different letters, got '{letters}'")
    bad = [c for c in letters if not (33 <= ord(c) < 127) or c == UNKNOWN_LABEL]
    if bad:
        raise ValueError(f"'{bad[0]}' cannot be a label letter")
    if len(names) != len(letters):
        raise ValueError(f"{len(letters)} letters but {len(names)} class names")
    if background is not None and background not in letters:
        raise ValueError(f"background '{background}' is not one of '{letters}'")
    colours = tuple(_PALETTE[i % len(_PALETTE)] for i in range(len(letters)))
    return LabelScheme(name, letters, names, colours, background=background)


def scheme_from_dict(content: Mapping[str, object]) -> LabelScheme:
    """Return the scheme written by :meth:`LabelScheme.as_dict`.

    Raises
    ------
    ValueError
        If the content is incomplete or contradicts a built-in scheme of the same name.
    """
    try:
        name, letters = str(content["name"]), str(content["letters"])
        names = [str(n) for n in content["class_names"]]  # type: ignore[attr-defined]
        background = content["background"]
        rules = content.get("grammar")
        grammar = None if rules is None else grammar_from_dict(rules, letters)  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a label scheme: {error}") from error
    if (name, letters) == (NO_CLASSES.name, NO_CLASSES.letters):
        return NO_CLASSES
    if name in SCHEMES:
        if SCHEMES[name].letters != letters:
            raise ValueError(
                f"scheme {name} has letters '{SCHEMES[name].letters}', not '{letters}'"
            )
        return SCHEMES[name].with_grammar(grammar)
    scheme = custom_scheme(name, letters, names, None if background is None else str(background))
    return scheme.with_grammar(grammar)
