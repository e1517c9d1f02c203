"""Fetching from a real HTTP server on this machine that fails, stalls and truncates."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from grubio.config import Source
from grubio.config.loading import checked
from grubio.errors import GrubioError
from grubio.fetching.embedded import EMBEDDED, embedded_path
from grubio.fetching.fetch import fetch_source

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = {"timeout": 0.5, "pause": 0.01}


@dataclass
class Server:
    """What the server does, and what it saw."""

    address: str = ""
    faults: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    sent: int = 0

    def url(self, name: str = "chains.bin") -> str:
        return f"{self.address}/{name}"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            fault = state.faults.pop(0) if state.faults else ""
            if fault.isdigit():
                self.send_error(int(fault))
                return
            if fault == "stall":
                time.sleep(1.5)
                return
            start = 0
            if wanted and "ignore range" not in fault:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(CONTENT):
                    self.send_error(416)
                    return
            body = CONTENT[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            body = body[: len(body) // 2] if "truncate" in fault else body
            self.wfile.write(body)
            state.sent += len(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield state
        http.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRUBIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_comes_once_and_is_then_in_the_cache(server: Server, tmp_path: Path) -> None:
    source = Source(location=server.url(), sha256=SHA256)
    first = fetch_source(source, tmp_path / "out.bin", **QUICK)
    assert first.read_bytes() == CONTENT
    server.faults = ["500"] * 9
    assert fetch_source(source, **QUICK).read_bytes() == CONTENT
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    "faults", [["503", "503"], ["500", "429"], ["stall"], ["truncate", "stall"]]
)
def test_passing_faults_are_tried_again(server: Server, faults: list[str]) -> None:
    server.faults = list(faults)
    path = fetch_source(Source(location=server.url(), sha256=SHA256), **QUICK)
    assert path.read_bytes() == CONTENT
    assert len(server.ranges) == len(faults) + 1


def test_a_cut_off_transfer_goes_on_where_it_stopped(server: Server) -> None:
    server.faults = ["truncate", "truncate"]
    path = fetch_source(Source(location=server.url(), sha256=SHA256), **QUICK)
    assert path.read_bytes() == CONTENT
    starts = [
        int((text or "bytes=0-").removeprefix("bytes=").rstrip("-")) for text in server.ranges
    ]
    assert starts[0] == 0
    assert starts[1] >= 0.48 * len(CONTENT)
    assert starts[2] >= 0.72 * len(CONTENT)
    assert server.sent < 1.05 * len(CONTENT)


def test_a_second_call_goes_on_as_well(server: Server) -> None:
    source = Source(location=server.url(), sha256=SHA256)
    server.faults = ["truncate"]
    with pytest.raises(GrubioError, match=r"1 attempts"):
        fetch_source(source, attempts=1, **QUICK)
    assert fetch_source(source, **QUICK).read_bytes() == CONTENT
    assert server.sent < 1.05 * len(CONTENT)


def test_a_server_without_ranges_is_read_from_the_start(server: Server) -> None:
    server.faults = ["truncate", "ignore range"]
    path = fetch_source(Source(location=server.url(), sha256=SHA256), **QUICK)
    assert path.read_bytes() == CONTENT


@pytest.fixture
def ftp_address(tmp_path: Path) -> Iterator[str]:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

    folder = tmp_path / "ftp"
    folder.mkdir()
    (folder / "chains.bin").write_bytes(CONTENT)
    users = DummyAuthorizer()
    users.add_anonymous(str(folder))

    class Handler(FTPHandler):
        authorizer = users

    with ThreadedFTPServer(("127.0.0.1", 0), Handler) as ftp:
        thread = threading.Thread(target=ftp.serve_forever, kwargs={"timeout": 0.1}, daemon=True)
        thread.start()
        yield f"ftp://127.0.0.1:{ftp.address[1]}"
        ftp.close_all()


def test_ftp_is_fetched_and_checked(ftp_address: str, tmp_path: Path, cache: Path) -> None:
    source = Source(location=f"{ftp_address}/chains.bin", sha256=SHA256)
    path = fetch_source(source, tmp_path / "out.bin", timeout=5, pause=0.01)
    assert path.read_bytes() == CONTENT
    wrong = Source(location=f"{ftp_address}/chains.bin", sha256="0" * 64)
    with pytest.raises(GrubioError, match="was expected"):
        fetch_source(wrong, timeout=5, pause=0.01)
    assert len(files_in(cache)) == 1
    missing = Source(location=f"{ftp_address}/nothing.bin", sha256=SHA256)
    with pytest.raises(GrubioError, match=r"nothing\.bin"):
        fetch_source(missing, attempts=2, timeout=5, pause=0.01)


def test_a_missing_file_is_told_at_once(server: Server, cache: Path) -> None:
    server.faults = ["404"] * 5
    with pytest.raises(GrubioError, match="404"):
        fetch_source(Source(location=server.url(), sha256=SHA256), **QUICK)
    assert len(server.ranges) == 1
    assert files_in(cache) == []


def test_a_wrong_checksum_leaves_nothing_and_tells_both(
    server: Server, tmp_path: Path, cache: Path
) -> None:
    wrong = "0" * 64
    with pytest.raises(GrubioError) as caught:
        fetch_source(Source(location=server.url(), sha256=wrong), tmp_path / "out.bin", **QUICK)
    assert wrong in str(caught.value)
    assert SHA256 in str(caught.value)
    assert files_in(cache) == []
    assert not (tmp_path / "out.bin").exists()


def test_a_damaged_cache_is_fetched_again(server: Server) -> None:
    source = Source(location=server.url(), sha256=SHA256)
    fetch_source(source, **QUICK).write_bytes(b"damaged")
    assert fetch_source(source, **QUICK).read_bytes() == CONTENT
    assert len(server.ranges) == 2


def test_no_server_is_told(server: Server) -> None:
    source = Source(location="http://127.0.0.1:9/x", sha256=SHA256)
    with pytest.raises(GrubioError, match="cannot be fetched"):
        fetch_source(source, attempts=2, **QUICK)


def test_members_and_compression_are_taken_off(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("deep/chains.fasta.gz", gzip.compress(b">a\nMKT\n"))
    member = Source(location=str(archive), member="deep/chains.fasta.gz")
    path = fetch_source(member, tmp_path / "out.fasta", decompress=True)
    assert path.read_bytes() == b">a\nMKT\n"
    assert fetch_source(member).name == "chains.fasta.gz"
    with pytest.raises(GrubioError, match=r"no member 'x'.*deep/chains"):
        fetch_source(Source(location=str(archive), member="x"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_local_files_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    assert fetch_source(Source(location=str(path), sha256=SHA256)) == path
    with pytest.raises(GrubioError, match="was expected"):
        fetch_source(Source(location=str(path), sha256="1" * 64), tmp_path / "b.txt")
    with pytest.raises(GrubioError, match="no such file"):
        fetch_source(Source(location="missing.txt"))
    assert not (tmp_path / "b.txt").exists()


def test_a_url_without_a_checksum_is_locked(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = tmp_path / "grubio.lock"
    source = checked(Source, {"location": server.url()})
    server.faults = ["truncate"]
    assert fetch_source(source, lock=lock, **QUICK).read_bytes() == CONTENT
    assert f"no checksum was given; its SHA-256 {SHA256} is kept in {lock}" in caplog.text
    assert SHA256 in lock.read_text()
    # Later the cache answers.
    server.faults = ["500"] * 9
    assert fetch_source(source, lock=lock, **QUICK).read_bytes() == CONTENT


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_data_is_there(name: str) -> None:
    assert fetch_source(Source(location=name)) == embedded_path(name)
    assert embedded_path(name).stat().st_size > 0
