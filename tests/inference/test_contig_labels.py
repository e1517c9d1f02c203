"""Labels of a contig under a grammar: the same whatever its regions, on both strands."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from genome_model import dna, save_genome_model
from grubio.config import PredictionSettings
from grubio.inference.contig_labels import with_labels
from grubio.inference.labelled_contig import LabelledContig
from grubio.inference.labelled_region import LabelledRegion
from grubio.inference.predictor import Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.prediction.kinds import model_kind
from grubio.sequences.best_path import best_classes
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.locus import STRANDS, Strand, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme

# Genes are codons, at least four, and do not touch.
GENES: dict[str, Any] = {
    "states": {"c1": "C", "c2": "C", "c3": "C", "n": "."},
    "next": {"n": ["n", "c1"], "c1": "c2", "c2": ["c3"], "c3": ["c1", "n"]},
    "least": {"C": 12},
    "first": ["n"],
    "last": ["n"],
}


@pytest.mark.parametrize("rules", [GENES, {"least": {"C": 5, ".": 3}}, {"first": "C", "last": "."}])
@pytest.mark.parametrize("length", [1, 2, 17, 700])
def test_labels_do_not_depend_on_the_regions(rules: dict[str, Any], length: int) -> None:
    scheme = custom_scheme("genes", "C.", background=".").with_grammar(
        grammar_from_dict(rules, "C.")
    )
    random = np.random.default_rng(length)
    smooth = np.convolve(random.normal(size=length + 20), np.ones(21) / 4, "valid")[:length]
    rows: dict[Strand, Any] = {
        strand: np.stack((1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x))), axis=1).astype(np.float32)
        for strand, x in zip(STRANDS, (smooth, 0.1 - smooth), strict=True)
    }
    (ahead,), (behind,) = best_classes([rows["+"]], scheme), best_classes([rows["-"][::-1]], scheme)
    wanted = {"+": scheme.decode(ahead), "-": scheme.decode(behind[::-1])}
    for parts in (1, 2, 9):
        borders = sorted({0, length, *random.integers(0, length, parts - 1).tolist()})
        pieces = list(pairwise(borders))
        regions = [
            LabelledRegion(
                "c", length, a, b, "A" * (b - a), {s: p[a:b] for s, p in rows.items()}, scheme
            )
            for a, b in pieces
        ]
        found = list(with_labels(regions))
        assert [(region.start, region.end) for region in found] == pieces
        for strand in STRANDS:
            labels = "".join(scheme.decode(region.classes(strand)) for region in found)
            assert labels == wanted[strand]


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("genome")
    save_genome_model(folder)
    bundle = load_bundle(folder)
    letters = bundle.scheme.letters
    rules = {
        "states": {"c1": "C", "c2": "C", "c3": "C", **{x: x for x in letters if x != "C"}},
        "next": {"c1": "c2", "c2": ["c3"], "c3": ["c1", *letters.replace("C", "")]},
        "least": {"C": 12, "M": 6},
    }
    rules["next"] |= {x: ["c1", *letters.replace("C", "")] for x in letters if x != "C"}
    return bundle.with_grammar(grammar_from_dict(rules, letters))


def contig_of(bundle: Bundle, sequence: str) -> LabelledContig:
    kind = model_kind(bundle, PredictionSettings(device="cpu", threads=1))
    (found,) = kind.labelled(kind.predictor(), [Record("c", "", sequence)])
    assert isinstance(found, LabelledContig)
    return found


def test_both_strands_of_a_contig_obey_across_windows(genes: Bundle) -> None:
    sequence = dna(12_000, 5)
    found = contig_of(genes, sequence)
    for strand, labels in found.labels.items():
        runs = [len(run) for run in re.findall("C+", labels[1:-1])]
        # Those at the ends may be cut off.
        assert len(runs) > 10, strand
        assert all(run % 3 == 0 and run >= 12 for run in runs[1:-1])
        assert np.isfinite(found.probabilities[strand]).all()
        np.testing.assert_allclose(found.probabilities[strand].sum(axis=1), 1, atol=1e-5)
        chosen = found.confidence[strand]
        assert (chosen > 0).all()
        assert chosen.tolist() != found.probabilities[strand].max(axis=1).tolist()
    called = [f for f in found.features if f.letter == "C"]
    assert {len(f.locus) % 3 for f in called if f.locus.start > 0 and f.locus.end < 12_000} == {0}
    turned = contig_of(genes, reverse_complement(sequence))
    assert turned.labels["-"][::-1] == found.labels["+"]
    assert turned.labels["+"][::-1] == found.labels["-"]


def test_nothing_is_labelled_in_a_gap(genes: Bundle) -> None:
    sequence = dna(900, 6) + "N" * 40 + dna(900, 7)
    for labels in contig_of(genes, sequence).labels.values():
        assert set(labels[900:940]) == {"."}


def test_without_its_grammar_a_model_says_what_it_said(genes: Bundle) -> None:
    record = [Record("c", "", dna(600, 8))]
    plain = genes.with_grammar(None)
    (raw,) = Predictor(genes, "cpu", 1, grammar=False).predict(record)
    (known,) = Predictor(plain, "cpu", 1).predict(record)
    assert raw.probabilities.tobytes() == known.probabilities.tobytes()
    assert raw.labels() == plain.scheme.decode(raw.probabilities.argmax(axis=1))
