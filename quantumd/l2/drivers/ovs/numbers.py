"""Host-local numbers of networks: given once, remembered by the switch, reused late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field

from quantumd.errors import EdgeError

FIRST, LAST = 1, 65_000
"""Numbers are conntrack zones too, which have 16 bits; the rest is kept for the bridge's own use."""

REUSE_SECONDS = 60.0

_PREFIX = "quantumd-network-"


class NoNetworkNumber(EdgeError):
    """This host carries as many networks as it can number."""


@define
class NetworkNumbers:
    """Gives numbers in ascending order, wrapping around, so that a number is reused as late as can be."""

    _given: dict[str, int] = field(factory=dict, init=False)
    _saved: dict[str, int] = field(factory=dict, init=False)
    _free_at: dict[int, float] = field(factory=dict, init=False)
    _taken: set[int] = field(factory=set, init=False)
    _next: int = field(default=FIRST, init=False)

    def restore(self, external_ids: Mapping[str, str]) -> None:
        """Take what the bridge remembers; a number that two networks claim stays with the first by name."""
        self._saved = _parse(external_ids)
        for network_id, number in self._saved.items():
            if network_id not in self._given and number not in self._taken:
                self._give(network_id, number)

    def number_of(self, network_id: str, now: float) -> int:
        """Return the network's number, giving it one at need. ``now`` in seconds. NoNetworkNumber."""
        if network_id in self._given:
            return self._given[network_id]
        for offset in range(LAST - FIRST + 1):
            number = FIRST + (self._next - FIRST + offset) % (LAST - FIRST + 1)
            if number not in self._taken and self._free_at.get(number, now) <= now:
                self._free_at.pop(number, None)
                return self._give(network_id, number)
        raise NoNetworkNumber(f"all {LAST} network numbers of this host are in use")

    def given(self, network_id: str) -> int | None:
        """Return the network's number, None when it has none."""
        return self._given.get(network_id)

    def unsaved(self, network_id: str) -> dict[str, str]:
        """Return what the bridge must remember of a network's number and does not yet."""
        number = self._given.get(network_id)
        if number is None or self._saved.get(network_id) == number:
            return {}
        return {_PREFIX + network_id: str(number)}

    def leftover(self, network_id: str) -> frozenset[str]:
        """Return what the bridge remembers of a network."""
        return frozenset({_PREFIX + network_id} if network_id in self._saved else ())

    def behind(self, keys: Iterable[str]) -> frozenset[int]:
        """Return the numbers that the bridge remembers by these keys."""
        found = (self._saved.get(key.removeprefix(_PREFIX)) for key in keys)
        return frozenset(number for number in found if number is not None)

    def saved(self, put: Mapping[str, str], removed: frozenset[str], now: float) -> None:
        """Note that the bridge now remembers ``put`` and has forgotten ``removed``."""
        self._saved.update(_parse(put))
        for key in removed:
            network_id = key.removeprefix(_PREFIX)
            self._saved.pop(network_id, None)
            number = self._given.pop(network_id, None)
            if number is not None:
                self._taken.discard(number)
                self._free_at[number] = now + REUSE_SECONDS

    def in_use(self) -> frozenset[int]:
        """Return the numbers that networks have."""
        return frozenset(self._taken)

    def known(self) -> frozenset[str]:
        """Return the networks of which the bridge remembers a number."""
        return frozenset(self._saved)

    def _give(self, network_id: str, number: int) -> int:
        self._given[network_id] = number
        self._taken.add(number)
        self._next = number + 1 if number < LAST else FIRST
        return number


def _parse(external_ids: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for key in sorted(external_ids):
        text = external_ids[key]
        if key.startswith(_PREFIX) and text.isascii() and text.isdigit() and FIRST <= int(text) <= LAST:
            found[key.removeprefix(_PREFIX)] = int(text)
    return found
