"""The page of a model as a file: what it holds, and models that it refuses."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import grubio
from conftest import REPOSITORY
from grubio.cli import command_line
from grubio.errors import GrubioError
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.networks.registry import ATTENTIONS
from grubio.model.zoo import find_model
from grubio.page.content import weights_of
from grubio.page.predictor import render_page, write_page

FAST = find_model("protein-ss-fast")
ATTENTION = next(name for name in ATTENTIONS if name != "none")


@pytest.fixture(scope="module")
def fast() -> Bundle:
    return load_bundle(FAST)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "p.html"
    write_page(FAST, path)
    return path.read_text(encoding="utf-8")


def test_it_is_small_and_asks_for_nothing(page: str) -> None:
    assert len(page.encode()) < 2.5e6
    assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=", page)
    assert not re.search(r"fetch\(|XMLHttpRequest|importScripts|import\(", page)


def test_it_says_what_model_it_is(page: str, fast: Bundle) -> None:
    assert fast.metadata["weights_sha256"] in page
    assert f"grubio {grubio.__version__}" in page
    assert "<dt>To cite</dt>" in page
    # The card, as HTML.
    assert "<td>Q3, %</td>" in page
    assert "<h2>Training data</h2>" in page


def test_the_same_model_gives_the_same_bytes(page: str, tmp_path: Path) -> None:
    grubio.load("protein-ss-fast", device="cpu", threads=1).page(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_the_command_writes_it(tmp_path: Path, page: str) -> None:
    path = tmp_path / "predictor.html"
    arguments = ["page", "-m", "protein-ss-fast", "--output", str(path), "--title", "Mine & <b>"]
    done = CliRunner().invoke(command_line(), arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    text = path.read_text(encoding="utf-8")
    assert "<h1>Mine &amp; &lt;b&gt;</h1>" in text
    assert len(text) - len(page) < 100


def test_what_a_card_or_a_name_says_stays_text(fast: Bundle) -> None:
    odd = replace(fast, name="</script><b>x")
    text = render_page(odd, "# A\n\n<script>alert(1)</script>\n")
    assert "<script>alert(1)</script>" not in text
    settings = re.search(r'id="settings">(.*?)</script>', text, re.DOTALL)
    assert settings is not None
    assert json.loads(settings[1])["name"] == "</script><b>x"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"network": "lstm"}, "its network is lstm"),
        ({"attention": ATTENTION}, f"it has {ATTENTION} attention"),
        ({"inputs": ("onehot", "profile")}, "it reads profiles"),
    ],
)
def test_models_that_pages_cannot_compute_are_refused(
    fast: Bundle, changed: dict[str, Any], told: str
) -> None:
    architecture = replace(fast.architectures[0], **changed)
    with pytest.raises(GrubioError, match=told):
        render_page(replace(fast, architectures=(architecture,)))


def test_members_of_different_networks_are_refused(fast: Bundle) -> None:
    one = fast.architectures[0]
    other = replace(one, hidden_size=2 * one.hidden_size)
    with pytest.raises(GrubioError, match="its members are different networks"):
        render_page(replace(fast, architectures=(one, other)))


def test_weights_beyond_half_precision_are_refused(fast: Bundle) -> None:
    name, weight = next(iter(fast.weights.items()))
    large = {**fast.weights, name: np.full_like(weight, 1e5)}
    with pytest.raises(GrubioError, match="larger than 65504"):
        weights_of(replace(fast, weights=large, weight_precision="32"))


def test_a_page_does_not_replace_its_model(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FAST, tmp_path / "model"))
    with pytest.raises(GrubioError):
        write_page(folder, folder / "CARD.md")
    assert (folder / "CARD.md").read_bytes() == (FAST / "CARD.md").read_bytes()


def test_the_compiled_arithmetic_is_that_of_its_source() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        from make_page_kernel import FOLDER, section

        source = (FOLDER / "kernel.c").read_bytes()
        assert (FOLDER / "kernel.wasm").read_bytes().endswith(section(source)), (
            "run python scripts/make_page_kernel.py"
        )
