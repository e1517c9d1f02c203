"""The examples of docs/python.md, run as doctests."""

from __future__ import annotations

import doctest

from conftest import REPOSITORY


def test_the_examples_of_the_python_page_run() -> None:
    page = REPOSITORY / "docs/python.md"
    failed, tried = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 15
    assert failed == 0
