"""Checks of records against an alphabet and a label scheme, and the count of what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from grubio.config import OnInvalid
from grubio.errors import GrubioError
from grubio.sequences.alphabet import PROTEIN, Alphabet
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.target import Target
from grubio.text import letter_name

_REASONS_KEPT = 1000


@dataclass
class Tally:
    """What was read, changed and refused.

    Attributes
    ----------
    read, kept
        Records seen and records passed on.
    residues
        Residues of the records passed on.
    replaced
        Ambiguous or invalid letters that were read as something else, by letter.
    stops
        Terminal stops (``*``) that were removed.
    masked
        Residues that do not count.
    labels
        Residues that count, by label.
    values
        Known values of residues, by target.
    refused
        Id and reason of the first thousand records that were left out. For genomes: contigs and
        lines of annotation.
    left_out
        What a reader left out and is no error, by what it is.
    """

    read: int = 0
    kept: int = 0
    residues: int = 0
    replaced: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    masked: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def refuse(self, name: str, reason: str) -> None:
        """Note a record that is left out."""
        if len(self.refused) < _REASONS_KEPT:
            self.refused.append((name, reason))


def checked_records(
    records: Iterable[Record],
    alphabet: Alphabet,
    on_invalid: OnInvalid,
    *,
    scheme: LabelScheme | None = None,
    targets: Sequence[Target] = (),
    path: str | Path | None = None,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """Yield records whose letters are all valid.

    A terminal stop (``*``) is removed, with its label. Letters outside the alphabet or the scheme
    stop the reading (``error``), cost the record (``skip``), or become the unknown residue or
    label with mask 0 (``mask``). An empty or contradictory record is an error, or left out under
    ``skip`` and ``mask``.

    Parameters
    ----------
    records
        Records as read.
    alphabet
        Residues that are valid.
    on_invalid
        ``error``, ``skip`` or ``mask``.
    scheme
        Labels that are valid; labels are not looked at without it.
    targets
        Additional targets, whose answers are checked likewise.
    path
        File to name in errors.
    tally
        Is filled while the records pass.

    Raises
    ------
    GrubioError
        Under ``error``, at the first invalid record.
    """
    tally = tally if tally is not None else Tally()
    for record in records:
        tally.read += 1
        if record.sequence.endswith("*"):
            tally.stops += 1
        try:
            mask = on_invalid == "mask"
            checked = _checked(record, alphabet, scheme, mask=mask, path=path)
            checked = _with_valid_answers(checked, targets, mask=mask, path=path)
        except GrubioError as error:
            if on_invalid == "error":
                raise
            where = f"position {error.position}: " if error.position else ""
            tally.refuse(record.id, where + error.problem)
            continue
        _count(checked, record, alphabet, tally)
        yield checked
        # While the next one is read, a chromosome would still be held.
        del record, checked


def _checked(
    record: Record,
    alphabet: Alphabet,
    scheme: LabelScheme | None,
    *,
    mask: bool,
    path: str | Path | None,
) -> Record:
    record = _without_stop(record)
    _check_lengths(record, path)
    _check_mask(record, path)
    invalid = alphabet.invalid_positions(record.sequence)
    if invalid and not mask:
        letter = record.sequence[invalid[0]]
        raise GrubioError(
            f"{letter_name(letter)} is not a {alphabet.name} residue"
            + (f" ({len(invalid)} such letters)" if len(invalid) > 1 else ""),
            path=path,
            record=record.id,
            position=invalid[0] + 1,
            hint=_hint(record.sequence, letter, alphabet),
        )
    sequence = _replaced(record.sequence, invalid, alphabet.unknown)
    labels, unknown = record.labels, set(invalid)
    if labels is not None and scheme is not None:
        labels = _checked_labels(record, labels, scheme, mask=mask, path=path)
        unknown |= {i for i, c in enumerate(labels) if c == UNKNOWN_LABEL}
    counted = record.mask
    if unknown:
        counted = _replaced(counted or "1" * len(sequence), sorted(unknown), "0")
    return replace(record, sequence=sequence, labels=labels, mask=counted)


def _check_lengths(record: Record, path: str | Path | None) -> None:
    if not record.sequence:
        raise GrubioError("the record has no sequence", path=path, record=record.id)
    texts = (("labels", record.labels), ("mask", record.mask), *record.answers.items())
    for what, text in texts:
        if text is not None and len(text) != len(record):
            unit = "characters" if isinstance(text, str) else "values"
            raise GrubioError(
                f"{len(record)} residues but {len(text)} {unit} of {what}",
                path=path,
                record=record.id,
                hint="give one character per residue",
            )


def _check_mask(record: Record, path: str | Path | None) -> None:
    rest = (record.mask or "").lstrip("01")
    if rest:
        raise GrubioError(
            f"{letter_name(rest[0])} in the mask; 0 or 1 was expected",
            path=path,
            record=record.id,
            position=len(record) - len(rest) + 1,
        )


def _checked_labels(
    record: Record, labels: str, scheme: LabelScheme, *, mask: bool, path: str | Path | None
) -> str:
    # What is masked, or is no label, becomes the unknown label.
    hidden = {i for i, c in enumerate(record.mask or "") if c == "0"}
    wrong = [i for i in scheme.invalid_positions(labels) if i not in hidden]
    if wrong and not mask:
        raise GrubioError(
            f"{letter_name(labels[wrong[0]])} is not a label of {scheme.name} ({scheme.letters})",
            path=path,
            record=record.id,
            position=wrong[0] + 1,
            hint="choose --scheme, or write ? where the label is unknown",
        )
    letters = scheme.letters + scheme.coarse_letters
    return "".join(
        letters[code] if code < len(letters) and i not in hidden else UNKNOWN_LABEL
        for i, code in enumerate(scheme.encode(labels).tolist())
    )


def _with_valid_answers(
    record: Record, targets: Sequence[Target], *, mask: bool, path: str | Path | None
) -> Record:
    answers = dict(record.answers)
    for target in targets:
        answer, scheme = answers.get(target.name), target.scheme
        if isinstance(answer, np.ndarray) and record.labels is None and record.mask is not None:
            # Of a record without labels the mask is about its values.
            counts = np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) != ord("0")
            known = counts.reshape((-1,) + (1,) * (answer.ndim - 1))
            answers[target.name] = np.where(known, answer, np.nan if answer.ndim == 1 else 0)
        if scheme is None or not isinstance(answer, str):
            continue
        wrong = scheme.invalid_positions(answer)
        if wrong and not mask:
            raise GrubioError(
                f"'{answer[wrong[0]]}' is not a label of {target.name} ({scheme.letters})",
                path=path,
                record=record.id,
                position=wrong[0] + 1,
                hint="write ? where the label is unknown",
            )
        answers[target.name] = _replaced(answer, wrong, UNKNOWN_LABEL)
    return replace(record, answers=answers) if targets else record


def _without_stop(record: Record) -> Record:
    if not record.sequence.endswith("*"):
        return record
    size = len(record.sequence)
    return replace(
        record,
        sequence=record.sequence[:-1],
        labels=record.labels[:-1]
        if record.labels and len(record.labels) == size
        else record.labels,
        mask=record.mask[:-1] if record.mask and len(record.mask) == size else record.mask,
        answers={
            name: answer[:-1] if len(answer) == size else answer
            for name, answer in record.answers.items()
        },
    )


def _replaced(text: str, positions: list[int], letter: str) -> str:
    if not positions:
        return text
    # Whatever is not ASCII is among the positions.
    letters = np.frombuffer(bytearray(text.encode("ascii", errors="replace")), dtype=np.uint8)
    letters[positions] = ord(letter)
    return letters.tobytes().decode("ascii")


def _hint(sequence: str, letter: str, alphabet: Alphabet) -> str:
    rest = "or use --on-invalid skip (leave the record out) or mask (unknown residue)"
    if letter in "-.":
        return f"remove the gaps of the alignment, {rest}"
    if letter == "*":
        return f"a stop may stand at the end only; cut the sequence there, {rest}"
    if alphabet is not PROTEIN and not PROTEIN.invalid_positions(sequence):
        return "this looks like protein; use a protein model or --alphabet protein"
    return f"correct it, {rest}"


def _count(checked: Record, original: Record, alphabet: Alphabet, tally: Tally) -> None:
    tally.kept += 1
    tally.residues += len(checked)
    if alphabet.count_ambiguous(checked.sequence):
        text = original.sequence[: len(checked)].upper()
        # Letter by letter would take minutes for a chromosome.
        others = set(text) - set(alphabet.letters)
        tally.replaced.update({letter: text.count(letter) for letter in others})
    for name, answer in checked.answers.items():
        if isinstance(answer, np.ndarray) and answer.ndim == 1:
            tally.values[name] += int(np.isfinite(answer).sum())
    if checked.mask is not None:
        tally.masked += checked.mask.count("0")
    if checked.labels is not None:
        if checked.mask is None:
            tally.labels.update(checked.labels)
        else:
            tally.labels.update(
                label
                for label, counts in zip(checked.labels, checked.mask, strict=True)
                if counts == "1"
            )
