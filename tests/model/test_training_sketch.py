from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grubio.errors import GrubioError
from grubio.model import training_sketch
from grubio.model.bundle import load_metadata
from grubio.model.training_sketch import (
    METADATA_KEY,
    SKETCH_FILE,
    Sketch,
    read_sketches,
    sketch_of,
    write_sketches,
)
from grubio.model.zoo import bundled_models
from grubio.sequences.alphabet import DNA, PROTEIN, Alphabet

LETTERS = {"protein": PROTEIN, "dna": DNA}


def chain(alphabet: Alphabet, length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list(alphabet.letters), length))


def mutated(alphabet: Alphabet, text: str, share: float, seed: int) -> str:
    draw = np.random.default_rng(seed)
    fresh = draw.choice(list(alphabet.letters), len(text))
    return "".join(np.where(draw.random(len(text)) < share, fresh, list(text)))


@pytest.mark.parametrize("name", LETTERS)
def test_the_same_and_similar_sequences_are_found_and_others_are_not(name: str) -> None:
    alphabet = LETTERS[name]
    train = [chain(alphabet, 400, seed) for seed in range(60)]
    sketch = sketch_of("mine", train, alphabet)
    tested = {
        "same": train[3],
        "soft-masked": train[4].lower(),
        "part": train[5][50:300],
        "relative": mutated(alphabet, train[6], 0.15, 1),
        **{f"other{seed}": chain(alphabet, 400, 1000 + seed) for seed in range(40)},
        "short": chain(alphabet, 4, 5),
    }
    found = sketch.overlap(tested, alphabet)
    assert found.seen == ["same", "soft-masked"]
    assert found.similar == ["part", "relative"]
    warning = found.warning("test records")
    assert warning is not None
    assert "of 45 test records, 2 were in the training data of mine and 2 more" in warning


def test_either_strand_of_dna_is_the_same() -> None:
    text = chain(DNA, 300, 1)
    other = text.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    found = sketch_of("mine", [text], DNA).overlap({"strand": other, "part": other[9:]}, DNA)
    assert (found.seen, found.similar) == (["strand"], ["part"])


def test_a_large_training_set_is_thinned_and_order_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(training_sketch, "MOST_KMERS", 1000)
    train = [chain(PROTEIN, 200, seed) for seed in range(100)]
    one, other = (sketch_of("mine", order, PROTEIN) for order in (train, train[::-1]))
    assert one.halvings == other.halvings == 5
    assert one.kmers is not None
    assert other.kmers is not None
    assert 400 < len(one.kmers) <= 1000
    assert np.array_equal(one.kmers, other.kmers)
    content = write_sketches(tmp_path, [one])
    assert (tmp_path / SKETCH_FILE).stat().st_size < 1.6 * len(one.kmers) + 5 * 100
    again = read_sketches(tmp_path, content, "mine")[0]
    assert np.array_equal(again.kmers, one.kmers)
    assert np.array_equal(again.sequences, one.sequences)


def test_what_is_written_is_read_and_unknown_stays_unknown(tmp_path: Path) -> None:
    train = [chain(PROTEIN, 90, seed) for seed in range(20)]
    content = write_sketches(tmp_path, [sketch_of("mine", train, PROTEIN), Sketch("parent")])
    mine, parent = read_sketches(tmp_path, content, "renamed")
    assert (mine.model, mine.records, parent.model) == ("renamed", 20, "parent")
    assert mine.overlap({"a": train[0]}, PROTEIN).seen == ["a"]
    unknown = parent.overlap({"a": train[0]}, PROTEIN)
    assert unknown.as_dict() == {"model": "parent", "records": 1, "seen": None, "similar": None}
    assert "unknown" in (unknown.warning("test records") or "")
    assert [s.known for s in (read_sketches(tmp_path, {}, "old")[0].overlap({}, PROTEIN),)] == [
        False
    ]


@pytest.mark.parametrize("name", bundled_models())
def test_bundled_models_know_their_training_sequences(name: str) -> None:
    folder = bundled_models()[name]
    metadata = load_metadata(folder)
    if METADATA_KEY not in metadata:
        pytest.skip(f"{name} was made without a sketch")
    # Its own, and those of the models behind it.
    sketches = read_sketches(folder, metadata, name)
    most = sum(200_000 + 3 * sketch.records for sketch in sketches)
    assert (folder / SKETCH_FILE).stat().st_size < most
    alphabet = LETTERS[metadata["alphabet"]]
    for sketch in sketches:
        assert sketch.kmers is not None
        found = sketch.overlap({"random": chain(alphabet, 3000, 1)}, alphabet)
        assert (found.seen, found.similar) == ([], [])


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    content = write_sketches(tmp_path, [sketch_of("mine", [chain(PROTEIN, 90, 1)], PROTEIN)])
    (tmp_path / SKETCH_FILE).write_bytes(b"\x01")
    with pytest.raises(GrubioError, match="is damaged"):
        read_sketches(tmp_path, content, "mine")
    (tmp_path / SKETCH_FILE).unlink()
    with pytest.raises(GrubioError, match="No such file"):
        read_sketches(tmp_path, content, "mine")
    assert METADATA_KEY in content
