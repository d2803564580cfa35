"""What the role can do to its table, as values. Each may be repeated."""

from __future__ import annotations

from attrs import frozen

from quantumd.converge.plan import Key
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord


@frozen
class PutNetworks:
    """Serve these networks as these records say."""

    keys: frozenset[Key]
    networks: tuple[DhcpNetworkRecord, ...]


@frozen
class PutPorts:
    """Answer these ports as these records say."""

    keys: frozenset[Key]
    ports: tuple[DhcpPortRecord, ...]


@frozen
class RemovePorts:
    """Answer these ports no more."""

    keys: frozenset[Key]
    port_ids: tuple[str, ...]


@frozen
class RemoveNetworks:
    """Serve these networks no more."""

    keys: frozenset[Key]
    network_ids: tuple[str, ...]
