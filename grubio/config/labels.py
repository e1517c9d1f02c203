"""Which bases of a genome a class labels, and the label schemes that settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from grubio.config.base import OneOrMany, Settings, from_yaml
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.scheme import NO_CLASSES, SCHEMES, LabelScheme, custom_scheme

_BACKGROUND_LETTER, _BACKGROUND_NAME = ".", "background"

Boundary = Literal["start", "end", "center", "summit", "introns_start", "introns_end"]
Wanted = list[str] | dict[Literal["not"], list[str]]
"""Values of an attribute, of which a feature must have one, or must not."""


class ClassRule(Settings):
    """Which bases of a genome a class labels, given the features of its annotation.

    With `offset`, bases at a distance from the first base of each feature. With `boundary` and
    `bases`, the ends or the middle of features, or the ends of the introns between the exons of a
    transcript. With neither, whole features.
    """

    letter: str | None = Field(
        default=None,
        pattern=r"^[!-~]$",
        description="Letter of the class; by default the first free one of its name, upper case.",
    )
    feature: Annotated[list[str], OneOrMany] = Field(
        min_length=1,
        description="Types of feature (GFF3, GTF: third column) or names (BED: fourth column); one "
        "or a list, `*` is any.",
    )
    where: dict[str, Wanted] = Field(
        default_factory=dict,
        description="Attributes that narrow the features, each with one value or a list of them, "
        "`*` is any; `{not: value}` leaves features out. An attribute that a line lacks is that of "
        "its parents: `{pseudo: {not: true}}`. Of BED the columns `name` and `score`.",
    )
    offset: tuple[int, int] | None = Field(
        default=None,
        description="First and last base, counted from the first base of the feature on its own "
        "strand, which is 0; upstream is negative: `[-12, -7]`.",
    )
    boundary: Boundary | None = Field(
        default=None,
        description="The first, the last or the middle `bases` of each feature, those around the "
        "summit of a narrowPeak, or the first or last of each intron between the exons "
        "(`feature: exon`) of a transcript. Features and introns with fewer bases are left out; "
        "`center` and `summit` may reach beyond the feature.",
    )
    bases: int | None = Field(default=None, ge=1, description="Number of bases for `boundary`.")
    strand: Literal["same", "opposite", "both"] = Field(
        default="same",
        description="Strand whose record is labelled: the feature's own, the other one, or both. "
        "A feature without a strand is labelled on both.",
    )

    frame: Literal["any", "whole"] = Field(
        default="any",
        description="Coding sequences (`feature: CDS`) whose bases do not divide by three are "
        "counted and named; `whole` leaves them out, `any` keeps them.",
    )

    @field_validator("where", mode="before")
    @classmethod
    def _one_or_many_values(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        texts: dict[str, Any] = {}
        for key, wanted in value.items():
            if not isinstance(wanted, Mapping):
                texts[key] = _texts(wanted)
            elif set(wanted) == {"not"}:
                texts[key] = {"not": _texts(wanted["not"])}
            else:
                raise ValueError(f"{key} takes a value, a list of values, or {{not: value}}")
        return texts

    @model_validator(mode="after")
    def _one_way(self) -> ClassRule:
        if self.offset is not None and self.boundary is not None:
            raise ValueError("give offset or boundary, not both")
        if self.offset is not None and self.offset[0] > self.offset[1]:
            raise ValueError("the first base of offset lies after the last")
        if (self.boundary is None) != (self.bases is None):
            raise ValueError("boundary and bases go together")
        return self


def _texts(value: Any) -> list[str]:
    # YAML reads 1000 as a number and true as a boolean; an annotation has text.
    values = value if isinstance(value, list | tuple) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


GrammarRules = Annotated[
    dict[str, Any] | Literal["none"] | None, BeforeValidator(lambda value: _rules(value))
]
"""The keys of a grammar, ``none``, or nothing."""


def _rules(value: Any) -> Any:
    return from_yaml(value) if isinstance(value, str) and value != "none" else value


def with_rules(scheme: LabelScheme, rules: Mapping[str, Any] | str | None) -> LabelScheme:
    """Return a scheme with the grammar that a setting asks for: its own for None.

    What the rules do not name stays as in the grammar of the scheme, unless they name states, which
    make another grammar.

    Raises
    ------
    ValueError
        If the grammar does not fit the scheme.

    Examples
    --------
    >>> with_rules(SCHEMES["ss3"], {"least": {"E": 2}}).grammar.least
    (('H', 3), ('E', 2))
    >>> with_rules(SCHEMES["ss3"], "none").grammar
    """
    if rules is None:
        return scheme
    if isinstance(rules, str):
        return scheme.with_grammar(None)
    own = scheme.grammar.as_dict() if scheme.grammar is not None else {}
    kept = {} if "states" in rules or ("genes" in rules) != ("genes" in own) else own
    try:
        return scheme.with_grammar(grammar_from_dict(_merged(kept, rules), scheme.letters))
    except ValueError as error:
        raise ValueError(f"grammar: {error}") from error


def _merged(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: {**own[key], **value} if isinstance(value, Mapping) and own.get(key) else value
        for key, value in given.items()
    }
    return {**own, **both}


def parse_scheme(text: str, background: str = "") -> LabelScheme:
    """Return the label scheme that a ``scheme`` setting names or spells out.

    ``background`` is the background letter of a scheme that is spelled out, or empty.

    Raises
    ------
    ValueError
        If the text is neither a known name nor ``NAME=LETTER:class,LETTER:class`` nor
        ``NAME=LETTERS``, or the background is none of its letters.

    Examples
    --------
    >>> parse_scheme("disorder=O:ordered,D:disordered").letters
    'OD'
    >>> parse_scheme("topology=IMO").letters
    'IMO'
    """
    if text == NO_CLASSES.name and not background:
        return NO_CLASSES
    if text in SCHEMES:
        if background not in ("", SCHEMES[text].background):
            raise ValueError(f"the background of {text} is '{SCHEMES[text].background}'")
        return SCHEMES[text]
    name, equals, classes = text.partition("=")
    listed = ":" in classes or "," in classes
    parts = [part.partition(":") for part in (classes.split(",") if listed else classes)]
    if not equals or name in SCHEMES or any(len(letter) != 1 for letter, _, _ in parts):
        raise ValueError(
            f"'{text}' is neither {' nor '.join(SCHEMES)} nor NAME=LETTER:class,LETTER:class"
        )
    return custom_scheme(
        name,
        "".join(p[0] for p in parts),
        [class_name or letter for letter, _, class_name in parts],
        background or None,
    )


def genome_scheme(classes: Mapping[str, ClassRule]) -> LabelScheme:
    """Return the label scheme of the classes of a genome, in their order, with ``.`` at the end.

    Raises
    ------
    ValueError
        If a class has no free letter, or two classes have the same letter.

    Examples
    --------
    >>> rules = {"minus10": ClassRule(feature=["TSS"]), "mRNA": ClassRule(feature=["mRNA"])}
    >>> genome_scheme(rules).letters
    'MR.'
    """
    given = {name: rule.letter for name, rule in classes.items() if rule.letter is not None}
    taken = [*given.values(), _BACKGROUND_LETTER]
    for letter in taken:
        if taken.count(letter) > 1:
            raise ValueError(f"the letter '{letter}' is taken twice ('.' is the background's)")
    letters = ""
    for name in classes:
        free = (c for c in name.upper() if c.isalnum() and c not in (*taken, *letters))
        letter = given.get(name) or next(free, "")
        if not letter:
            raise ValueError(f"class '{name}' has no free letter; give it one with: letter")
        letters += letter
    if _BACKGROUND_NAME in classes:
        raise ValueError(f"no class can be called '{_BACKGROUND_NAME}'")
    return custom_scheme(
        "motifs",
        letters + _BACKGROUND_LETTER,
        [*classes, _BACKGROUND_NAME],
        background=_BACKGROUND_LETTER,
    )
