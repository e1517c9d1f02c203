"""The formats that profiles are read from: the table for options, documentation and readers.

Readers are named, not imported, so that reading the table loads no library. To add a format, write
its module in :mod:`grubio.profiles` and its entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class AlignmentFormat(NamedTuple):
    """What a format holds, and its reader.

    Attributes
    ----------
    holds
        What a file holds, in a few words.
    endings
        Endings of its file names, by which it is known.
    reader
        Function from a path to an iterator of :class:`grubio.profiles.named.NamedProfile`, as
        ``module.name`` within :mod:`grubio.profiles`.
    """

    holds: str
    endings: tuple[str, ...]
    reader: str


ALIGNMENT_FORMATS: Mapping[str, AlignmentFormat] = {
    "profiles": AlignmentFormat(
        "profiles that `grubio profile` wrote", (".npz",), "archive.read_archive"
    ),
    "a3m": AlignmentFormat(
        "alignments of HH-suite, ColabFold or MMseqs2; several are separated by a zero byte",
        (".a3m",),
        "a3m.read_a3m",
    ),
    "stockholm": AlignmentFormat(
        "alignments of HMMER, Pfam or Rfam",
        (".sto", ".stk", ".stockholm"),
        "stockholm.read_stockholm",
    ),
    "aligned-fasta": AlignmentFormat(
        "one alignment as FASTA with gaps",
        (".afa", ".fasta", ".fas", ".fa"),
        "a3m.read_aligned_fasta",
    ),
    "pssm": AlignmentFormat(
        "a matrix of PSI-BLAST (`-out_ascii_pssm`), without depth", (".pssm",), "pssm.read_pssm"
    ),
    "hhm": AlignmentFormat("hidden Markov models of HH-suite", (".hhm",), "hhm.read_hhm"),
}


def described_alignment_formats() -> str:
    """Return endings and contents of all formats, for help texts."""
    return ", ".join(
        f"`{known.endings[0]}` ({known.holds})" for known in ALIGNMENT_FORMATS.values()
    )
