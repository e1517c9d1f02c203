"""Label proteins by what is known of their relatives: labels are transferred through alignments.

python scripts/transfer_labels.py unlabelled.fasta --labelled split.parquet \
    --exclude benchmark_sequences.fasta --output pseudo.parquet

MMseqs2 aligns each protein with the labelled records of training (all records of a dataset that is
not split). What is aligned of a protein gets soft labels: the mean of the labels of all aligned
residues, weighted by the identity of their alignments. The weight of a residue is the highest of
these identities. What is not aligned has no label. Proteins that resemble one of the excluded ones
are left out before anything else is searched.

The output is a dataset to join another one (`train_also`), which leaves out what is homologous to
held-out records. A run that was stopped goes on after its last chunk; what is finished is kept in
OUTPUT.part.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.files import sha256_of_file
from grubio.model.devices import available_threads
from grubio.profiles.search import run_mmseqs
from grubio.readers.fasta import read_fasta
from grubio.readers.soft_labels import with_soft_labels
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import FULL_WEIGHT, LABELS

_ALIGNMENT = "query,target,fident,qstart,tstart,cigar"
_CIGAR = re.compile(r"(\d+)([MID])")
_EXCLUDED_EVALUE = 0.1
"""E-value up to which a protein resembles an excluded one."""


@dataclass(frozen=True)
class Settings:
    """How labels are transferred; see the options of the script."""

    min_identity: float
    min_coverage: float
    max_evalue: float
    sensitivity: float
    max_hits: int
    min_residues: int
    threads: int


def soft_labels(
    length: int,
    alignments: Iterable[tuple[float, int, int, str, npt.NDArray[np.uint8]]],
    classes: int,
) -> npt.NDArray[np.uint8]:
    """Return the soft labels of a protein, uint8 ``(residue, class + 1)``.

    Parameters
    ----------
    length
        Residues of the protein.
    alignments
        The identity of each, its first residue in the protein and in the relative (0-based), its
        CIGAR, in which ``I`` is an insertion of the protein, and the class of each residue of the
        relative; beyond the number of classes where it is not known.
    classes
        Number of classes.
    """
    shares = np.zeros((length, classes))
    weights = np.zeros(length)
    for identity, own, other, cigar, known in alignments:
        for count, kind in _CIGAR.findall(cigar):
            size = int(count)
            if kind == "M":
                labels = known[other : other + size]
                places = np.arange(own, own + size)[labels < classes]
                shares[places, labels[labels < classes]] += identity
                weights[places] = np.maximum(weights[places], identity)
            own += size * (kind != "D")
            other += size * (kind != "I")
    total = shares.sum(axis=1, keepdims=True)
    means = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    soft: npt.NDArray[np.uint8] = np.rint(FULL_WEIGHT * np.column_stack((means, weights))).astype(
        np.uint8
    )
    return soft


class Relatives:
    """The labelled records, as a database of MMseqs2 in a folder."""

    def __init__(self, datasets: Sequence[Path], folder: Path) -> None:
        self.header = read_header(datasets[0])
        self.known: list[npt.NDArray[np.uint8]] = []
        sequences = []
        for path in datasets:
            if read_header(path).scheme != self.scheme:
                raise GrubioError(f"has other labels than {datasets[0]}", path=path)
            for record in read_records(path):
                if record.split in (None, "train"):
                    self.known.append(scored_classes(record, self.scheme))
                    sequences.append(record.sequence)
        self.database = database_of(sequences, folder, "relatives")

    @property
    def scheme(self) -> LabelScheme:
        """The classes of the labels."""
        return self.header.scheme


def database_of(sequences: Iterable[str], folder: Path, name: str) -> Path:
    """Write sequences, named by their number, as a database of MMseqs2, and return its path."""
    with open(folder / f"{name}.fasta", "w", encoding="ascii") as out:
        out.writelines(f">{number}\n{text.upper()}\n" for number, text in enumerate(sequences))
    run_mmseqs("createdb", f"{name}.fasta", name, "--shuffle", "0", folder=folder)
    return (folder / name).resolve()


def hits(
    records: Sequence[Record], database: Path, columns: str, words: Sequence[str], folder: Path
) -> Iterator[tuple[int, list[list[str]]]]:
    """Yield the number of each record that was found, and the cells of its rows without it."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="search-") as name:
        own = Path(name)
        database_of((record.sequence for record in records), own, "queries")
        command = ["search", "queries", str(database), "hits", "work", *words]
        if not run_mmseqs(*command, folder=own):
            return
        command = ["convertalis", "queries", str(database), "hits", "hits.tsv"]
        run_mmseqs(*command, "--format-output", columns, folder=own)
        with open(own / "hits.tsv", encoding="ascii") as lines:
            rows = (line.rstrip("\n").split("\t") for line in lines)
            for number, found in groupby(rows, key=itemgetter(0)):
                yield int(number), [row[1:] for row in found]


