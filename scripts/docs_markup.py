"""What pages and docstrings have beyond Markdown: a Python-Markdown extension for the site.

Equations become MathML when the site is built: ``$x$`` in a line, ``$$...$$`` on lines of its own.
Browsers draw MathML themselves, so the pages need no script, no font and no network. References in
docstrings, ``:func:`name```, become code.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.util import AtomicString

_BLOCK = re.compile(r"^\$\$\n(.+?)\n\$\$$", flags=re.MULTILINE | re.DOTALL)
_INLINE = r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\$)"


_REFERENCE = r":(?:func|meth|class|mod|data|attr|obj):`~?([^`]+)`"


class _Equations(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        def stored(match: re.Match[str]) -> str:
            mathml = convert(" ".join(match[1].split("\n")), display="block")
            return self.md.htmlStash.store(f'<div class="equation">{mathml}</div>')

        return _BLOCK.sub(stored, "\n".join(lines)).split("\n")


class _Terms(InlineProcessor):
    def handleMatch(  # type: ignore[override]  # noqa: N802 - the library's name
        self, match: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        return self.md.htmlStash.store(convert(match[1])), match.start(0), match.end(0)


class _References(InlineProcessor):
    def handleMatch(  # type: ignore[override]  # noqa: N802 - the library's name
        self, match: re.Match[str], data: str
    ) -> tuple[Element, int, int]:
        code = Element("code")
        code.text = AtomicString(match[1])
        return code, match.start(0), match.end(0)


class MarkupExtension(Extension):
    """Adds all of these."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's name
        """Register after code, so that a dollar sign in code stays one."""
        md.preprocessors.register(_Equations(md), "equations", 20)
        md.inlinePatterns.register(_Terms(_INLINE, md), "terms", 185)
        # Before code, which would take the name and leave the role.
        md.inlinePatterns.register(_References(_REFERENCE, md), "references", 195)


def makeExtension(**settings: Any) -> MarkupExtension:  # noqa: N802 - the library's name
    """Return the extension; Python-Markdown calls this."""
    return MarkupExtension(**settings)
