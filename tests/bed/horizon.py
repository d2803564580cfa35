"""Horizon on the loopback, from its own environment, and a user in front of it with a browser."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

from tests.bed.chromium import BrowserError, Chromium
from tests.bed.keystone import User
from tests.bed.needs import CHECKOUT, PREFIX, environment_python

_SERVER = Path(__file__).with_name("horizon_server.py")
_LIMIT_SECONDS = 30.0
_RED = ".alert-danger, .alert-error, .has-error .help-block"


def missing_horizon() -> str | None:
    """Return why Horizon cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    return None if environment_python("horizon") else f"{PREFIX}Horizon's environment (make test)"


class HorizonError(Exception):
    """Horizon does not do what it should; what the page shows is in the message."""


@define(eq=False)
class Horizon:
    """One Horizon that logs its users in at a Keystone; ``home`` holds its log."""

    home: Path
    keystone_url: str
    url: str = field(default="", init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = (str(environment_python("horizon")), "-P", "-W", "ignore", str(_SERVER))
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        with (self.home / "horizon.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, text=True, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        if self._process.stdin is None or self._process.stdout is None:
            raise HorizonError("it has no pipes")
        self._process.stdin.write(json.dumps({"keystone": self.keystone_url}) + "\n")
        self._process.stdin.flush()
        ready = self._process.stdout.readline()
        if not ready:
            raise HorizonError(f"it ended with {self._process.wait(_LIMIT_SECONDS)}\n{self.log()[-4000:]}")
        self.url = json.loads(ready)["url"]

    def close(self) -> None:
        """End it; harmless when it was never started."""
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_LIMIT_SECONDS)
        finally:
            self._process.kill()
            self._process = None

    def log(self) -> str:
        """Everything that it logged."""
        return (self.home / "horizon.log").read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Return what it logged as an error, and answers that were its own failures."""
        return [line for line in self.log().splitlines() if line.startswith("ERROR") or '" 50' in line]


@define(eq=False)
class Visitor:
    """A user with a browser, who clicks and writes as people do."""

    horizon: Horizon
    browser: Chromium

    def log_in(self, user: User) -> None:
        """Log in as somebody of whom the browser knows nothing; the first page is that of networks."""
        self.browser.forget()
        self.browser.open(f"{self.horizon.url}/auth/login/")
        self.browser.write("#id_username", user.name)
        self.browser.write("#id_password", user.password)
        self.browser.click("#loginBtn")
        self.browser.await_element(".breadcrumb .active", "Networks")
        self.check()

    def visit(self, path: str, title: str = "") -> None:
        """Go to a page by its path, and wait until the way to it ends with its title."""
        self.browser.open(self.horizon.url + path)
        self.check()
        self.browser.await_element(".breadcrumb .active", title)
        self.check()

    def row(self, text: str) -> str:
        """Wait until a table has a row with a text; return what is in the row."""
        self.browser.await_element("tbody tr", text)
        self.check()
        return self.browser.text_of("tbody tr", text)

    def await_no_row(self, text: str) -> None:
        """Wait until no table has such a row, and the page has all there is."""
        self.browser.await_true(
            "document.readyState === 'complete' && document.querySelector('tbody') !== null && "
            f"![...document.querySelectorAll('tbody tr')].some(each => each.innerText.includes({json.dumps(text)}))",
            f"no row has {text!r}",
        )
        self.check()

    def press(self, selector: str, form: str) -> None:
        """Click on what opens a form, and wait for it."""
        self.browser.click(selector)
        self.browser.await_element(".modal.in", form)

    def act(self, object_id: str, action: str) -> None:
        """Choose what is to be done with what a row of a table shows; most of it is behind a small arrow."""
        row = f"tr[data-object-id='{object_id}']"
        self.browser.click(f"{row} .dropdown-toggle")
        self.browser.click(f"{row} .dropdown-menu button, {row} .dropdown-menu a", action)

    def fill(self, **fields: str) -> None:
        """Write into fields of a form."""
        for name, text in fields.items():
            self.browser.write(f".modal.in [name={name}]", text)

    def choose(self, name: str, text: str) -> None:
        """Choose from one of Horizon's lists."""
        around = f".modal.in .themable-select:has(select[name={name}])"
        self.browser.click(f"{around} .dropdown-toggle")
        self.browser.click(f"{around} .dropdown-menu a", text)

    def submit(self, text: str) -> None:
        """Click on the button of the form that says so, and wait until the form is gone."""
        self.browser.click(".modal.in .btn-primary, .modal.in .btn-danger", text)
        self.browser.await_true("!document.querySelector('.modal.in')", f"the form that says {text!r} is gone")
        self.check()

    def check(self) -> None:
        """Raise HorizonError when the page says in red that something is wrong."""
        if red := self.browser.run(_red()):
            raise HorizonError(f"the page says {red}")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Tell what was on the page when something in the body fails, and where there is a picture of it."""
        try:
            yield
        except (AssertionError, BrowserError, HorizonError) as failure:
            picture = Path(tempfile.mkdtemp(prefix="quantumd-horizon-")) / "page.png"
            self.browser.screenshot(picture)
            place, shown = self.browser.run("location.href"), self.browser.text()
            log = self.horizon.log()[-3000:]
            raise HorizonError(f"{failure}\n{place} ({picture}) shows\n{shown}\nHorizon's log\n{log}") from failure


def _red() -> str:
    return (
        f"[...document.querySelectorAll({json.dumps(_RED)})].filter(each => each.getClientRects().length)"
        ".map(each => each.innerText.trim()).filter(text => text)"
    )
