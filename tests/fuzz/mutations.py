"""Files changed at random, the same for a seed: by bytes, lines, cells and tokens."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

TOKENS = [
    *(
        b"",
        b" ",
        b"\t",
        b"\n",
        b"\r",
        b"\0",
        b"-1",
        b"0",
        b"99999999999999999999",
        b"1e999",
        b"nan",
    ),
    *(
        b".",
        b"?",
        b">",
        b"#",
        b"##FASTA",
        b"'",
        b'"',
        b";",
        b",",
        b"=",
        b"{",
        b"[",
        b"null",
        b"data_",
    ),
    *(
        b"loop_",
        b"MOTIF",
        b"\xe9",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        "\u200b".encode(),
        b"TARGET=",
        b"*",
    ),
]
Mutation = Callable[[bytes, random.Random], bytes]


def mutated(content: bytes, seed: int) -> bytes:
    """Return the content after one to four changes."""
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = chance.choice((_by_bytes, _by_lines, _by_cells, _by_tokens))(content, chance)
    return content


def _span(size: int, chance: random.Random, most: int) -> tuple[int, int]:
    first = chance.randrange(size + 1)
    return first, min(first + chance.randint(1, most), size)


def _by_bytes(content: bytes, chance: random.Random) -> bytes:
    first, last = _span(len(content), chance, chance.choice((1, 8, 200)))
    kind = chance.randrange(4)
    if kind == 0:
        return content[:first]
    new = (chance.randbytes(last - first), b"", 2 * content[first:last])[kind - 1]
    return content[:first] + new + content[last:]


def _by_lines(content: bytes, chance: random.Random) -> bytes:
    return b"".join(_rearranged(content.splitlines(keepends=True), chance))


def _by_cells(content: bytes, chance: random.Random) -> bytes:
    return b"".join(_rearranged(re.split(rb"([\t ,;]+)", content), chance))


def _by_tokens(content: bytes, chance: random.Random) -> bytes:
    words = re.split(rb"(\W+)", content)
    at = chance.randrange(len(words))
    words[at] = chance.choice((chance.choice(TOKENS), words[at] + chance.choice(TOKENS)))
    return b"".join(words)


def _rearranged(parts: list[bytes], chance: random.Random) -> list[bytes]:
    if not parts:
        return parts
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    kind = chance.randrange(4)
    if kind == 0:
        parts[one], parts[other] = parts[other], parts[one]
    elif kind == 1:
        del parts[one]
    elif kind == 2:
        parts.insert(one, parts[other])
    else:
        parts[one] = chance.choice(TOKENS)
    return parts
