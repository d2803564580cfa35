"""The place where a host answers its ports: a network namespace with one device, and the one router that it knows.

The addresses are nobody else's: nothing of them leaves the host, and the same ones are on each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NAMESPACE_ENDING: Final = "services"
"""Ends the name of the namespace; it begins as those of routers do."""

INNER_DEVICE: Final = "services"
OUTER_DEVICE: Final = "tap-services"
"""The other end of the same wire, which is plugged."""

DEVICE_MAC: Final = "0e:51:a9:fe:a9:fe"
"""By which VMs know whom they ask: the same on every host, as VMs may move."""

ROUTER_MAC: Final = "0e:51:a9:fe:00:01"
ROUTER_IPV4: Final = "169.254.0.1"
ROUTER_IPV6: Final = "fe80::1"

LEAST_MTU_BYTES: Final = 9000
"""That of the device, unless a network has a larger one: what ports send is never too large for it."""


def mtu_for(networks_mtus: Iterable[int]) -> int:
    """Return the device's MTU in bytes."""
    return max((LEAST_MTU_BYTES, *networks_mtus))
