"""A headless Chromium, told over a pipe in the DevTools protocol what a person would do with mouse and keyboard."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.bed.needs import missing

PROGRAM = "chromium-headless-shell"
LIMIT_SECONDS = 30.0
_LOOK_SECONDS = 0.03
_WIDTH, _HEIGHT = 1400, 1000
_SWITCHES = (
    "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
    # Names are asked of nobody: pages are those of the loopback.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--force-prefers-reduced-motion",
    f"--window-size={_WIDTH},{_HEIGHT}",
)  # fmt: skip
# The program expects what it is told on descriptor 3, and tells on descriptor 4.
_PASS_PIPES = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
_FIND = """(() => {
  const seen = each => each.getClientRects().length && getComputedStyle(each).visibility === 'visible';
  const said = each => each.tagName === 'INPUT' ? each.value : each.innerText;
  const found = [...document.querySelectorAll(%s)].filter(each => seen(each) && said(each).includes(%s));
  return found.length ? found[found.length - 1] : null;
})()"""
_WHERE = """(() => {
  const one = %s;
  if (!one || one.disabled || document.readyState !== 'complete') return null;
  one.scrollIntoView({block: 'center', behavior: 'instant'});
  const at = one.getBoundingClientRect(), x = at.x + at.width / 2, y = at.y + at.height / 2;
  const hit = document.elementFromPoint(x, y);
  return hit && (one.contains(hit) || hit.contains(one)) ? [x, y] : null;
})()"""


def missing_chromium() -> str | None:
    """Return why there is no browser here, or None: for the ``skip`` attribute of a trial test case."""
    return missing(PROGRAM, root=False)


class BrowserError(Exception):
    """The browser, or the page in it, did not do what was wanted."""


@define(eq=False)
class Chromium:
    """One browser with one tab; ``home`` holds its profile. A selector is CSS, ``text`` what stands in the element."""

    home: Path
    failures: list[str] = field(factory=list, init=False)
    """What scripts of pages threw, and answers of 400 and more that the pages got, in order."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _to: int = field(default=-1, init=False)
    _from: int = field(default=-1, init=False)
    _session: str = field(default="", init=False)
    _number: int = field(default=0, init=False)
    _read: bytes = field(default=b"", init=False)

    def start(self) -> None:
        """Start it, with an empty page."""
        told, self._to = os.pipe()
        self._from, tells = os.pipe()
        command = [str(shutil.which(PROGRAM)), *_SWITCHES, f"--user-data-dir={self.home}", "about:blank"]
        try:
            self._process = subprocess.Popen(
                ["bash", "-c", _PASS_PIPES, "bash", str(told), str(tells), *command], pass_fds=(told, tells),
                env={**os.environ, "HOME": str(self.home)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(told)
            os.close(tells)
        target = self._tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self._tell(f"{domain}.enable")

    def close(self) -> None:
        """End it; harmless when it was never started."""
        if self._process is None:
            return
        # What was started is a script of the distribution's, and the browser is several processes.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(LIMIT_SECONDS)
        self._process = None
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        self._tell("Page.navigate", url=url)
        self.await_true("document.readyState === 'complete' && location.href !== 'about:blank'", f"{url} is there")

    def forget(self) -> None:
        """Forget who was logged in anywhere."""
        self._tell("Network.clearBrowserCookies")

    def run(self, script: str) -> Any:
        """Return what an expression of JavaScript comes to, as JSON has it."""
        said = self._tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise BrowserError(f"{script}: {said['exceptionDetails']}")
        return said["result"].get("value")

    def await_true(self, script: str, what: str = "", limit_seconds: float = LIMIT_SECONDS) -> Any:
        """Wait until an expression is true and return it; a page that goes meanwhile is waited for too."""
        deadline = time.monotonic() + limit_seconds
        while True:
            try:
                if found := self.run(script):
                    return found
            except BrowserError:
                # The page is just being replaced by another one.
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise BrowserError(f"it is not so that {what or script}")
            time.sleep(_LOOK_SECONDS)

    def await_element(self, selector: str, text: str = "") -> None:
        """Wait until there is such an element to be seen."""
        self.await_true(f"{_find(selector, text)} !== null", f"there is {selector} {text!r}")

    def click(self, selector: str, text: str = "") -> None:
        """Click into the middle of the last such element, as soon as nothing covers it and it stands still."""
        before: list[float] = []

        def stands() -> bool:
            nonlocal before
            place = self.run(_WHERE % _find(selector, text)) or []
            is_still, before = bool(place) and place == before, place
            return is_still

        deadline = time.monotonic() + LIMIT_SECONDS
        while not stands():
            if time.monotonic() > deadline:
                raise BrowserError(f"{selector} {text!r} cannot be clicked")
            time.sleep(_LOOK_SECONDS)
        at = {"x": before[0], "y": before[1]}
        self._tell("Input.dispatchMouseEvent", type="mouseMoved", **at)
        for kind in ("mousePressed", "mouseReleased"):
            self._tell("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def write(self, selector: str, text: str) -> None:
        """Click into a field and write a text in place of what stands there."""
        self.click(selector)
        self.run(f"{_find(selector)}.select()")
        self._tell("Input.insertText", text=text)

    def text(self) -> str:
        """Return what a reader sees of the page."""
        return str(self.run("document.body.innerText"))

    def text_of(self, selector: str, text: str = "") -> str:
        """Return what a reader sees in the last such element."""
        return str(self.run(f"({_find(selector, text)} || {{innerText: ''}}).innerText"))

    def screenshot(self, file: Path) -> None:
        """Write a picture of the page, as PNG."""
        file.write_bytes(b64decode(self._tell("Page.captureScreenshot", format="png")["data"]))

    def _tell(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT_SECONDS
        while (answer := self._next(deadline)).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select((self._from,), (), (), max(0.0, deadline - time.monotonic()))
            piece = os.read(self._from, 1 << 20) if ready else b""
            if not piece:
                raise BrowserError("it says nothing any more")
            self._read += piece
        raw, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        told = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.failures.append(str(details.get("exception", {}).get("description") or details["text"]))
        if event.get("method") == "Network.responseReceived" and told["response"]["status"] >= 400:
            self.failures.append(f"{told['response']['status']} {told['response']['url']}")


def _find(selector: str, text: str = "") -> str:
    return _FIND % (json.dumps(selector), json.dumps(text))
