"""Q3 against the depth of the alignment: what a model that reads profiles gains from homologs.

The alignment of each chain is thinned at random to 0, 1, 5, 20 and 100 homologs, the fewer among
the more. Each chain is labelled with the profile of what is left, and by a model that reads no
profiles. Scores are those of all chains, which use what they have, and of the chains that have as
many homologs as the deepest alignment. Writes benchmarks/profile_depth.json, where a set that was
read with the same two models is not read again, and the table of docs/profiles.md.

    python benchmarks/profile_depth.py --sets DIR --database unlabelled.fasta --train split.parquet
    python benchmarks/profile_depth.py --page docs/profiles.md

Alignments that are there already, a file or a folder of A3M for each set: --alignments DIR, with
DIR/cb513.a3m or DIR/cb513/. A set that is not in --sets is left out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from accuracy import SETS, leak, records_of
from grubio.config.profiles import SearchSettings
from grubio.files import sha256_of_file, write_text_whole
from grubio.inference.predictor import Prediction, Predictor
from grubio.metrics.bootstrap import bootstrap_weights, share
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.devices import available_threads
from grubio.model.zoo import find_model
from grubio.profiles.a3m import read_a3m_rows
from grubio.profiles.search import aligned, run_mmseqs
from grubio.profiles.weighting import profile_of_rows
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import SS3, SS8

RESULTS = Path(__file__).with_name("profile_depth.json")
DEPTHS = (0, 1, 5, 20, 100)
ALL = 10**6
"""More homologs than an alignment has."""
SEED, REPLICATES = 1, 1000
ALONE, DEEP = "protein-ss", "protein-ss-profile"
START, END = "<!-- depth -->\n", "<!-- /depth -->\n"

Rows = list[str]
"""The aligned rows of a chain, its own first."""


def alignments(
    records: Sequence[Record], database: Path | None, given: Path | None, threads: int
) -> dict[str, Rows]:
    """Return the rows of each chain by its id, its own first, from files or from a search."""
    if given is not None:
        files = sorted(given.iterdir()) if given.is_dir() else [given]
        found = {
            (file.stem if given.is_dir() else entries[0][0].split()[0]): [row for _, row in entries]
            for file in files
            for entries in read_a3m_rows(file)
        }
        return {record.id: found.get(record.id, [record.sequence]) for record in records}
    rows = {record.id: [record.sequence] for record in records}
    if database is None:
        return rows
    with tempfile.TemporaryDirectory(prefix="depth-") as name:
        folder = Path(name)
        fasta = "".join(f">{number}\n{r.sequence}\n" for number, r in enumerate(records))
        (folder / "queries.fasta").write_text(fasta)
        run_mmseqs("createdb", "queries.fasta", "queries", "--shuffle", "0", folder=folder)
        run_mmseqs("createdb", str(database.resolve()), "database", folder=folder)
        for part in aligned(folder / "database", SearchSettings(), threads, folder):
            for entries in read_a3m_rows(part):
                number = int(entries[0][0].split()[0])
                rows[records[number].id] = [row for _, row in entries]
    return rows


def thinned(rows: Rows, depth: int, seed: int | Sequence[int]) -> Rows:
    """Return the first row and ``depth`` others, those of a smaller depth among them.

    Examples
    --------
    >>> a, b = (thinned(["MK", "MR", "LK", "IK"], depth, 1) for depth in (1, 2))
    >>> a[0], len(b), set(a) <= set(b)
    ('MK', 3, True)
    """
    others = list(dict.fromkeys(row for row in rows[1:] if row != rows[0]))
    order = np.random.default_rng(seed).permutation(len(others))[:depth]
    return [rows[0], *(others[at] for at in order)]


def profiled(records: Sequence[Record], rows: Sequence[Rows]) -> list[Record]:
    """Return the records with the profiles of their rows."""
    return [
        replace(record, profile=profile_of_rows(chain))
        for record, chain in zip(records, rows, strict=True)
    ]


def right_of(bundle: Bundle, records: Sequence[Record], threads: int) -> np.ndarray:
    """Return the residues whose SS3 is right, whose SS8 is, and that count, ``(chain, 3)``."""
    return right_in(Predictor(bundle, "cpu", threads).predict(records))


def right_in(answers: Iterable[Prediction]) -> np.ndarray:
    """Return the same of predictions."""
    counts = []
    for answer in answers:
        classes = scored_classes(answer.record, SS8)
        observed, known = SS8.reduced_classes(classes, SS3), classes < SS8.size
        coarse, fine = (s.encode(answer.labels(s.with_grammar(None))) for s in (SS3, SS8))
        right = (coarse == observed, fine == classes)
        counts.append([*(np.count_nonzero(one & known) for one in right), known.sum()])
    return np.array(counts)


def shares(counts: np.ndarray) -> dict[str, Any]:
    """Return Q3 and Q8 with intervals over chains, and the numbers of chains and residues."""
    if not len(counts):
        return {"chains": 0, "residues": 0, "q3": None, "q8": None}
    weights = bootstrap_weights(len(counts), REPLICATES, SEED)
    scores = {
        name: share(counts[:, column], counts[:, 2], weights).score.as_dict()
        for column, name in enumerate(("q3", "q8"))
    }
    return {"chains": len(counts), "residues": int(counts[:, 2].sum()), **scores}


def curve(
    records: Sequence[Record],
    rows: Mapping[str, Rows],
    alike: np.ndarray,
    bundles: tuple[Bundle, Bundle],
    threads: int,
) -> list[dict[str, Any]]:
    """Return the scores of the model without profiles, and of the other one at each depth.

    Those of chains that are not ``alike`` any training chain stand beside those of all.
    """
    alone, deep = bundles
    depths = np.array([len(thinned(rows[r.id], ALL, SEED)) - 1 for r in records])
    parts = {"deep": depths >= DEPTHS[-1], "unrelated": ~alike}
    found = [
        {"model": alone.name, "depth": None, **_scored(right_of(alone, records, threads), parts)}
    ]
    for depth in (*DEPTHS, ALL):
        used = [thinned(rows[r.id], depth, SEED + number) for number, r in enumerate(records)]
        counts = right_of(deep, profiled(records, used), threads)
        shown = {
            "model": deep.name,
            "depth": depth,
            "median_depth": float(np.median(np.minimum(depths, depth))),
        }
        found.append({**shown, **_scored(counts, parts)})
    return found


def _scored(counts: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {"all": shares(counts), **{name: shares(counts[part]) for name, part in parts.items()}}


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the curves of all sets, those that were there already among them."""
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    alone, deep = (load_bundle(find_model(name)) for name in (arguments.alone, arguments.deep))
    models = {one.name: one.metadata["weights_sha256"] for one in (alone, deep)}
    related = leak(arguments.sets, arguments.train)["related"] if arguments.train else []
    for name in SETS:
        path = arguments.sets / f"{name}.tsv"
        if not path.exists() or results.get(name, {}).get("models") == models:
            continue
        records = records_of(arguments.sets, name)
        given = arguments.alignments and arguments.alignments / name
        if given is not None and not given.exists():
            given = given.with_suffix(".a3m")
        rows = alignments(records, arguments.database, given, arguments.threads)
        source = arguments.database or given
        alike = np.array([f"{name}|{record.id}" in related for record in records])
        results[name] = {
            "set_sha256": sha256_of_file(path),
            "models": models,
            "alignments": source.name if source else None,
            "alike": int(alike.sum()),
            "curve": curve(records, rows, alike, (alone, deep), arguments.threads),
        }
    return results


