"""What the switch's database can refuse."""

from __future__ import annotations

from quantumd.errors import EdgeError


class OvsdbRefused(EdgeError):
    """The database did not commit a transaction, and asking again would not change that.

    ``reason`` is the database's own words, or what is missing.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The switch's database refused the transaction: {reason}")
        self.reason = reason


class OvsdbGarbled(EdgeError):
    """What came from the database is not its protocol; the connection is given up and made anew."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The switch's database sent something that is not its protocol: {reason}")
        self.reason = reason
