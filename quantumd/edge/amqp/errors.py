"""What brokers refuse."""

from __future__ import annotations

from quantumd.errors import EdgeError, EdgeUnavailable


class BrokerRefused(EdgeError):
    """The broker said no. ``code`` is AMQP's reply code, 0 when there is none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"The broker refused: {code} {reason}" if code else f"The broker refused: {reason}")
        self.code = code
        self.reason = reason


class NoRoute(BrokerRefused):
    """No queue took a message that must be taken."""

    def __init__(self, exchange: str, routing_key: str) -> None:
        super().__init__(312, f"no queue takes {routing_key} of exchange {exchange or '(default)'}")


class BrokerBusy(EdgeError):
    """Too many messages are unconfirmed; this one was not sent."""

    def __init__(self, unconfirmed: int) -> None:
        super().__init__(f"The broker has not confirmed {unconfirmed} messages; no more are sent before it does.")


class ConnectionLost(EdgeUnavailable):
    """The connection went before the answer came: what was asked may have happened."""


class Unencodable(EdgeError):
    """AMQP has no form for a value; nothing was sent."""


class BadFrame(EdgeError):
    """The broker sent what AMQP does not allow, or more than is read."""
