"""A page in headless Chromium, driven over the DevTools protocol through a pipe. Standard library only."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30.0
"""Seconds after which a browser that says nothing is given up."""
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe"
)  # fmt: skip
PIPES = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'
"""The browser takes commands from its file 3 and answers in its file 4."""
Message = dict[str, Any]


class Browser:
    """One tab. Everything that it says is kept in `said`, in order."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._held, self._number, self._session = b"", 0, ""
        self.said: list[Message] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """The result of a command. Raises RuntimeError for what the browser refuses."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda said: said.get("id") == self._number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def open(self, path: Path, width: int, height: int, dark: bool) -> float:
        """Seconds from asking for a page until it is loaded and painted."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url="about:blank")
        self.said.clear()
        began = time.perf_counter()
        self.call("Page.navigate", url=path.resolve().as_uri())
        if not any(said.get("method") == "Page.loadEventFired" for said in self.said):
            self._until(lambda said: said.get("method") == "Page.loadEventFired")
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        return time.perf_counter() - began

    def picture(self, path: Path, whole: bool = True) -> None:
        """The page as PNG, all of it or what is in view."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}} if whole else {}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings in the console, and exceptions, since the page was opened."""
        found = []
        for said in self.said:
            method, params = said.get("method"), said.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"].get("text")))
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(" ".join(str(one.get("value", "")) for one in params["args"]))
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(str(params["entry"]["text"]))
        return found

    def requests(self, path: Path) -> list[str]:
        """What was asked for since the page was opened, but the page and what stands in it."""
        asked = [s["params"]["request"]["url"] for s in self.said if s.get("method") == "Network.requestWillBeSent"]
        own = ("data:", "about:", path.resolve().as_uri())
        return [url for url in asked if not url.startswith(own)]

    def _until(self, wanted: Callable[[Message], bool]) -> Message:
        for said in self._messages():
            self.said.append(said)
            if wanted(said):
                return said
        raise RuntimeError("the browser says nothing")

    def _messages(self) -> Iterator[Message]:
        while True:
            one, found, rest = self._held.partition(b"\0")
            if found:
                self._held = rest
                yield json.loads(one)
            elif select([self._answers], [], [], PATIENCE)[0] and (more := os.read(self._answers, 1 << 16)):
                self._held += more
            else:
                return


def found() -> str | None:
    """The browser of this machine; None without one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser of its own, with nothing remembered. Raises SystemExit where there is none."""
    program = found()
    if program is None:
        raise SystemExit(f"No browser. One of {', '.join(NAMES)} is needed.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["/bin/sh", "-c", PIPES, "sh", program, *FLAGS, f"--user-data-dir={profile}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Browser(process.stdin.fileno(), process.stdout.fileno())
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
