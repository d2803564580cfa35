"""The way back to who asked: answers as they travel."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from quantumd.services.metadata.interfaces import IAnswer
from quantumd.services.metadata.request import Request

if TYPE_CHECKING:
    from quantumd.services.metadata.connection import MetadataConnection

RETRY_AFTER_SECONDS: Final = 1


@implementer(IAnswer)
class Answer:
    """See IAnswer."""

    def __init__(self, connection: MetadataConnection, request: Request) -> None:
        self.answering: Any = None
        self._connection: MetadataConnection | None = connection
        self._request = request
        self._status = 0
        self._is_chunked = False
        self._keeps = request.keeps

    @property
    def wire(self) -> Any:
        """See IAnswer."""
        return self._connection.wire if self._connection is not None else None

    @property
    def is_open(self) -> bool:
        """Whether who asked still waits."""
        return self._connection is not None

    def begin(self, status: int, fields: Iterable[tuple[bytes, bytes]], length: int | None) -> None:
        """See IAnswer."""
        if self._connection is None:
            return
        self._status = status
        said = list(fields)
        has_body = self._request.method != b"HEAD" and status not in (204, 304)
        if length is not None:
            said.append((b"content-length", b"%d" % length))
        elif has_body and self._request.is_newest:
            self._is_chunked = True
            said.append((b"transfer-encoding", b"chunked"))
        elif has_body:
            self._keeps = False
        if not self._keeps:
            said.append((b"connection", b"close"))
        self._connection.wire.write(_head(status, said))

    def write(self, data: bytes) -> None:
        """See IAnswer."""
        if self._connection is not None and data and self._request.method != b"HEAD":
            self._connection.wire.write(b"%x\r\n%s\r\n" % (len(data), data) if self._is_chunked else data)

    def finish(self) -> None:
        """See IAnswer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._is_chunked:
                connection.wire.write(b"0\r\n\r\n")
            connection.answered(self, self._status, self._keeps)

    def refuse(self, status: int, why: str) -> None:
        """See IAnswer."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._status:
            connection.cut()
            return
        connection.wire.write(refusal(status, why))
        connection.answered(self, status, keeps=False)

    def stall(self) -> None:
        """Note that who asked takes nothing at the moment."""
        if self._connection is not None:
            self._connection.stall()

    def flow(self) -> None:
        """Note that he takes something again."""
        if self._connection is not None:
            self._connection.flow()

    def lost(self) -> None:
        """Note that who asked has gone."""
        self._connection = None
        if self.answering is not None:
            self.answering.abandon()


def refusal(status: int, why: str) -> bytes:
    """Return an answer that is one sentence, after which the connection ends."""
    body = f"{why}\n".encode()
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if status in (429, 503):
        fields.append((b"retry-after", b"%d" % RETRY_AFTER_SECONDS))
    return _head(status, [*fields, (b"connection", b"close")]) + body


def _head(status: int, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = (f"HTTP/1.1 {status} {reason}".encode(), *(b"%s: %s" % field for field in fields), b"", b"")
    return b"\r\n".join(lines)
