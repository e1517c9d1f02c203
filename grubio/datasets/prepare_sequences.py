"""Preparation: labelled sequences in any format in, a checked dataset out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grubio.config import PrepareSettings, TargetSettings
from grubio.config.data import require_main_target
from grubio.datasets.first_records import first_records, require_alphabet
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.files import STDIO, sha256_of_file, write_text_whole
from grubio.overwriting import keep_apart, keeps_inputs
from grubio.profiles.archive import is_archive_of_shares
from grubio.profiles.source import Profiles, with_profiles
from grubio.readers.labelled import read_labelled
from grubio.readers.soft_labels import with_soft_labels
from grubio.readers.targets import with_answers
from grubio.sequences.alphabet import ALPHABETS, PROTEIN, Alphabet
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, LabelScheme
from grubio.sequences.target import LABELS, Target

_OTHER_ALPHABET = "translate it first, or give the right --alphabet"


@keeps_inputs("files", "labels", "masks", "profiles", outputs=("output", "summary"))
def prepare_dataset(
    files: Sequence[str | Path],
    output: Path,
    settings: PrepareSettings,
    *,
    labels: Path | None = None,
    masks: Path | None = None,
    targets: Sequence[TargetSettings] = (),
    profiles: Path | None = None,
    summary: Path | None = None,
) -> Tally:
    """Read and check labelled records and write them as a dataset, in their order.

    Genomes are for :func:`grubio.datasets.prepare_genome.prepare_genome`.

    Parameters
    ----------
    files
        Files of records; ``-`` is standard input.
    output
        Parquet to write.
    settings
        Format, alphabet, scheme, and what to do with invalid records.
    labels, masks
        FASTA of labels and of masks, for format ``fasta``.
    targets
        What else is known of each residue, in columns of the table (format ``tsv``) or in files.
    profiles
        File or folder of the records' profiles or alignments; see
        :class:`grubio.config.AdditionalTargets`.
    summary
        JSON to write: the returned counts.

    Raises
    ------
    GrubioError
        If a file or record is at fault, or no record is left.
    """
    scheme = settings.label_scheme
    try:
        require_main_target(settings, targets)
    except ValueError as error:
        raise GrubioError(str(error)) from None
    alphabet = ALPHABETS[settings.alphabet]
    if profiles is not None and is_archive_of_shares(profiles):
        targets, profiles = [*targets, _target_of_profiles(profiles)], None
    additional = [target.target() for target in targets]
    own_files = [target.file.location for target in targets if target.file is not None]
    keep_apart(own_files, [output, summary])
    read = [p for p in (*files, labels, masks, *own_files) if p is not None]
    path = files[0] if len(files) == 1 else None
    tally = Tally()
    raw = _raw_records(files, settings, tally, labels, masks, targets)
    if scheme is not NO_CLASSES:
        raw = with_soft_labels(raw, scheme, path)
    few, raw = first_records(raw)
    require_alphabet(few, alphabet, _OTHER_ALPHABET, path)
    records = checked_records(
        raw,
        alphabet,
        settings.on_invalid,
        scheme=scheme,
        targets=additional,
        path=path,
        tally=tally,
    )
    made = None
    if profiles is not None:
        _require_proteins(alphabet)
        source = Profiles(profiles)
        records = with_profiles(records, source, profiles)
        made = {**source.made, "alignments": [profiles.name]}
    # The records are read before the header is written, so a file that is missing is told first.
    kept = list(records)
    if not kept:
        raise GrubioError(f"no record is left{_first_reason(tally)}", path=files[0])
    _require_known(kept, tally, settings, targets, files[0])
    sources = {Path(path).name: sha256_of_file(path) for path in read if str(path) != STDIO}
    header = DatasetHeader(
        alphabet,
        scheme,
        sources,
        targets=additional,
        profiles=made,
        soft_labels=any(LABELS in record.answers for record in kept),
    )
    write_dataset(output, header, kept)
    if summary is not None:
        content = tally_as_dict(tally, scheme)
        write_text_whole(summary, json.dumps(content, indent=2, sort_keys=True) + "\n")
    return tally


def _raw_records(
    files: Sequence[str | Path],
    settings: PrepareSettings,
    tally: Tally,
    labels: Path | None,
    masks: Path | None,
    targets: Sequence[TargetSettings],
) -> Iterator[Record]:
    # As they are in their files, with their answers for all targets.
    def refuse(error: GrubioError) -> None:
        if settings.on_invalid == "error":
            raise error
        tally.read += 1
        tally.refuse(str(error.path), error.problem)

    left_out = tally.left_out
    raw = read_labelled(
        files, settings, refuse, left_out, labels=labels, masks=masks, targets=targets
    )
    for target in targets:
        raw = with_answers(raw, target)
    return raw


def _require_known(
    records: Sequence[Record],
    tally: Tally,
    settings: PrepareSettings,
    targets: Sequence[TargetSettings],
    path: str | Path,
) -> None:
    # Something can be learned.
    if settings.format == "tagged":
        _require_tags(records, targets, path)
    if settings.label_scheme is NO_CLASSES:
        _require_known_values(records, targets[0].target(), path)
    else:
        _require_known_labels(tally, settings.label_scheme, path)


def _target_of_profiles(path: Path) -> TargetSettings:
    return TargetSettings.model_validate({"name": "profile", "file": path})


def _require_proteins(alphabet: Alphabet) -> None:
    if alphabet is not PROTEIN:
        raise GrubioError(f"{alphabet.title} has no profiles", hint="leave out the profiles")


def _first_reason(tally: Tally) -> str:
    if tally.refused:
        name, reason = tally.refused[0]
        return f"; the first was refused: {name}: {reason}"
    counts = ", ".join(f"{count} {what}" for what, count in tally.left_out.items())
    return f"; left out: {counts}" if counts else ""


def _require_known_labels(tally: Tally, scheme: LabelScheme, path: str | Path) -> None:
    if any(tally.labels[letter] for letter in scheme.letters):
        return
    coarse = sum(tally.labels.values())
    if scheme.coarse is None or not coarse:
        raise GrubioError("no residue has a known label", path=path)
    raise GrubioError(
        f"no residue has a class of {scheme.name}; the lower-case labels of {coarse} residues are "
        f"classes of {scheme.coarse.name}",
        path=path,
        hint=f"give --scheme {scheme.coarse.name}",
    )


def _require_tags(
    records: Sequence[Record], targets: Sequence[TargetSettings], path: str | Path
) -> None:
    for target in targets:
        if target.file is None and not any(target.name in record.answers for record in records):
            raise GrubioError(
                f"no header has a tag {target.target().heading.upper()}=",
                path=path,
                hint="give the target a file of its own: --target NAME=SCHEME@FILE",
            )


def _require_known_values(records: Sequence[Record], target: Target, path: str | Path) -> None:
    answers = (record.answers.get(target.name) for record in records)
    if not any(np.isfinite(answer).any() for answer in answers if isinstance(answer, np.ndarray)):
        raise GrubioError(f"no residue has a known value of {target.name}", path=path)


def tally_as_dict(tally: Tally, scheme: LabelScheme) -> dict[str, Any]:
    """Return what was counted, with every class of the scheme, as JSON can hold it."""
    return {
        "read": tally.read,
        "kept": tally.kept,
        "residues": tally.residues,
        "masked": tally.masked,
        "labels": {letter: tally.labels[letter] for letter in scheme.letters},
        **({"values": dict(tally.values)} if tally.values else {}),
        "replaced": dict(sorted(tally.replaced.items())),
        "stops_removed": tally.stops,
        "left_out": dict(tally.left_out),
        "refused": [{"id": name, "reason": reason} for name, reason in tally.refused],
    }
