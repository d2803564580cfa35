"""One line per event: time, level, who, what, and the fields of the event.

``2026-11-21T05:00:00.123Z info  quantumd.dhcp.service  answered discover port=0c1f… ms=0.4``

The sentence is the event's format filled in; fields that the sentence does not show already follow it as
``name=value`` (those that are None are left out), so that a format may be a plain word and the fields still be seen. A
failure's traceback belongs to the same event, its lines indented. Values are kept to one line and to a bounded length:
what a caller sends cannot forge or flood a log.
"""

from __future__ import annotations

import os
import re
import stat
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from select import PIPE_BUF
from typing import Any

from attrs import define, field
from twisted.logger import FilteringLogObserver, ILogObserver, LogLevel, LogLevelFilterPredicate, formatEvent
from twisted.python.components import Componentized
from twisted.python.failure import Failure
from twisted.python.threadable import isInIOThread
from zope.interface import implementer

from quantumd.ordered import OrderedServices

VALUE_LIMIT = 400
"""Longer values of fields are cut to so many characters."""

_SENTENCE_LIMIT = 2000
_TRACEBACK_LIMIT = 20_000
_NOTICE_LIMIT = 100
_OWN_FIELDS = frozenset({"time", "message", "isError", "format", "failure", "system", "why"})
_LEVELS = ("debug", "info", "warn", "error")
_URGENT = (LogLevel.error, LogLevel.critical)
_NOISY = ("twisted.web.server", "twisted.web.http", "twisted.internet.protocol")
# Printable ASCII without quotes, backslashes, equal signs and spaces.
_PLAIN = re.compile(rf"[!#-&(-<>-\[\]-~]{{1,{VALUE_LIMIT}}}")


def format_line(event: Mapping[str, Any]) -> str:
    """Return the text of one event, ending in a newline. Never raises: an event that cannot be shown says so."""
    level = getattr(event.get("log_level"), "name", "info")
    who = event.get("log_namespace") or "-"
    fields = "".join([f" {name}={_value(value)}" for name, value in _fields(event)])
    return f"{_time(event)} {level:<5} {who}  {_sentence(event)}{fields}\n{_traceback(event)}"


def _sentence(event: Mapping[str, Any]) -> str:
    template = event.get("log_format")
    # Every request is told by a plain word: that is not worth a formatter.
    if isinstance(template, str) and "{" not in template and "}" not in template:
        return _one_line(template, _SENTENCE_LIMIT)
    return _one_line(formatEvent(dict(event)), _SENTENCE_LIMIT)


def _time(event: Mapping[str, Any]) -> str:
    seconds, fraction = divmod(event.get("log_time", 0.0), 1.0)
    return f"{_second(seconds)}.{int(fraction * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}"


def _fields(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    shown = _names_in(event.get("log_format") or "")
    for name, value in event.items():
        if value is not None and not name.startswith("log_") and name not in _OWN_FIELDS and name not in shown:
            yield name, value


@lru_cache(maxsize=1000)
def _names_in(template: str) -> frozenset[str]:
    try:
        parsed = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    except ValueError:
        return frozenset()
    return frozenset(name.partition(".")[0].partition("[")[0].removesuffix("()") for name in parsed)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else _text(value)
    if _PLAIN.fullmatch(text):
        return text
    quoted = text[: VALUE_LIMIT + 1].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_one_line(quoted, VALUE_LIMIT)}"'


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a log line must not break what it tells of
        return f"(unprintable {type(value).__name__}: {type(error).__name__})"


def _one_line(text: str, limit: int) -> str:
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _traceback(event: Mapping[str, Any]) -> str:
    failure = event.get("log_failure")
    if not isinstance(failure, Failure):
        return ""
    lines = failure.getTraceback()[-_TRACEBACK_LIMIT:].splitlines()
    return "".join(f"    {line}\n" for line in lines)


@implementer(ILogObserver)
@define(eq=False)
class LineObserver:
    """Writes each event as one line to a file descriptor; threads do not mix their lines.

    The lines of one turn of ``reactor`` are written together when it ends, before anything is sent; an error is written
    at once. Other threads, and everybody while no reactor runs, write at once.

    A pipe or socket whose reader is stuck does not stop the program: events are lost then, and their number is said in
    the first line that gets through again.
    """

    _descriptor: int
    _reactor: Any = None
    _is_reactor_thread: Callable[[], bool] = isInIOThread
    _held: list[str] = field(factory=list, init=False)
    _lost: int = field(default=0, init=False)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write the event, now or when the turn ends, or count it as lost."""
        line = format_line(event)
        if self._reactor is None or not self._reactor.running or not self._is_reactor_thread():
            self._write([line])
            return
        self._held.append(line)
        if event.get("log_level") in _URGENT:
            self.flush()
        elif len(self._held) == 1:
            self._reactor.callLater(0, self.flush)

    def flush(self) -> None:
        """Write what is held."""
        held, self._held = self._held, []
        if held:
            self._write(held)

    def _write(self, lines: list[str]) -> None:
        for piece in _pieces(line.encode(errors="backslashreplace") for line in lines):
            notice = [_notice(piece[0], self._lost)] if self._lost else []
            try:
                os.write(self._descriptor, b"".join(notice + piece))
            except OSError:
                self._lost += len(piece)
            else:
                self._lost = 0


def _notice(line: bytes, lost: int) -> bytes:
    """Return the line that tells of lost ones; its time is that of the line after it."""
    return line.partition(b" ")[0] + b" warn  quantumd.logs  %d events were lost here\n" % lost


def _pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield lines together as long as a pipe takes them, and a notice, whole or not at all (pipe(7), PIPE_BUF)."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIPE_BUF - _NOTICE_LIMIT:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield piece


def make_observer(descriptor: int, level: str, reactor: Any = None) -> ILogObserver:
    """Return an observer that writes events of at least ``level`` (debug, info, warn, error) to a descriptor."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        os.set_blocking(descriptor, False)
    predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.lookupByName(level))
    # Twisted says each connection's start and end at info; requests have lines of their own.
    for noisy in _NOISY:
        predicate.setLogLevelForNamespace(noisy, LogLevel.lookupByName(max(level, "warn", key=_LEVELS.index)))
    lines = LineObserver(descriptor, reactor)
    if reactor is not None:
        reactor.addSystemEventTrigger("after", "shutdown", lines.flush)
    return FilteringLogObserver(lines, [predicate])


class LoggedService(OrderedServices):
    """A root service that makes the application it is put into log by ``make_observer`` to standard output.

    ``twistd`` asks the application for its observer (Twisted's application framework, "Customizing log observers");
    its ``--logger`` goes before.
    """

    def __init__(self, level: str, reactor: Any) -> None:
        super().__init__()
        self._level = level
        self._reactor = reactor

    def setServiceParent(self, parent: Any) -> None:
        """Join the application and become its log."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, make_observer(1, self._level, self._reactor))
        super().setServiceParent(parent)
