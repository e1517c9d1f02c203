"""Reading compressed files whole; writing: links are followed, folders are whole."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from grubio.errors import GrubioError
from grubio.files import open_input, write_text_whole, written_folder, written_whole
from grubio.overwriting import inputs_kept, keeps_inputs

# Its streams pass the size of what is read at once.
LETTERS = os.urandom(100_000)
COMPRESSED = {"gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress}


def read_whole(folder: Path, content: bytes) -> bytes:
    path = folder / "in"
    path.write_bytes(content)
    with open_input(path) as raw:
        return raw.read()


@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED)
def test_all_streams_of_a_compressed_file_are_read(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    parts = [b">a\n", LETTERS, b"", *(b"%d\n" % n for n in range(300)), LETTERS]
    assert read_whole(tmp_path, b"".join(map(compress, parts))) == b"".join(parts)


@pytest.mark.parametrize("zeros", [4, 1 << 17])
def test_padding_between_the_streams_of_xz_is_passed_over(tmp_path: Path, zeros: int) -> None:
    padded = lzma.compress(b">a\n") + bytes(zeros)
    assert read_whole(tmp_path, padded * 2) == b">a\n" * 2


@pytest.mark.parametrize("first", [b">a\n", LETTERS], ids=["short", "long"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "text", "another kind", "header alone"])
@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_damaged_later_stream_is_told(
    tmp_path: Path, kind: str, damage: str, first: bytes
) -> None:
    compress = COMPRESSED[kind]
    second = compress(b">b\nMKTAYIAKQR\n")
    behind = {
        "flipped": bytes([second[0] ^ 1]) + second[1:],
        "cut": second[:-5],
        "text": b">b\nMKTAYIAKQR\n",
        "another kind": COMPRESSED["xz" if kind == "gzip" else "gzip"](b">b\n"),
        "header alone": second[:3],
    }
    with pytest.raises(GrubioError, match="the compressed file is cut off or damaged"):
        read_whole(tmp_path, compress(first) + behind[damage])


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.tsv"
    link.symlink_to("real/out.tsv")
    for text in ("new", "newer"):
        write_text_whole(link, text)
        assert link.is_symlink()
        assert (tmp_path / "real" / "out.tsv").read_text() == text
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.tsv", "out.tsv", "real"]


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(GrubioError, match="cannot be written"):
        write_text_whole(tmp_path / "a", "text")
    assert (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_pipe_is_written_to(tmp_path: Path, streamed: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with written_whole(pipe, streamed=streamed) as path, open(path, "w") as out:
        assert (path == pipe) is streamed
        out.write("text")
    reader.join()
    assert read == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_devices_stay_devices(tmp_path: Path) -> None:
    link = tmp_path / "nothing"
    link.symlink_to("/dev/null")
    for path in ("/dev/null", link):
        write_text_whole(path, "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("into", ["file", "pipe"])
def test_a_descriptor_is_written_to_where_it_stands(tmp_path: Path, name: str, into: str) -> None:
    if name.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    (tmp_path / "link").symlink_to("/dev/stdout")
    before = Path("/dev/stdout").readlink()
    program = (
        "import sys; from grubio.files import open_input, write_text_whole; print('before');"
        f"write_text_whole({name!r}, 'text\\n'); print('after')"
    )
    command = [sys.executable, "-u", "-c", program]
    if into == "pipe":
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        text = done.stdout
    else:
        (tmp_path / "out").write_text("first\n")
        with open(tmp_path / "out", "a") as out:
            subprocess.run(command, cwd=tmp_path, stdout=out, check=True)
        text = (tmp_path / "out").read_text().removeprefix("first\n")
    assert text == "before\ntext\nafter\n"
    assert (tmp_path / "link").is_symlink()
    assert Path("/dev/stdout").readlink() == before


def test_a_descriptor_that_is_not_open_is_told() -> None:
    with pytest.raises(GrubioError, match="cannot be written"):
        write_text_whole("/dev/fd/987", "text")


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), written_folder(out) as folder:
        (folder / "a").write_text("a")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with written_folder(out) as folder:
        (folder / "a").write_text("a")
        assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "a").read_text() == "a"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o777 & ~umask


def test_a_folder_that_exists_keeps_its_other_files(tmp_path: Path) -> None:
    for name in ("a", "mine", "elsewhere"):
        (tmp_path / name).write_text("old")
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(RuntimeError), written_folder(tmp_path) as folder:
        (folder / "a").write_text("new")
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "old"
    with written_folder(tmp_path) as folder:
        for name in ("a", "b", "link"):
            (folder / name).write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a": "new",
        "b": "new",
        "link": "new",
        "elsewhere": "new",
        "mine": "old",
    }
    assert (tmp_path / "link").is_symlink()


def test_a_folder_replaces_no_folder_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(GrubioError, match="is a folder"), written_folder(tmp_path) as folder:
        for name in ("a", "b"):
            (folder / name).write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    (tmp_path / "c").write_text("mine")
    with pytest.raises(GrubioError, match="is a file"), written_folder(tmp_path / "c"):
        pass


def test_an_input_is_kept_until_the_block_ends(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("old")

    @keeps_inputs("read", "more", outputs=["out"])
    def step(read: Path, out: Path, more: list[Path] | None = None) -> None:
        write_text_whole(tmp_path / "c", "new")
        write_text_whole(out, "new")

    with pytest.raises(GrubioError, match="is read as the input"):
        step(tmp_path / "a", tmp_path / "b", more=[tmp_path / "c"])
    with pytest.raises(GrubioError, match="is read as the input"):
        step(tmp_path / "a", out=tmp_path / "a")
    assert [(tmp_path / name).read_text() for name in "abc"] == ["old"] * 3
    step(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in "abc"] == ["old", "new", "new"]
    write_text_whole(tmp_path / "a", "new")


def test_a_file_in_a_folder_of_outputs_may_be_an_input(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with inputs_kept(str(tmp_path / "a")):
        with pytest.raises(GrubioError, match="is read"), written_folder(tmp_path, ["a"]):
            pytest.fail("known too late")
        with pytest.raises(GrubioError, match="is read"), written_folder(tmp_path) as folder:
            for name in ("A", "a"):
                (folder / name).write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_a_temporary_file_has_the_rights_of_a_new_one(tmp_path: Path) -> None:
    with written_whole(tmp_path / "a") as temporary:
        temporary.write_text("a")
    (tmp_path / "b").write_text("b")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
