"""Which keys are concerned when devices of this host change, and when all has to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantumd.converge.plan import Key
from quantumd.edge.netlink.interfaces import Fdb, ILinks
from quantumd.edge.nft.interfaces import INft
from quantumd.l2.drivers.linuxbridge.names import is_tap, network_in
from quantumd.l2.drivers.linuxbridge.view import HostView
from quantumd.l2.drivers.linuxbridge.wishes import DEVICE

Listener: TypeAlias = Callable[["frozenset[Key] | None"], None]
"""Called with keys; with None when everything has to be read anew."""

LOOK_SECONDS = 1.0
"""How long what others change is left to add up before it is looked through."""

_LEAVING_SECONDS = 0.2


@define(eq=False)
class Watch:
    """Says what is concerned. ``is_held`` says whether an entry is one that shall be there."""

    _links: ILinks
    _nft: INft
    _view: HostView
    _clock: IReactorTime
    _is_held: Callable[[Fdb], bool]
    _listener: Listener = field(default=lambda keys: None, init=False)
    _ports: dict[str, str] = field(factory=dict, init=False)
    """Which port each device was, by its name."""
    _bridges: dict[str, str] = field(factory=dict, init=False)
    """In which bridge each device of a port was when it was heard of last, by its name; only of those in one."""
    _is_look_due: bool = field(default=False, init=False)
    _must_look: bool = field(default=False, init=False)
    _lost: set[Fdb] = field(factory=set, init=False)
    _log = Logger()

    def start(self, listener: Listener) -> None:
        """Tell the listener from now on."""
        self._listener = listener
        self._links.on_connected(lambda: listener(None))
        self._links.on_links(self._links_changed)
        self._links.on_lost_entry(self._entry_lost)
        self._nft.on_foreign_change(self._rules_changed)

    def observed(self) -> None:
        """Note which ports the devices are that are there."""
        taps = self._view.taps()
        self._ports = {tap: self._view.port_at(tap) for tap in taps}
        self._bridges = {tap: self._links.links()[tap].master for tap in taps if self._links.links()[tap].master}

    def _links_changed(self, names: frozenset[str]) -> None:
        keys: set[Key] = set()
        for name in names:
            keys.update(self._keys_of_tap(name) if is_tap(name) else self._keys_of_network(name))
        if keys:
            self._listener(frozenset(keys))

    def _keys_of_tap(self, tap: str) -> set[Key]:
        before, now = self._ports.pop(tap, None), self._view.port_at(tap)
        is_there = tap in self._links.links()
        if is_there:
            self._ports[tap] = now
        left, bridge = self._bridges.pop(tap, ""), self._links.links()[tap].master if is_there else ""
        if bridge:
            self._bridges[tap] = bridge
        if left and is_there and not bridge:
            # What is removed leaves its bridge first.
            self._clock.callLater(_LEAVING_SECONDS, self._has_left, tap, left)
            return set()
        if (before is None) == is_there:
            self._log.info("device {device} {came}", device=tap, came="is there" if is_there else "is gone", port=now)
        keys: set[Key] = {(DEVICE, tap)} | (self._keys_of_bridge(left) if left != bridge else set())
        for port_id in {before, now} - {None}:
            network_id = self._view.network_of(str(port_id))
            keys.add(("port", str(port_id)))
            if network_id is not None:
                keys.update(self._view.network_keys(network_id))
        return keys

    def _has_left(self, tap: str, bridge: str) -> None:
        self._listener(frozenset(self._keys_of_tap(tap) | self._keys_of_bridge(bridge)))

    def _keys_of_bridge(self, bridge: str) -> set[Key]:
        """Return the network that a bridge was made for: one that nobody knows any more goes with its last device."""
        link = self._links.links().get(bridge)
        network_id = network_in(link.alias) if link is not None else None
        return {("network", network_id)} if network_id is not None else set()

    def _keys_of_network(self, device: str) -> set[Key]:
        network_id = self._view.network_with(device)
        if network_id is None:
            return set()
        return self._view.network_keys(network_id) | {("port", port_id) for port_id in self._view.ports_on(network_id)}

    def _entry_lost(self, entry: Fdb) -> None:
        # Those that this process removes are heard of as well, before it knows that they are gone.
        self._lost.add(entry)
        self._look_soon()

    def _rules_changed(self) -> None:
        self._must_look = True
        self._look_soon()

    def _look_soon(self) -> None:
        if not self._is_look_due:
            self._is_look_due = True
            self._clock.callLater(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._is_look_due = False
        lost, self._lost = self._lost, set()
        must, self._must_look = self._must_look, False
        links = self._links.links()
        if self._links.is_connected and (must or any(each.device in links and self._is_held(each) for each in lost)):
            self._listener(None)
