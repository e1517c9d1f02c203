"""A headless Firefox, driven by Marionette, the protocol behind geckodriver.

Playwright drives a Firefox of its own build only, and Debian has no geckodriver. What tests need is
little: open a page, run a script in it, read the errors that the browser noted.
Protocol: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SETTINGS = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "marionette.port": 0,
    # Whatever asks for the network gets an error.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 1,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 1,
    "network.proxy.allow_hijacking_localhost": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
_START_SECONDS = 120


class Firefox:
    """A page in a running Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._number, self._rest = connection, 0, b""
        self._received()
        session = self.send("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        self.version: str = session["capabilities"]["browserVersion"]
        self.send("WebDriver:SetTimeouts", {"script": 300_000, "pageLoad": 60_000})

    def send(self, command: str, parameters: dict[str, Any] | None = None) -> Any:
        """Return the result of a command."""
        self._number += 1
        message = json.dumps([0, self._number, command, parameters or {}])
        self._connection.sendall(f"{len(message.encode())}:{message}".encode())
        _, _, error, result = self._received()
        if error:
            raise AssertionError(f"{command}: {error['message']}")
        return result

    def open(self, uri: str) -> None:
        """Open a page in place of the one that is there."""
        self.send("WebDriver:SetWindowRect", {"width": 1440, "height": 900})
        self.send("WebDriver:Navigate", {"url": uri})

    def run(self, body: str, *arguments: Any) -> Any:
        """Return what an asynchronous function of the page with this body returns."""
        # Names of the page's scripts are not on its window: eval sees them.
        script = (
            "const [body, given, done] = arguments;"
            "const page = window.wrappedJSObject ?? window;"
            "const run = page.eval('(async (given) => {' + body + '})');"
            "run(given).then((found) => done(JSON.stringify({ found: found ?? null })),"
            " (error) => done(JSON.stringify({ error: String(error) })));"
        )
        wanted = {"script": script, "args": [body, list(arguments)], "sandbox": None}
        answer = json.loads(self.send("WebDriver:ExecuteAsyncScript", wanted)["value"])
        assert "error" not in answer, answer["error"]
        return answer["found"]

    def problems(self) -> list[str]:
        """Return the errors of scripts that the browser noted, and forget them."""
        self.send("Marionette:SetContext", {"value": "chrome"})
        script = """
            const found = Services.console.getMessageArray().filter((one) =>
              one instanceof Ci.nsIScriptError && !(one.flags & Ci.nsIScriptError.warningFlag) &&
              /^(file|blob|data):/.test(one.sourceName)).map(String);
            Services.console.reset();
            return found;"""
        answer: list[str] = self.send("WebDriver:ExecuteScript", {"script": script, "args": []})[
            "value"
        ]
        self.send("Marionette:SetContext", {"value": "content"})
        return answer

    def _received(self) -> Any:
        while b":" not in self._rest:
            self._rest += self._part()
        size, _, self._rest = self._rest.partition(b":")
        while len(self._rest) < int(size):
            self._rest += self._part()
        message, self._rest = self._rest[: int(size)], self._rest[int(size) :]
        return json.loads(message)

    def _part(self) -> bytes:
        part = self._connection.recv(1 << 20)
        assert part, "Firefox closed the connection"
        return part


@contextlib.contextmanager
def started(program: str, folder: Path) -> Iterator[Firefox]:
    """Start Firefox with a new profile in a folder, and end it afterwards."""
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in SETTINGS.items())
    (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [program, "--headless", "--marionette", "--remote-allow-system-access"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "--no-remote", "--profile", str(folder)], stdout=log, stderr=log
        )
    try:
        port = folder / "MarionetteActivePort"
        end = time.monotonic() + _START_SECONDS
        while not (port.exists() and port.read_text().strip()):
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, "Firefox did not start"
            time.sleep(0.05)
        with socket.create_connection(("127.0.0.1", int(port.read_text()))) as connection:
            yield Firefox(connection)
    finally:
        running.terminate()
        running.wait(30)
