"""Subnets of earlier versions that are served now: the DHCP ports of their networks have no address there yet.

Looked for once after each start, so that an upgrade needs nobody's hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, bindparam, exists, select
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.network_rows import record_changed
from quantumd.api.resources.statuses import IS_SERVED
from quantumd.errors import ApiError
from quantumd.interfaces import IStore
from quantumd.model.nouns import DHCP_OWNER
from quantumd.store.tables import ip_allocations, ports, subnets
from quantumd.store.transaction import Transaction

BATCH = 100
REQUEST_ID = "subnets-of-before"
"""What the journal says of who asked for it."""

_HAS_ADDRESS = exists().where(
    ip_allocations.c.subnet_id == subnets.c.id,
    ports.c.id == ip_allocations.c.port_id,
    ports.c.device_owner == DHCP_OWNER,
)
_LACKING = (
    select(subnets.c.network_id)
    .where(subnets.c.enable_dhcp.is_(True), IS_SERVED, ~_HAS_ADDRESS, subnets.c.network_id > bindparam("after"))
    .distinct()
    .order_by(subnets.c.network_id)
    .limit(BATCH)
)


class FormerSubnets(Service):
    """Gives DHCP ports the addresses that they lack, a network and transaction at a time, so changes go between."""

    log = Logger()

    def __init__(self, store: IStore, dhcp_ports: DhcpPorts) -> None:
        self._store = store
        self._dhcp_ports = dhcp_ports
        self._work: Deferred[None] = succeed(None)

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._work = ensureDeferred(self._catch_up()).addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        """Stop after the network that is worked on."""
        super().stopService()
        return self._work

    async def _catch_up(self) -> None:
        after = ""
        while self.running and (found := await self._store.read(partial(_lacking, after))):
            for network_id in found:
                await self._follow(network_id)
            after = found[-1]

    def _failed(self, failure: Failure) -> None:
        """The database is away, or stops with the process: the next start looks again."""
        if self.running:
            self.log.warn("subnets of earlier versions are not served: {error}", error=failure.getErrorMessage())

    async def _follow(self, network_id: str) -> None:
        try:
            if self.running:
                await self._store.write(partial(self._change, network_id))
        except ApiError as error:
            self.log.warn("network {network} is not served whole: {error}", network=network_id, error=str(error))

    def _change(self, network_id: str, tx: Transaction) -> None:
        network = network_facts(tx, network_id)
        position = None if network is None else self._dhcp_ports.follow(tx, REQUEST_ID, network)
        if position is not None:
            record_changed(tx, network_id, position)


def _lacking(after: str, connection: Connection) -> Sequence[str]:
    """Return ids of networks, by rising id, whose DHCP port has no address on a subnet that is served."""
    return connection.execute(_LACKING, {"after": after}).scalars().all()
