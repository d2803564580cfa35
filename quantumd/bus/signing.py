"""Signatures of messages: who does not have the key cannot speak for a host, even with a login at the broker.

A signature is HMAC-SHA-256 (RFC 2104) over everything that decides what a message does: where it goes, where its answer
goes, which question it answers, when it was made, and what it says.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from quantumd.bus.errors import Untrusted
from quantumd.edge.amqp.interfaces import Message

TIME_HEADER: Final = "quantumd-time"
SIGNATURE_HEADER: Final = "quantumd-signature"

OLDEST_SECONDS: Final = 300.0
"""How far the clocks of two hosts, and a message's waiting, may be apart: what is older may be a repetition."""

SHORTEST_KEY_BYTES: Final = 32


@frozen
class Signer:
    """Signs and checks with a key that all processes have. ``now``: seconds since 1970 by the wall clock."""

    _key: bytes = field(repr=False)
    _now: Callable[[], float]

    def sign(self, address: str, message: Message) -> Message:
        """Return the message with a signature that holds for this address."""
        at = f"{self._now():.3f}"
        headers = {**message.headers, TIME_HEADER: at}
        return evolve(message, headers={**headers, SIGNATURE_HEADER: self._signature(address, message, headers)})

    def check(self, address: str, message: Message) -> None:
        """Raise Untrusted unless the message was signed with the key, for this address, not long ago."""
        headers = dict(message.headers)
        signature = headers.pop(SIGNATURE_HEADER, None)
        if not isinstance(signature, str):
            raise Untrusted(f"a message to {address} is not signed")
        if not hmac.compare_digest(signature.encode(), self._signature(address, message, headers).encode()):
            raise Untrusted(f"a message to {address} is signed with another key, or was changed")
        age = self._now() - float(headers[TIME_HEADER])
        if not -OLDEST_SECONDS < age < OLDEST_SECONDS:
            raise Untrusted(f"a message to {address} is {age:.0f} s old by this host's clock")

    def _signature(self, address: str, message: Message, headers: Mapping[str, Any]) -> str:
        parts = [address, message.reply_to, message.correlation_id]
        parts += [text for name in sorted(headers) for text in (name, str(headers[name]))]
        signed = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in (*(each.encode() for each in parts), message.body):
            # With its length, so that no two messages run together into the same bytes.
            signed.update(len(part).to_bytes(8, "big") + part)
        return signed.hexdigest()