def table(results: Mapping[str, Any]) -> str:
    """Return the section of the page in Markdown."""
    text = "## How much depth matters\n\nIn percent, with 95 % bootstrap intervals over chains.\n"
    for name in SETS:
        if name not in results:
            continue
        rows = results[name]["curve"]
        deep = rows[0]["deep"]["chains"]
        text += f"\n{name.upper()}, median of {rows[-1]['median_depth']:.0f} homologs:\n\n"
        text += f"| homologs | Q3, all {rows[0]['all']['chains']} chains | Q8 | Q3, the {deep} "
        text += f"chains with {DEPTHS[-1]} or more |\n| --- | ---: | ---: | ---: |\n"
        for row in rows:
            scores = (row["all"]["q3"], row["all"]["q8"], row["deep"]["q3"])
            cells = (_homologs(row), *map(_interval, scores))
            text += f"| {' | '.join(cells)} |\n"
        if results[name]["alike"]:
            text += f"\n{_without_related(results[name]['alike'], rows)}\n"
    return text + "\n"


def _without_related(number: int, rows: Sequence[Mapping[str, Any]]) -> str:
    alone, none, most = (_interval(rows[at]["unrelated"]["q3"]) for at in (0, 1, -1))
    return (
        f"{number} chains are aligned to a training chain below E = 0.01, or with at least 25 % "
        f"identity at E up to 1. Without them Q3 is {most} with all homologs, {none} with none, "
        f"and {alone} of `{rows[0]['model']}`."
    )


def _homologs(row: Mapping[str, Any]) -> str:
    match row["depth"]:
        case None:
            return f"`{row['model']}`, none read"
        case 0:
            return "0"
        case depth if depth == ALL:
            return "all"
        case depth:
            return f"at most {depth}"


def _interval(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return "-"
    return f"{100 * score['value']:.1f} ({100 * score['low']:.1f}-{100 * score['high']:.1f})"


def with_table(page: str, results: Mapping[str, Any]) -> str:
    """Return a page with the section between its marks."""
    before, rest = page.split(START)
    return before + START + table(results) + END + rest.split(END)[1]


def main() -> None:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=Path, help="folder of cb513.tsv and ts115.tsv")
    parser.add_argument("--database", type=Path, help="FASTA of proteins to search")
    parser.add_argument("--alignments", type=Path)
    parser.add_argument("--train", type=Path, help="split dataset of the model that reads profiles")
    parser.add_argument("--alone", default=ALONE, help="model that reads no profiles")
    parser.add_argument("--deep", default=DEEP, help="model that reads profiles")
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    if arguments.sets:
        write_text_whole(RESULTS, json.dumps(measured(arguments), indent=1, sort_keys=True) + "\n")
    if arguments.page:
        page = arguments.page.read_text(encoding="utf-8")
        write_text_whole(arguments.page, with_table(page, json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
