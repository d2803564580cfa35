"""Records of how fast packets may come and go, and how they are marked."""

from __future__ import annotations

from typing import ClassVar, Final

from attrs import frozen

KBPS: Final = "kbps"
KPPS: Final = "kpps"
UNITS: Final = (KBPS, KPPS)
"""Thousands of bits, or of packets, per second."""


@frozen
class QosLimit:
    """The most that a port may send (egress) or get (ingress). ``burst`` has the unit without its "per second".

    A burst of 0 leaves it to the host how much may come at once.
    """

    direction: str
    unit: str
    rate: int
    burst: int = 0


@frozen
class QosPolicyRecord:
    """What the l2 role of a host must know of a QoS policy that ports bound to it have, or their networks.

    At most one limit of a direction and unit. ``dscp_mark`` is the code point of what ports send; None leaves it.
    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.qos_policy"
    id: str
    version: int
    limits: tuple[QosLimit, ...] = ()
    dscp_mark: int | None = None

    def is_limited(self, direction: str) -> bool:
        """Whether there is a limit in a direction; a rate of 0 is none."""
        return any(limit.direction == direction and limit.rate for limit in self.limits)
