"""Has prefixes delegated to the routers of this host: a client for each subnet that waits for one, or has one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.edge.dhcpv6.interfaces import IClients
from quantumd.errors import EdgeError
from quantumd.l3.delegation.book import LeaseBook, Place
from quantumd.l3.delegation.client import PrefixClient
from quantumd.l3.delegation.leases import Lease
from quantumd.l3.delegation.messages import identity_of
from quantumd.l3.names import GATEWAY, PREFIX, inner_of, namespace_of, router_in
from quantumd.model.delegation import DelegatedPrefix
from quantumd.model.router_records import RouterRecord

FAREWELL_SECONDS: Final = 1.0
"""How long a gateway that goes waits for servers to hear that prefixes are given back."""


@define(eq=False)
class Delegator:
    """Asks for the prefixes that routers' records want, and gives back what they want no more.

    ``on_change`` is called with a router whose prefixes are others. A router that is disabled, or moves to another
    host, keeps what it has: its leases go on without it.
    """

    _clients_of: IClients
    _clock: IReactorTime
    _chance: Callable[[], float]
    _book: LeaseBook
    _prefix: str = PREFIX
    _clients: defaultdict[str, dict[Place, PrefixClient]] = field(factory=lambda: defaultdict(dict), init=False)
    """By router."""
    _leaving: dict[Place, PrefixClient] = field(factory=dict, init=False)
    """Those that give their prefix back."""
    _known: dict[Place, str] = field(factory=dict, init=False)
    """The prefixes of which the listeners know."""
    _listeners: list[Callable[[str], None]] = field(factory=list, init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._clients_of.on_answer(self._answered)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call ``listener(router_id)`` when prefixes of a router come, go or change."""
        self._listeners.append(listener)

    def put(self, router: RouterRecord) -> None:
        """Have for a router, which is there, what its record asks for."""
        wanted = wanted_by(router)
        for place in self._held(router.id) - wanted.keys():
            self._give_back(place)
        if not router.admin_state_up:
            self._stop_clients(router.id)
            return
        new = [place for place in wanted if place not in self._clients[router.id]]
        if not new:
            self._close_if_idle(router.id)
            return
        self._clients[router.id].update((place, self._make(place)) for place in new)
        opening = self._clients_of.open(namespace_of(router.id, self._prefix))
        opening.addCallbacks(lambda _: self._begin(wanted), self._cannot_open, errbackArgs=(router.id,))

    def cease(
        self, router_id: str, devices: frozenset[str], record: RouterRecord | None, is_deleted: bool
    ) -> Deferred[None] | None:
        """Prepare for the end of these devices of a router; what is returned fires when they may go, None is at once.

        What goes by them, and the ``record`` does not want any more, is given back; so is all of a router that
        ``is_deleted``.
        """
        going = {place for place in self._held(router_id) if inner_of(GATEWAY, place[1]) in devices}
        if not going:
            return None
        stays = record is None and not is_deleted
        unwanted = set() if stays else going - (wanted_by(record).keys() if record is not None else set())
        ended = [done for place in unwanted if (done := self._give_back(place)) is not None]
        self._stop_clients(router_id)
        if not ended:
            return None
        return self._at_most(DeferredList(ended), FAREWELL_SECONDS)

    def suspend(self, router_id: str) -> None:
        """Ask for nothing of a router whose namespace goes; its leases are kept."""
        self._stop_clients(router_id)
        for place in [each for each in self._leaving if each[0] == router_id]:
            self._leaving.pop(place).stop()
        self._clients_of.close(namespace_of(router_id, self._prefix))

    def forget(self, router_id: str) -> None:
        """Ask for nothing of a router any more, and keep none of its leases."""
        self.suspend(router_id)
        for place in self._book.of_router(router_id):
            self._book.put(place, None)

    def stop(self) -> None:
        """Say nothing any more; leases are kept, and the next process goes on with them."""
        for router_id in tuple(self._clients):
            self._stop_clients(router_id)
        for client in self._leaving.values():
            client.stop()
        self._leaving.clear()
        self._clients_of.stop()

    def delegated(self, router_id: str) -> tuple[DelegatedPrefix, ...]:
        """Return what is known of the prefixes of a router: '' of a subnet that had one and has none any more."""
        return tuple(
            DelegatedPrefix(place[2], client.lease.prefix if client.lease is not None else "")
            for place, client in sorted(self._clients_at(router_id), key=_place_of)
            if client.lease is not None or client.has_lost
        )

    def remaining(self, router_id: str, prefix: str) -> tuple[int, int] | None:
        """Return for how many seconds a prefix is preferred and valid; None of one that the router was not given."""
        now = self._clock.seconds()
        for _, client in self._clients_at(router_id):
            if client.lease is not None and client.lease.prefix == prefix:
                return client.lease.remaining(now)
        return None

    def count(self, *, are_held: bool) -> int:
        """Return for how many subnets there is a prefix, or for how many there is none."""
        every = (client for clients in self._clients.values() for client in clients.values())
        return sum((client.lease is not None) == are_held for client in every)

    # --- clients

    def _clients_at(self, router_id: str) -> tuple[tuple[Place, PrefixClient], ...]:
        return tuple(self._clients[router_id].items()) if router_id in self._clients else ()

    def _held(self, router_id: str) -> set[Place]:
        """Return where something of a router is asked for, or was given."""
        return {*(place for place, _ in self._clients_at(router_id)), *self._book.of_router(router_id)}

    def _make(self, place: Place) -> PrefixClient:
        namespace, device = self._where(place)
        return PrefixClient(
            identity_of(place[2]),
            self._clock,
            self._chance,
            lambda payload: self._clients_of.send(namespace, device, payload),
            lambda: self._changed(place),
        )

    def _where(self, place: Place) -> tuple[str, str]:
        return namespace_of(place[0], self._prefix), inner_of(GATEWAY, place[1])

    def _begin(self, wanted: dict[Place, str]) -> None:
        for place, prefix in wanted.items():
            client = self._clients[place[0]].get(place)
            if client is not None and not client.is_running:
                lease = self._book.get(place)
                client.start(lease, prefix)
                self._known[place] = lease.prefix if lease is not None else ""

    def _cannot_open(self, failure: Failure, router_id: str) -> None:
        failure.trap(EdgeError)
        # What is not there is tried again when the router is put again.
        self._stop_clients(router_id)
        self._log.warn("no prefixes for router {router}: {why}", router=router_id, why=failure.getErrorMessage())

    def _stop_clients(self, router_id: str) -> None:
        for client in self._clients.pop(router_id, {}).values():
            client.stop()

    def _give_back(self, place: Place) -> Deferred[None] | None:
        lease = self._book.get(place)
        client = self._clients[place[0]].pop(place, None)
        self._book.put(place, None)
        self._known.pop(place, None)
        if lease is None:
            if client is not None:
                client.stop()
            return None
        if client is None:
            client = self._make(place)
            client.lease = lease
        self._leaving[place] = client
        self._log.info("the prefix {prefix} of subnet {subnet} is given back", prefix=lease.delegated, subnet=place[2])
        opening = self._clients_of.open(self._where(place)[0])
        leaving = client
        opening.addErrback(lambda failure: failure.trap(EdgeError) and None)
        released: Deferred[None] = opening.addCallback(lambda _: leaving.release())
        return released.addCallback(lambda _: self._has_left(place, leaving))

    def _at_most(self, awaited: Deferred[Any], seconds: float) -> Deferred[None]:
        """Return what fires with another one, or after a while; the other one goes on."""
        over: Deferred[None] = Deferred()

        def end(_: object = None) -> None:
            if not over.called:
                over.callback(None)

        timer = self._clock.callLater(seconds, end)
        over.addCallback(lambda _: timer.cancel() if timer.active() else None)
        awaited.addCallback(end)
        return over

    def _has_left(self, place: Place, client: PrefixClient) -> None:
        if self._leaving.get(place) is client:
            del self._leaving[place]
            self._close_if_idle(place[0])

    def _close_if_idle(self, router_id: str) -> None:
        if not self._clients.get(router_id) and all(place[0] != router_id for place in self._leaving):
            self._clients.pop(router_id, None)
            self._clients_of.close(namespace_of(router_id, self._prefix))

    # --- what comes

    def _answered(self, namespace: str, device: str, payload: bytes) -> None:
        router_id = router_in(namespace, self._prefix)
        leaving = ((place, client) for place, client in self._leaving.items() if place[0] == router_id)
        for place, client in (*self._clients_at(router_id), *leaving):
            if inner_of(GATEWAY, place[1]) == device:
                client.receive(payload)

    def _changed(self, place: Place) -> None:
        client = self._clients[place[0]].get(place)
        if client is None:
            return
        lease = client.lease
        self._book.put(place, lease)
        prefix = lease.prefix if lease is not None else ""
        if self._known.get(place, "") == prefix:
            return
        self._known[place] = prefix
        self._say(place, lease)
        for listener in tuple(self._listeners):
            listener(place[0])

    def _say(self, place: Place, lease: Lease | None) -> None:
        said = {"router": place[0], "subnet": place[2]}
        if lease is None:
            self._log.warn("router {router} has no prefix for subnet {subnet} any more", **said)
        else:
            _, valid = lease.remaining(self._clock.seconds())
            text = "router {router} has the prefix {prefix} for subnet {subnet}, for {valid} s"
            self._log.info(text, prefix=lease.prefix, valid=valid, **said)


def wanted_by(router: RouterRecord) -> dict[Place, str]:
    """Return what a router wants prefixes for, and which it has, '' for none."""
    if router.gateway is None:
        return {}
    gateway = router.gateway
    return {(router.id, gateway.port_id, each.subnet_id): each.prefix for each in router.delegations}


def _place_of(item: tuple[Place, PrefixClient]) -> Place:
    return item[0]
