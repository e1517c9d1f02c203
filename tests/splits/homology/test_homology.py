from __future__ import annotations

import shutil

import numpy as np
import pytest

from grubio.config import SplitSettings
from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.locus import STRANDS, reverse_complement
from grubio.sequences.record import Record
from grubio.splits.homology.hit import Hit
from grubio.splits.homology.search import find_hits

needs_mmseqs = pytest.mark.skipif(shutil.which("mmseqs") is None, reason="mmseqs is not installed")
METHODS = ["kmer", pytest.param("mmseqs", marks=needs_mmseqs)]


def random_chain(length: int, seed: int, letters: str = PROTEIN.letters) -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


def relative(sequence: str, identity: float, seed: int, letters: str = PROTEIN.letters) -> str:
    """Return a copy of about the identity that is asked for."""
    generator = np.random.default_rng(seed)
    kept = generator.random(len(sequence)) < identity
    return "".join(
        c if k else str(generator.choice(list(letters)))
        for c, k in zip(sequence, kept, strict=True)
    )


def labelled(name: str, sequence: str, split: str | None = None) -> Record:
    return Record(name, "", sequence, "C" * len(sequence), None, None, split)


def families(count: int, size: int) -> list[Record]:
    """Return families of relatives of 70 % identity to their founder, members spread out."""
    founders = [random_chain(150, seed) for seed in range(count)]
    return [
        labelled(f"f{f}_m{m}", relative(founders[f], 0.7, 1000 * f + m))
        for m in range(size)
        for f in range(count)
    ]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("identity", [0.9, 0.6, 0.4])
def test_planted_relatives_are_found_with_their_identity(method: str, identity: float) -> None:
    chains = {f"c{i}": random_chain(220, i) for i in range(30)}
    relatives = {f"r{i}": relative(chains[f"c{i}"], identity, 100 + i) for i in range(30)}
    settings = SplitSettings(method=method)
    found = {
        (hit.query, hit.target): hit
        for hit in find_hits(relatives, chains, PROTEIN, settings, 1)
        if hit.is_homolog(settings)
    }
    # A remote relative may be missed, and one pair in some hundred is alike by chance.
    assert sum((f"r{i}", f"c{i}") in found for i in range(30)) >= (29 if identity > 0.5 else 24)
    assert len(found) <= 35
    best = [found[f"r{i}", f"c{i}"].identity for i in range(30) if (f"r{i}", f"c{i}") in found]
    assert np.mean(best) == pytest.approx(identity, abs=0.08)


@pytest.mark.parametrize("strand", STRANDS)
@pytest.mark.parametrize("method", METHODS)
def test_dna_relatives_are_found_on_either_strand(method: str, strand: str) -> None:
    chains = {f"c{i}": random_chain(500, i, "ACGT") for i in range(10)}
    one = relative(chains["c3"], 0.9, 1, "ACGT")
    relatives = {"r": one if strand == "+" else reverse_complement(one)}
    settings = SplitSettings(method=method)
    hits = [h for h in find_hits(relatives, chains, DNA, settings, 1) if h.is_homolog(settings)]
    assert {hit.target for hit in hits} == {"c3"}


@pytest.mark.parametrize("method", METHODS)
def test_odd_ids_and_letters_survive(method: str) -> None:
    sequence = random_chain(200, 5)
    names = {
        "sp|P1|A_B": sequence,
        "gi|1,2;x=3": "X" * 5 + sequence[5:].lower(),
        "U/O": "UOBZJX" + sequence,
    }
    hits = list(find_hits(names, names, PROTEIN, SplitSettings(method=method), 1))
    pairs = {(hit.query, hit.target) for hit in hits}
    assert pairs == {(a, b) for a in names for b in names if a != b}


def test_short_chance_matches_are_no_homologs() -> None:
    settings = SplitSettings()
    assert not Hit("a", "b", 0.5, 12, 0.9, 1.0).is_homolog(settings)
    assert not Hit("a", "b", 0.3, 95, 0.2, 1.0).is_homolog(settings)
    assert Hit("a", "b", 0.3, 95, 0.6, 1.0).is_homolog(settings)
    assert Hit("a", "b", 0.15, 30, 0.1, 1e-5).is_homolog(settings)


def test_missing_mmseqs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GrubioError, match="MMseqs2 is not installed"):
        list(find_hits({"a": "MK"}, {"b": "MK"}, PROTEIN, SplitSettings(method="mmseqs"), 1))
    assert not list(find_hits({"a": "MK"}, {"b": "KM"}, PROTEIN, SplitSettings(method="auto"), 1))
