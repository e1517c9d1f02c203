"""A headless Chromium for the tests of this folder, and a page in it that tolerates nothing.

A test takes the fixture ``page``, opens a file with ``page.goto(path.as_uri())`` and uses it.
Whatever the page complains of fails the test, and so does any request that would leave the
machine: what grubio writes is read offline.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--force-color-profile=srgb",
]
OFFLINE = ("file:", "data:", "blob:", "about:")


# Playwright keeps an event loop in the thread of the tests; it is gone when this folder is done.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser that Debian and Ubuntu call chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of 1440 by 900; the test fails if it logs an error or asks for the network.

    ``page.set_viewport_size`` and ``page.emulate_media(color_scheme="dark")`` change it.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    context.set_default_timeout(5000)
    opened = context.new_page()
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith(OFFLINE):
            problems.append(f"request: {request.url}")

    opened.on("console", on_console)
    opened.on("pageerror", lambda error: problems.append(f"error: {error}"))
    opened.on("request", on_request)
    yield opened
    context.close()
    assert problems == []
