"""Deleted ports on flat and VLAN networks: hosts that carry these track connections with them, and know them not.

Of networks in tunnels each host knows the ports of the others, and is told that one is gone (quantumd.api.hosts.mesh).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection

from quantumd.api.hosts.outbox import Outbox
from quantumd.model.messages import Gone
from quantumd.model.records import PortRecord
from quantumd.store import nouns

ROLE = "l2"


@frozen
class Ended:
    """A port that was bound to a host when it was deleted, at a position of the journal."""

    network_id: str
    host: str
    addresses: tuple[str, ...]
    position: int


def ended_port(port: Mapping[str, Any], host: str, position: int) -> Ended:
    """Return what others must know of a port that is gone, from what the journal has of it."""
    return Ended(port["network_id"], host, tuple(each["ip_address"] for each in port["fixed_ips"]), position)


def tell_of_ended(connection: Connection, ended: Mapping[str, Ended], outbox: Outbox) -> None:
    """Tell the other hosts that carry networks on physical ones which addresses of them nobody has any more."""
    networks = nouns.on_physical_networks(connection, sorted({each.network_id for each in ended.values()}))
    carriers = nouns.hosts_of_network(connection, sorted(networks)) if networks else {}
    for port_id, each in ended.items():
        for host in sorted(carriers.get(each.network_id, frozenset()) - {each.host}):
            gone = Gone(PortRecord.kind, port_id, each.position, True, each.network_id, each.addresses)
            outbox.gone[host, ROLE].append(gone)
