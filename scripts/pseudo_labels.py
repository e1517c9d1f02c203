"""Label proteins with a model that reads profiles, for training one that reads single sequences.

python scripts/pseudo_labels.py unlabelled.fasta --model protein-ss-profile \
    --like split.parquet --exclude benchmark_sequences.fasta --output pseudo.parquet

Proteins that resemble an excluded one, or a held-out record of the dataset, are left out before
anything else is searched, and once more among those that were labelled. The others are clustered by
MMseqs2, and one protein of each cluster, those of clusters of several first, is aligned with its
homologs among them. What has enough homologs is labelled with the profile of its alignment. The
output is a dataset like that of ``--like``, to train on together with it: soft labels, the values
that the model predicts, and the profile as shares of the amino acids, where the dataset has such
targets.

A run that was stopped goes on after its last batch of alignments; they are kept in OUTPUT.part.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from grubio.config.profiles import SearchSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, written_whole
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import load_bundle
from grubio.model.devices import available_threads
from grubio.model.zoo import find_model
from grubio.profiles.search import HomologSearch, run_mmseqs
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.sequences.target import FULL_WEIGHT, LABELS, Answer
from transfer_labels import database_of, unlike

# Many proteins at once, because each search begins with an index of the whole database.
_SEARCH = SearchSettings(iterations=1, sensitivity=4, max_sequences=150, batch_records=16_000)
_SHARES = 63
"""The sum of the shares of the amino acids, as in ``scripts/pdb_profiles.py``."""


def representatives(
    records: Sequence[Record], identity: float, threads: int, folder: Path
) -> list[Record]:
    """Return a record of each cluster in random order, those of clusters of one at the end."""
    database_of((record.sequence for record in records), folder, "clustered")
    words = ["linclust", "clustered", "clusters", "work", "--min-seq-id", str(identity)]
    words += ["-c", "0.7", "--kmer-per-seq", "60", "--threads", str(threads)]
    run_mmseqs(*words, folder=folder)
    run_mmseqs("createtsv", "clustered", "clustered", "clusters", "clusters.tsv", folder=folder)
    lines = (folder / "clusters.tsv").read_text(encoding="ascii").splitlines()
    size = Counter(int(line.split("\t")[0]) for line in lines)
    chosen = sorted(size)
    random.Random(1).shuffle(chosen)
    return [records[number] for number in sorted(chosen, key=lambda number: size[number] == 1)]


def pseudo_labelled(prediction: Prediction, header: DatasetHeader) -> Record:
    """Return a record of training whose answers are those of a prediction from a profile."""
    record = prediction.record
    shares = np.rint(FULL_WEIGHT * prediction.probabilities)
    weights = np.full(len(shares), FULL_WEIGHT)
    answers: dict[str, Answer] = {LABELS: np.column_stack((shares, weights)).astype(np.uint8)}
    predicted = {target.name: values for target, values in prediction.additional.items()}
    for target in header.targets:
        if target == header.target_of_profiles and record.profile is not None:
            frequencies = record.profile.frequencies.astype(np.float32)
            answers[target.name] = np.rint(_SHARES * frequencies).astype(np.uint8)
        elif target.kind == "value" and target.name in predicted:
            answers[target.name] = predicted[target.name]
    labels = prediction.labels()
    return replace(record, labels=labels, split="train", answers=answers, profile=None)


def main() -> None:
    """Label the proteins of a FASTA, and write them as a dataset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fasta", type=Path, help="proteins to label, and to find homologs among")
    parser.add_argument("--model", required=True, help="a model that reads profiles")
    parser.add_argument("--like", type=Path, required=True, help="dataset of the same labels")
    parser.add_argument("--exclude", type=Path, help="FASTA of what no protein may resemble")
    parser.add_argument("--output", type=Path, required=True, help="dataset to write")
    parser.add_argument("--proteins", type=int, default=48_000, help="most that are aligned")
    parser.add_argument(
        "--lengths", type=int, nargs=2, default=(50, 700), help="of what is labelled"
    )
    parser.add_argument("--min-depth", type=int, default=8, help="sequences of an alignment")
    parser.add_argument("--cluster-identity", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=available_threads())
    arguments = parser.parse_args()
    try:
        label(arguments)
    except GrubioError as error:
        parser.exit(2, f"error: {error}\n")


def label(arguments: argparse.Namespace) -> None:
    """Label the proteins of a FASTA, and write those with enough homologs as a dataset.

    Raises
    ------
    GrubioError
        If an input is at fault, MMseqs2 is not installed or fails, or nothing has enough homologs.
    """
    bundle = load_bundle(find_model(arguments.model))
    like = read_header(arguments.like)
    if not bundle.reads_profiles or (bundle.alphabet, bundle.scheme) != (
        like.alphabet,
        like.scheme,
    ):
        raise GrubioError(
            f"does not read profiles and predict the labels of {arguments.like}",
            path=arguments.model,
        )
    excluded = [record for record in read_records(arguments.like) if record.split != "train"]
    excluded += read_fasta(arguments.exclude) if arguments.exclude else []
    output: Path = arguments.output
    with tempfile.TemporaryDirectory(dir=output.parent, prefix="pseudo-") as name:
        folder = Path(name)
        kept = unlike(list(read_fasta(arguments.fasta)), excluded, arguments.threads, folder)
        print(f"{len(kept):,} proteins resemble none of {len(excluded):,} others", flush=True)
        chosen = representatives(kept, arguments.cluster_identity, arguments.threads, folder)
    least, most = arguments.lengths
    chosen = [record for record in chosen if least <= len(record) <= most][: arguments.proteins]
    database = output.with_name(output.name + ".database.fasta")
    write_if_changed(database, "".join(f">{r.id}\n{r.sequence.upper()}\n" for r in kept))
    parts = output.with_name(output.name + ".part")
    search = HomologSearch(database, _SEARCH, arguments.threads, parts)
    profiles = (found.profile for found in search.profiles(chosen))
    deep = (
        replace(record, profile=profile)
        for record, profile in zip(chosen, profiles, strict=True)
        if profile.depth >= arguments.min_depth
    )
    predictions = Predictor(bundle, "cpu", arguments.threads, grammar=False).predict(deep)
    found = [pseudo_labelled(prediction, like) for prediction in predictions]
    # Among all proteins, chance hits crowd out weak ones, and E-values are larger.
    labelled = unlike(found, excluded, arguments.threads, output.parent)
    if not labelled:
        raise GrubioError("none of its proteins has enough homologs", path=arguments.fasta)
    write_dataset(output, header_of(arguments, like), labelled)
    search.close()
    database.unlink()
    print(f"{len(labelled):,} proteins, {sum(map(len, labelled)):,} residues are labelled")
    print(f"SHA-256 {sha256_of_file(output)}")


def header_of(arguments: argparse.Namespace, like: DatasetHeader) -> DatasetHeader:
    """Return the header of the output: soft labels, and no profiles but those among the targets."""
    inputs = [arguments.fasta, arguments.like, *filter(None, [arguments.exclude])]
    sources = {path.name: sha256_of_file(path) for path in inputs}
    return replace(like, sources=sources, profiles=None, soft_labels=True)


def write_if_changed(path: Path, text: str) -> None:
    """Write a text unless the file holds it: a search goes on only in a file that is unchanged."""
    if not path.is_file() or path.read_text(encoding="ascii") != text:
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
