"""One line per event: time, level, who, what, and the fields of the event.

``2026-11-21T05:00:00.123Z info  quantumd.dhcp.service  answered discover port=0c1f… ms=0.4``

The sentence is the event's format filled in; fields that the sentence does not show already follow it as
``name=value`` (those that are None are left out), so that a format may be a plain word and the fields still be seen. A
failure's traceback belongs to the same event, its lines indented. Values are kept to one line and to a bounded length:
what a caller sends cannot forge or flood a log.
"""

from __future__ import annotations

import os
import stat
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define
from twisted.logger import FilteringLogObserver, ILogObserver, LogLevel, LogLevelFilterPredicate, formatEvent
from twisted.python.components import Componentized
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.ordered import OrderedServices

VALUE_LIMIT = 400
"""Longer values of fields are cut to so many characters."""

_SENTENCE_LIMIT = 2000
_TRACEBACK_LIMIT = 20_000
_OWN_FIELDS = frozenset({"time", "message", "isError", "format", "failure", "system", "why"})
_LEVELS = ("debug", "info", "warn", "error")
_NOISY = ("twisted.web.server", "twisted.web.http", "twisted.internet.protocol")
_PLAIN = frozenset(string.ascii_letters + string.digits + string.punctuation) - frozenset("\"'\\= ")


def format_line(event: Mapping[str, Any]) -> str:
    """Return the text of one event, ending in a newline. Never raises: an event that cannot be shown says so."""
    level = getattr(event.get("log_level"), "name", "info")
    who = event.get("log_namespace") or "-"
    sentence = _one_line(formatEvent(dict(event)), _SENTENCE_LIMIT)
    fields = "".join(f" {name}={_value(value)}" for name, value in _fields(event))
    return f"{_time(event)} {level:<5} {who}  {sentence}{fields}\n{_traceback(event)}"


def _time(event: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(event.get("log_time", 0.0), tz=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _fields(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    shown = _names_in(event.get("log_format") or "")
    for name, value in event.items():
        if value is not None and not name.startswith("log_") and name not in _OWN_FIELDS and name not in shown:
            yield name, value


def _names_in(template: str) -> frozenset[str]:
    try:
        parsed = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    except ValueError:
        return frozenset()
    return frozenset(name.partition(".")[0].partition("[")[0].removesuffix("()") for name in parsed)


def _value(value: Any) -> str:
    text = _text(value)
    if text and _PLAIN.issuperset(text) and len(text) <= VALUE_LIMIT:
        return text
    quoted = text[: VALUE_LIMIT + 1].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_one_line(quoted, VALUE_LIMIT)}"'


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
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
@define
class LineObserver:
    """Writes each event as one line to a file descriptor, in one write, so that threads do not mix their lines.

    A pipe or socket whose reader is stuck does not stop the program: events are lost then, and their number is said in
    the first line that gets through again.
    """

    _descriptor: int
    _lost: int = 0

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write the event, or count it as lost."""
        line = format_line(event)
        if self._lost:
            line = f"{_time(event)} warn  quantumd.logs  {self._lost} events were lost here\n{line}"
        try:
            os.write(self._descriptor, line.encode(errors="backslashreplace"))
        except OSError:
            self._lost += 1
        else:
            self._lost = 0


def make_observer(descriptor: int, level: str) -> ILogObserver:
    """Return an observer that writes events of at least ``level`` (debug, info, warn, error) to a descriptor."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        os.set_blocking(descriptor, False)
    predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.lookupByName(level))
    # Twisted says each connection's start and end at info; requests have lines of their own.
    for noisy in _NOISY:
        predicate.setLogLevelForNamespace(noisy, LogLevel.lookupByName(max(level, "warn", key=_LEVELS.index)))
    return FilteringLogObserver(LineObserver(descriptor), [predicate])


class LoggedService(OrderedServices):
    """A root service that makes the application it is put into log by ``make_observer`` to standard output.

    ``twistd`` asks the application for its observer (Twisted's application framework, "Customizing log observers");
    its ``--logger`` goes before.
    """

    def __init__(self, level: str) -> None:
        super().__init__()
        self._level = level

    def setServiceParent(self, parent: Any) -> None:
        """Join the application and become its log."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, make_observer(1, self._level))
        super().setServiceParent(parent)
