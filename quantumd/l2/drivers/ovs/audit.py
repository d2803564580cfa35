"""Ends tracked connections that nothing lets pass any more, and those of deleted ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from quantumd.edge.tracked.interfaces import Connection, IConnections
from quantumd.errors import EdgeError
from quantumd.l2.drivers.guarded import GuardedPorts
from quantumd.l2.drivers.ovs.judgement import Judge
from quantumd.l2.drivers.ovs.suspicion import Suspicion

RETRY_SECONDS: Final = 1.0
_SLICE: Final = 100
"""How many connections are judged in one reactor turn: some milliseconds."""


@define(eq=False)
class Audit:
    """Looks at connections of suspected networks, one look at a time; what is suspected meanwhile comes after it.

    ``trouble`` says why the last look could not be, '' when it could.
    """

    _connections: IConnections
    _view: GuardedPorts
    _clock: IReactorTime
    trouble: str = field(default="", init=False)
    _networks: set[str] = field(factory=set, init=False)
    _deleted: set[tuple[str, str]] = field(factory=set, init=False)
    _is_running: bool = field(default=False, init=False)
    _log = Logger()

    def take(self, ripe: Iterable[Suspicion]) -> None:
        """Look at what is suspected."""
        for suspicion in ripe:
            self._networks |= suspicion.networks
            self._deleted |= suspicion.deleted
        self._go_on()

    def take_all(self) -> None:
        """Look at the connections of all networks here."""
        self._networks |= self._view.networks()
        self._go_on()

    def _go_on(self) -> None:
        if (self._networks or self._deleted) and not self._is_running:
            self._is_running = True
            looking = Deferred.fromCoroutine(self._look())
            looking.addErrback(lambda failure: self._log.failure("connections are not looked at", failure))
            looking.addCallback(self._looked)

    def _looked(self, _: object) -> None:
        self._is_running = False

    async def _look(self) -> None:
        while self._networks or self._deleted:
            networks, self._networks = self._networks, set()
            deleted, self._deleted = self._deleted, set()
            try:
                await self._connections.settle()
                ended = await self._judge(networks, deleted)
                await self._connections.end(ended)
            except EdgeError as error:
                self._networks |= networks
                self._deleted |= deleted
                self._note(str(error))
                await deferLater(self._clock, RETRY_SECONDS)
                continue
            self._note("")
            if ended:
                self._log.info("ended {n} connections that nothing lets pass any more", n=len(ended))

    async def _judge(self, networks: set[str], deleted: set[tuple[str, str]]) -> tuple[Connection, ...]:
        zones = dict(self._zones(networks | {network_id for network_id, _ in deleted}))
        # An address may have a new owner already.
        owned = {network_id: self._view.elsewhere.addresses_on(network_id) for network_id, _ in deleted}
        deleted = {(network_id, address) for network_id, address in deleted if address not in owned[network_id]}
        if not zones:
            return ()
        judges = {
            network_id: Judge(self._view.policies, self._view.records_on(network_id)) for network_id in zones.values()
        }
        ended = []
        for at, connection in enumerate(await self._connections.read(frozenset(zones))):
            if at % _SLICE == _SLICE - 1:
                await deferLater(self._clock, 0)
            network_id = zones[connection.zone]
            judge = judges[network_id]
            ends = (connection.source, connection.target)
            is_of_deleted = any((network_id, end) in deleted and not judge.is_owned(end) for end in ends)
            if is_of_deleted or not judge.is_allowed(connection):
                ended.append(connection)
        return tuple(ended)

    def _zones(self, networks: Iterable[str]) -> Iterator[tuple[int, str]]:
        for network_id in networks:
            number = self._view.numbers.given(network_id)
            if number is not None:
                yield number, network_id

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            self._log.warn("connections cannot be looked at: {why}", why=trouble)
        self.trouble = trouble
