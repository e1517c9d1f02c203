"""Equations as MathML, made when the site is built: a Python-Markdown extension.

``$x$`` stands in a line, ``$$...$$`` on lines of its own. Browsers draw MathML themselves, so the
pages need no script, no font and no network.
"""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

_BLOCK = re.compile(r"^\$\$\n(.+?)\n\$\$$", flags=re.MULTILINE | re.DOTALL)
_INLINE = r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\$)"


class _Equations(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        def stored(match: re.Match[str]) -> str:
            mathml = convert(" ".join(match[1].split("\n")), display="block")
            return self.md.htmlStash.store(f'<div class="equation">{mathml}</div>')

        return _BLOCK.sub(stored, "\n".join(lines)).split("\n")


class _Terms(InlineProcessor):
    def handleMatch(self, match: Any, data: str) -> Any:  # noqa: N802 - the library's name
        return self.md.htmlStash.store(convert(match[1])), match.start(0), match.end(0)


class MathMLExtension(Extension):
    """Adds both."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's name
        """Register after code, so that a dollar sign in code stays one."""
        md.preprocessors.register(_Equations(md), "equations", 20)
        md.inlinePatterns.register(_Terms(_INLINE, md), "terms", 185)


def makeExtension(**settings: Any) -> MathMLExtension:  # noqa: N802 - the library's name
    """Return the extension; Python-Markdown calls this."""
    return MathMLExtension(**settings)