def labelled(
    records: Sequence[Record], relatives: Relatives, settings: Settings, folder: Path
) -> Iterator[Record]:
    """Yield the records that have enough labelled residues, with soft labels."""
    words = ["-a", "-s", str(settings.sensitivity), "-e", str(settings.max_evalue)]
    words += ["--min-seq-id", str(settings.min_identity), "--max-seqs", str(settings.max_hits)]
    words += ["-c", str(settings.min_coverage), "--cov-mode", "2"]
    words += ["--threads", str(settings.threads)]
    for number, rows in hits(records, relatives.database, _ALIGNMENT, words, folder):
        record = records[number]
        alignments = (
            (float(identity), int(own) - 1, int(other) - 1, cigar, relatives.known[int(target)])
            for target, identity, own, other, cigar in rows
        )
        soft = soft_labels(len(record), alignments, relatives.scheme.size)
        if np.count_nonzero(soft[:, -1]) >= settings.min_residues:
            yield Record(record.id, "", record.sequence.upper(), answers={LABELS: soft})


def unlike(
    records: Sequence[Record], excluded: Sequence[Record], threads: int, folder: Path
) -> list[Record]:
    """Return the records that resemble none of the excluded ones.

    The excluded ones, which are fewer, are searched for among the records: the other way round
    takes many times as long.
    """
    if not excluded:
        return list(records)
    words = ["-s", "7.5", "-e", str(_EXCLUDED_EVALUE), "--max-seqs", "4000"]
    words += ["--threads", str(threads)]
    with tempfile.TemporaryDirectory(dir=folder, prefix="unlike-") as name:
        database = database_of((record.sequence for record in records), Path(name), "searched")
        found = hits(excluded, database, "query,target", words, Path(name))
        alike = {int(target) for _, rows in found for (target,) in rows}
    return [record for number, record in enumerate(records) if number not in alike]


def of_clusters(records: Sequence[Record], identity: float, threads: int) -> list[Record]:
    """Return the record of each cluster whose residues have the most weight together."""
    with tempfile.TemporaryDirectory(prefix="clusters-") as name:
        folder = Path(name)
        database_of((record.sequence for record in records), folder, "all")
        words = ["cluster", "all", "clusters", "work", "--min-seq-id", str(identity)]
        run_mmseqs(*words, "-c", "0.8", "--threads", str(threads), folder=folder)
        run_mmseqs("createtsv", "all", "all", "clusters", "clusters.tsv", folder=folder)
        members: dict[str, list[int]] = {}
        for line in (folder / "clusters.tsv").read_text(encoding="ascii").splitlines():
            representative, member = line.split("\t")
            members.setdefault(representative, []).append(int(member))
    weight = [int(np.asarray(record.answers[LABELS])[:, -1].sum()) for record in records]
    best = sorted(
        max(own, key=lambda number: (weight[number], -number)) for own in members.values()
    )
    return [records[number] for number in best]


