"""The test chains inside the report: as the files say, and never too many for a page."""

from __future__ import annotations

import base64
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.report import chain_data
from grubio.report.chain_data import chain_table, fitting_chains
from grubio.report.page import write_report
from grubio.runs.folder import read_run
from grubio.runs.tables import ChainScore
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from synthetic_run import labelled_chains, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chains = labelled_chains(6)
    name, sequence, labels = chains[0]
    chains[0] = (name, sequence, "?" * 9 + labels[9:])
    return make_run(tmp_path_factory.mktemp("runs") / "small", SS8, chains)


def content_of(run: Path, scheme: LabelScheme = SS8) -> dict:
    found = read_run(run)
    assert found.chains is not None
    table = chain_table(found.predictions, scheme, found.chains, "Q3")
    return json.loads(table.data)


def test_holds_what_the_predictions_say(run: Path) -> None:
    content = content_of(run)
    rows = pq.read_table(run / "test_predictions.parquet").to_pylist()
    assert [scheme["name"] for scheme in content["schemes"]] == ["ss3", "ss8"]
    assert len(content["chains"]) == 6
    for chain in content["chains"]:
        mine = [row for row in rows if row["id"] == chain["id"]]
        p = np.array([[row[f"p_{letter}"] for letter in SS8.letters] for row in mine])
        assert chain["residues"] == "".join(row["residue"] for row in mine)
        observed = [row["observed"] if row["mask"] == "1" else "?" for row in mine]
        assert chain["observed"] == "".join(observed)
        assert chain["fine"] == "".join(row["label"] for row in mine)
        assert chain["coarse"] == SS3.decode(*best_classes([p @ SS8.reduction_matrix(SS3)], SS3))
        levels = np.frombuffer(base64.b64decode(chain["p"]), dtype=np.uint8)
        assert np.abs(levels.reshape(p.shape) / 255 - p).max() <= 0.5 / 255 + 1e-6


def test_shapes_and_reduction_of_the_schemes(run: Path) -> None:
    three, eight = content_of(run)["schemes"]
    assert three["shapes"] == ["helix", "strand", "line"]
    assert eight["shapes"] == [*["helix"] * 3, "strand", "strand", "turn", "bend", "line"]
    assert eight["coarse"] == "HHHEECCC"
    assert three["coarse"] == "HEC"
    own = chain_data._schemes(custom_scheme("own", "AB"))
    assert [scheme["shapes"] for scheme in own] == [["box", "box"]]


def test_few_fit_and_the_page_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [len(sequence) for _, sequence, _ in labelled_chains(6)]
    monkeypatch.setattr(chain_data, "MOST_BYTES", sum(lengths) * 8)
    write_report(run, run / "report.html")
    page = (run / "report.html").read_text()
    drawn = int(re.search(r"holds the residues of (\d+) of 6 test chains", page)[1])
    assert 0 < drawn < 6
    assert page.count("<tr data-chain=") == drawn
    monkeypatch.setattr(chain_data, "MOST_ROWS", 5)
    write_report(run, run / "report.html")
    assert "too many for this page" in (run / "report.html").read_text()


chains_of = st.lists(
    st.tuples(st.none() | st.floats(0, 1), st.integers(1, 900)), min_size=1, max_size=40
).map(lambda pairs: [ChainScore(f"c{i}", n, n, s, None, None) for i, (s, n) in enumerate(pairs)])


@given(chains_of, st.integers(0, 200_000))
def test_chains_fit_and_keep_their_order(chains: list[ChainScore], most: int) -> None:
    held = fitting_chains(chains, most, 8)
    assert [chain for chain in chains if chain in held] == held
    assert sum(chain_data._bytes_of(chain, 8) for chain in held) <= most
    assert fitting_chains(chains, 10**9, 8) == chains


def test_sample_of_many_is_even() -> None:
    chains = [ChainScore(f"c{i:05d}", 200, 200, i / 20_000, None, None) for i in range(20_000)]
    held = fitting_chains(chains, chain_data.MOST_BYTES, 8)
    places = [int(chain.id[1:]) for chain in held]
    assert 900 < len(held) < 1100
    assert set(range(100)) | set(range(19_900, 20_000)) <= set(places)
    assert max(b - a for a, b in itertools.pairwise(places)) < 60


def test_largest_page_is_below_five_megabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The data cannot exceed MOST_BYTES (above); a row of the table is measured here.
    run = make_run(tmp_path / "run", SS8, labelled_chains(40))
    monkeypatch.setattr(chain_data, "MOST_BYTES", 60_000)
    write_report(run, run / "report.html")
    page = (run / "report.html").read_text()
    rows = re.search(r'id="chain-table">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    data = re.search(r'id="chain-data">(.*?)</script>', page)[1]
    rest = len(page) - len(rows) - len(data)
    assert len(data) < 60_000 + 3000
    assert rest + chain_data.MOST_ROWS * len(rows) / 40 + 3_000_000 < 5_000_000
