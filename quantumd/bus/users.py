"""Which user of the broker may speak for which host."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from quantumd.bus.errors import Untrusted
from quantumd.model.messages import Message

PLACE: Final = "{host}"
"""What stands for a host's name in the setting."""


@frozen
class HostUsers:
    """``pattern`` is the name of a host's user, with ``{host}`` in the place of the host's name.

    ``servers`` are the users of the server's own processes, which may speak for every host. The broker checks that a
    message names the user who sent it (RabbitMQ: Validated User-ID), so what is checked here is the user's right.
    """

    pattern: str
    servers: frozenset[str]

    def user_of(self, host: str) -> str:
        """Return the user of a host."""
        return self.pattern.replace(PLACE, host)

    def check(self, user: str, message: Message) -> None:
        """Raise Untrusted unless the message comes from the host that it speaks of, or from the server."""
        if user in self.servers:
            return
        host = getattr(message, "host", None)
        if not user or host is None or user != self.user_of(host):
            raise Untrusted(f"user {user or '(none)'} speaks for host {host}, and may not")
