"""What every page of grubio must hold, measured in the browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (390, 768, 1440)
"""A phone, a tablet, a desk."""

_HERE = Path(__file__).parent


def too_wide(page: Page) -> list[str]:
    """Return what reaches beyond the right edge of the page; empty if it need not be scrolled."""
    found: list[str] = page.evaluate((_HERE / "too_wide.js").read_text())
    return found


def faint_text(page: Page, limit: float = 4.5) -> list[str]:
    """Return the visible texts whose contrast to their background is below ``limit``.

    The text of a figure in SVG is held against the background of the page around it.
    """
    found: list[str] = page.evaluate((_HERE / "faint_text.js").read_text(), limit)
    return found
