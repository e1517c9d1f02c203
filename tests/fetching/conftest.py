"""The servers of accessions, for the tests of fetching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayed_servers import Servers, replayed_servers


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """Servers of all sources on this machine, a cache of their own, and an empty working folder."""
    monkeypatch.setenv("GRUBIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with replayed_servers() as state:
        monkeypatch.setenv("GRUBIO_MIRROR", state.address)
        yield state