def main() -> None:
    """Transfer labels, chunk by chunk."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fasta", type=Path, help="proteins to label")
    parser.add_argument("--labelled", type=Path, nargs="+", required=True, help="datasets")
    parser.add_argument("--output", type=Path, required=True, help="dataset to write")
    parser.add_argument("--exclude", type=Path, help="FASTA of what no protein may resemble")
    parser.add_argument("--min-identity", type=float, default=0.3)
    parser.add_argument("--min-coverage", type=float, default=0.6, help="of the protein")
    parser.add_argument("--max-evalue", type=float, default=1e-4)
    parser.add_argument("--sensitivity", type=float, default=4)
    parser.add_argument("--max-hits", type=int, default=300)
    parser.add_argument("--min-residues", type=int, default=40, help="labelled ones of a protein")
    parser.add_argument("--chunk", type=int, default=40_000, help="proteins searched at once")
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument(
        "--cluster-identity", type=float, help="keep one protein of each cluster, such as 0.3"
    )
    arguments = parser.parse_args()
    try:
        transfer(arguments)
    except GrubioError as error:
        parser.exit(2, f"error: {error}\n")


def transfer(arguments: argparse.Namespace) -> None:
    """Label the proteins of a FASTA, and write those that could be labelled as a dataset.

    Raises
    ------
    GrubioError
        If an input is at fault, MMseqs2 is not installed or fails, or nothing could be labelled.
    """
    output: Path = arguments.output
    parts = resumed(arguments)
    settings = Settings(**{name: getattr(arguments, name) for name in Settings.__annotations__})
    relatives = Relatives(arguments.labelled, parts)
    excluded = list(read_fasta(arguments.exclude)) if arguments.exclude else []
    inputs = [arguments.fasta, *arguments.labelled, *filter(None, [arguments.exclude])]
    header = DatasetHeader(
        relatives.header.alphabet,
        relatives.scheme,
        {path.name: sha256_of_file(path) for path in inputs},
        soft_labels=True,
    )
    records, searched = read_fasta(arguments.fasta), 0
    while chunk := list(islice(records, arguments.chunk)):
        path = parts / f"{searched:09d}.parquet"
        searched += len(chunk)
        if not path.exists():
            kept = unlike(chunk, excluded, settings.threads, parts)
            found = labelled(kept, relatives, settings, parts)
            write_dataset(path, header, with_soft_labels(found, relatives.scheme, None))
        print(f"{searched:,} proteins searched", flush=True)
    whole = [
        record
        for path in sorted(parts.glob("*.parquet"))
        for record in read_records(path, targets=True)
    ]
    if not whole:
        raise GrubioError("none of its proteins could be labelled", path=arguments.fasta)
    if arguments.cluster_identity:
        whole = of_clusters(whole, arguments.cluster_identity, settings.threads)
    write_dataset(output, header, whole)
    shutil.rmtree(parts)
    counted = sum(int(np.count_nonzero(np.asarray(r.answers[LABELS])[:, -1])) for r in whole)
    print(
        f"{len(whole):,} proteins, {sum(map(len, whole)):,} residues, {counted:,} of them labelled"
    )
    print(f"SHA-256 {sha256_of_file(output)}")


def resumed(arguments: argparse.Namespace) -> Path:
    """Return the folder of finished chunks, empty if inputs or settings have changed."""
    parts: Path = arguments.output.with_name(arguments.output.name + ".part")
    inputs = [arguments.fasta, *arguments.labelled, *filter(None, [arguments.exclude])]
    # The last step is done anew, on any number of threads.
    left_out = ("output", "threads", "cluster_identity")
    chosen = {key: str(value) for key, value in vars(arguments).items() if key not in left_out}
    content = json.dumps([chosen, [sha256_of_file(path) for path in inputs]])
    fingerprint, mark = hashlib.sha256(content.encode()).hexdigest(), parts / "fingerprint"
    if not mark.is_file() or mark.read_text(encoding="ascii") != fingerprint:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        mark.write_text(fingerprint, encoding="ascii")
    return parts


if __name__ == "__main__":
    main()
