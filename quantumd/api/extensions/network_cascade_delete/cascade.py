"""What goes before a network that is deleted with all that is on it: its ports, and what holds them.

One transaction, unlike the asynchronous one that was proposed for Neutron (neutron-specs, zed,
network-cascade-deletion), which nobody built: all of it goes, or what is in the way is told and nothing goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.query import parameters
from quantumd.api.resources.facts import network_facts
from quantumd.api.values import BOOLEAN
from quantumd.model.context import Context
from quantumd.model.nouns import DHCP_OWNER
from quantumd.store.tables import ports

if TYPE_CHECKING:
    from quantumd.store.transaction import Transaction

Release: TypeAlias = "Callable[[Transaction, Context, str], None]"
"""Takes a port, by its id, out of what keeps it from being deleted; a port that nothing keeps is left as it is."""

OPTION: Final = "cascade"

_ON_NETWORK = (
    select(ports.c.id)
    .where(ports.c.network_id == bindparam("wanted"), ports.c.device_owner != DHCP_OWNER)
    .order_by(ports.c.created_at, ports.c.id)
)


@frozen
class Cascade:
    """Deletes the ports of a network as requests for each would.

    ``show``, ``delete`` and ``releases`` are those of ports.
    """

    show: Callable[[Connection, Context, str], Mapping[str, Any]]
    delete: Callable[[Transaction, Context, str], None]
    releases: tuple[Release, ...] = ()

    def __call__(self, tx: Transaction, context: Context, network_id: str) -> None:
        """Delete them. The network's DHCP port goes with the network.

        :raises ApiError: a port may not go, or the caller may not delete it.
        """
        for port_id in _ports(tx, network_id):
            self._require_deletable(tx, context, port_id)
        for release, port_id in self._held(tx, network_id):
            release(tx, context, port_id)
        for port_id in _ports(tx, network_id):
            self.delete(tx, context, port_id)

    def _require_deletable(self, tx: Transaction, context: Context, port_id: str) -> None:
        if context.policy is None:
            return
        port = self.show(tx.connection, context, port_id)
        network = network_facts(tx, port["network_id"])

        def target(name: str) -> Any:
            if name == "network:project_id":
                return None if network is None else network.project_id
            return port.get(name.removeprefix("port:"))

        if context.policy.decide("delete_port", context, target) is not True:
            raise PolicyNotAuthorized("rule:delete_port")

    def _held(self, tx: Transaction, network_id: str) -> Iterator[tuple[Release, str]]:
        for port_id in _ports(tx, network_id):
            for release in self.releases:
                yield release, port_id


def is_cascade(query_string: bytes) -> bool:
    """Whether a request to delete asks for all that hangs on what it deletes. InvalidInput, HTTPBadRequest."""
    asked = False
    for key, text in parameters(query_string):
        if key == OPTION:
            asked = BOOLEAN.convert(text)
    return asked


def _ports(tx: Transaction, network_id: str) -> list[Any]:
    return list(tx.connection.execute(_ON_NETWORK, {"wanted": network_id}).scalars())
