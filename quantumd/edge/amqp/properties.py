"""Messages as AMQP's properties, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantumd.edge.amqp.interfaces import Message

_PERSISTENT, _TRANSIENT = 2, 1


def properties_of(message: Message) -> dict[str, Any]:
    """Return the properties by their names in the table; those that are empty are left out."""
    named = {
        "content type": message.content_type,
        "content encoding": message.content_encoding,
        "headers": message.headers,
        "message id": message.message_id,
        "correlation id": message.correlation_id,
        "reply to": message.reply_to,
        "expiration": _milliseconds(message.expires_seconds),
        "user id": message.user_id,
    }
    given: dict[str, Any] = {name: value for name, value in named.items() if value}
    given["delivery mode"] = _PERSISTENT if message.is_persistent else _TRANSIENT
    return given


def message_of(body: bytes, properties: Mapping[str, Any]) -> Message:
    """Return the message that has these properties."""
    return Message(
        body,
        content_type=properties.get("content type", ""),
        content_encoding=properties.get("content encoding", ""),
        headers=properties.get("headers", {}),
        message_id=properties.get("message id", ""),
        correlation_id=properties.get("correlation id", ""),
        reply_to=properties.get("reply to", ""),
        is_persistent=properties.get("delivery mode") == _PERSISTENT,
        expires_seconds=_seconds(properties.get("expiration", "")),
        user_id=properties.get("user id", ""),
    )


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else str(max(1, round(seconds * 1000)))


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdecimal() else None
