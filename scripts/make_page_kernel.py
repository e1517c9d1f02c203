"""Compile the arithmetic of model pages: ``python scripts/make_page_kernel.py``.

It needs clang and lld (Debian, Ubuntu: ``apt install clang lld``). ``grubio/page/kernel.wasm``
keeps the SHA-256 of ``kernel.c`` in a section of its own, so that tests notice if it is older.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "grubio" / "page"
SECTION = "source_sha256"
FLAGS = (
    *("--target=wasm32", "-O3", "-msimd128", "-ffp-contract=off", "-nostdlib"),
    *("-Wl,--no-entry", "-Wl,--strip-all", "-Wl,--export=__heap_base"),
)


def section(source: bytes) -> bytes:
    """Return the custom section of WebAssembly that holds the SHA-256 of the source."""
    name, digest = SECTION.encode(), hashlib.sha256(source).hexdigest().encode()
    content = bytes([len(name)]) + name + digest
    return b"\0" + bytes([len(content)]) + content


def main() -> int:
    """Compile ``kernel.c``."""
    compiler = shutil.which("clang") or shutil.which("clang-14")
    if compiler is None:
        print("clang is missing: apt install clang lld", file=sys.stderr)
        return 1
    source = FOLDER / "kernel.c"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "kernel.wasm"
        subprocess.run([compiler, *FLAGS, str(source), "-o", str(made)], check=True)
        (FOLDER / "kernel.wasm").write_bytes(made.read_bytes() + section(source.read_bytes()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
