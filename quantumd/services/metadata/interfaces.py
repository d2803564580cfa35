"""What a connection of a port, and whoever answers it, promise each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from quantumd.interfaces import Asker
    from quantumd.services.metadata.request import Request


class IAnswer(Interface):
    """The way back to who asked, for one request. Nothing that is said after its end, or when he has gone, counts."""

    wire = Attribute("His transport, whose reading and writing can be held.")

    def begin(status: int, fields: Iterable[tuple[bytes, bytes]], length: int | None) -> None:
        """Say the head; ``length`` None is a body whose end is not known yet."""

    def write(data: bytes) -> None:
        """Say more of the body."""

    def finish() -> None:
        """Say that this was all."""

    def refuse(status: int, why: str) -> None:
        """Answer with a sentence; once the head was said, the connection breaks off instead."""


class IAnswering(Interface):
    """One request that is being answered."""

    def take(data: bytes) -> None:
        """More of the request's body."""

    def end() -> None:
        """All of it was there."""

    def abandon() -> None:
        """Who asked has gone."""


class IResponder(Interface):
    """Answers requests."""

    def answer(request: Request, asker: Asker, answer: Any) -> Any:
        """Begin to answer; return an IAnswering. ``answer`` is an IAnswer."""

    def close() -> Any:
        """Let go of what is kept for requests to come; fires when that is done."""
