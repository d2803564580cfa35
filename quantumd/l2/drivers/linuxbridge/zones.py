"""Numbers under which the kernel tracks connections, one a network, so that equal addresses do not meet."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from attrs import define, field

from quantumd.edge.nft.interfaces import Place
from quantumd.l2.drivers.linuxbridge.desired import place, quoted
from quantumd.l2.drivers.linuxbridge.features.base import PACKETS
from quantumd.l2.drivers.linuxbridge.names import bridge_of

_MOST: Final = 65_000


@define
class Zones:
    """Gives each network the number that its bridge has in the kernel's map, or one that follows from its id.

    A process that starts anew gives the same ones. A number is given to another network only when it was released.
    """

    _given: dict[str, int] = field(factory=dict, init=False)
    _kept: dict[str, int] = field(factory=dict, init=False)
    """By bridge, as the kernel's map had them at the last look."""

    def restore(self, elements: Mapping[Place, str]) -> None:
        """Take note of what the map holds."""
        start = place(PACKETS, "zones")[:2]
        found = {at[2]: value for at, value in elements.items() if at[:2] == start}
        self._kept = {bridge: int(value) for bridge, value in found.items() if value.isdigit()}

    def number_of(self, network_id: str) -> int:
        """Return the number of a network, 1 to 65,000."""
        number = self._given.get(network_id)
        if number is None:
            number = self._given[network_id] = self._choose(network_id)
        return number

    def given(self, network_id: str) -> int | None:
        """Return the number of a network, None when it was given none."""
        return self._given.get(network_id)

    def release(self, network_id: str) -> None:
        """Take the number back: nothing is tracked under it any more."""
        self._given.pop(network_id, None)
        self._kept.pop(quoted(bridge_of(network_id)), None)

    def _choose(self, network_id: str) -> int:
        bridge = quoted(bridge_of(network_id))
        taken = set(self._given.values())
        kept = self._kept.get(bridge)
        if kept is not None and kept not in taken:
            return kept
        taken.update(number for name, number in self._kept.items() if name != bridge)
        number = int.from_bytes(blake2b(network_id.encode(), digest_size=4).digest(), "big") % _MOST + 1
        while number in taken and len(taken) < _MOST:
            number = number % _MOST + 1
        return number
