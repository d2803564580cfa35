"""Clients of ``/v2.0/events``: curl, and one that comes again and resumes as browsers do."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

_LIMIT_SECONDS = 20.0


class NoEvent(Exception):
    """What was waited for did not come; what came is the message."""


@frozen
class Heard:
    """One event."""

    id: int
    name: str
    data: Any


@define
class Parser:
    """Makes events of lines (HTML, 9.2.6)."""

    last_id: str = ""
    _fields: dict[str, str] = field(factory=dict)

    def line(self, text: str) -> Heard | None:
        """Take one line without its end; return the event that it ends."""
        if text:
            name, _, value = text.partition(": ")
            self._fields[name] = value
            return None
        fields, self._fields = self._fields, {}
        self.last_id = fields.get("id", self.last_id)
        if "data" not in fields:
            return None
        return Heard(int(self.last_id), fields["event"], json.loads(fields["data"]))


@define(eq=False)
class EventClient:
    """Hears events in a thread of its own until it is closed; after each end of its stream it comes again."""

    host: str
    port: int
    headers: Mapping[str, str] = field(factory=dict)
    query: str = ""
    heard: list[Heard] = field(factory=list)
    opened: list[int] = field(factory=list)
    """The status codes of its answers."""
    parser: Parser = field(factory=Parser)
    _is_closed: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns when the first stream is open."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.wait(lambda: bool(self.parser.last_id))

    def close(self) -> None:
        """Come again no more."""
        self._is_closed.set()

    def wait(self, is_there: Any, limit_seconds: float = _LIMIT_SECONDS) -> None:
        """Wait until something is so; NoEvent when it is not in time."""
        deadline = time.monotonic() + limit_seconds
        while not is_there():
            if time.monotonic() > deadline:
                raise NoEvent(f"statuses {self.opened}, {len(self.heard)} events: {self.heard[-3:]}")
            time.sleep(0.005)

    def _run(self) -> None:
        while not self._is_closed.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._listen()
            time.sleep(0.05)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_LIMIT_SECONDS)
        resume = {"Last-Event-ID": self.parser.last_id} if self.parser.last_id else {}
        try:
            connection.request("GET", f"/v2.0/events{self.query}", headers={**self.headers, **resume})
            response = connection.getresponse()
            self.opened.append(response.status)
            # What came of an event that was cut is forgotten.
            self.parser = Parser(self.parser.last_id)
            while response.status == 200 and (line := response.readline()) and not self._is_closed.is_set():
                event = self.parser.line(line.decode().rstrip("\n"))
                if event is not None:
                    self.heard.append(event)
        finally:
            connection.close()


@define(eq=False)
class Curl:
    """``curl -N`` on a stream."""

    url: str
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[str] | None = None
    _parser: Parser = field(factory=Parser)

    def start(self) -> None:
        """Open the stream; returns when it is open."""
        command = ("curl", "--silent", "--no-buffer", "--max-time", "60", *self.options, self.url)
        self._process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        while not self._parser.last_id:
            self._parser.line(self._line())

    def next(self) -> Heard:
        """Return the next event; NoEvent when the stream ends before."""
        while True:
            event = self._parser.line(self._line())
            if event is not None:
                return event

    def _line(self) -> str:
        if self._process is None or self._process.stdout is None:
            raise NoEvent("it was not started")
        line = self._process.stdout.readline()
        if not line:
            raise NoEvent(f"the stream ended; curl with {self._process.wait(_LIMIT_SECONDS)}")
        return line.rstrip("\n")

    def end(self) -> int:
        """Wait until the stream ends and return how curl did."""
        if self._process is None:
            raise NoEvent("it was not started")
        self._process.communicate(timeout=_LIMIT_SECONDS)
        return self._process.returncode

    def close(self) -> None:
        """End curl."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
