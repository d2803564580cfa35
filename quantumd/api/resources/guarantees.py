"""Guaranteed bandwidth: a host gives no more of it than it has.

Looked at whenever a port comes to a host, or is guaranteed more there, in the transaction that changes it: changes take
turns, so two of them cannot both take what is left. What is given already stays, also when the host has less later.
"""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.errors import ApiError
from quantumd.model.bandwidth import Amounts, Shortage, on_network, shortage
from quantumd.store import guarantee_nouns
from quantumd.store.transaction import Transaction


class HostBandwidthExceeded(ApiError):
    """The host has not as much bandwidth to guarantee as the port, and those that it has already, are guaranteed."""

    status = 409

    def __init__(self, host: str, physical_network: str, short: Shortage) -> None:
        super().__init__(
            f"Host {host} can guarantee {short.capacity_kbps} kbit/s ({short.direction}) on {physical_network} in all, "
            f"and would have to guarantee {short.needed_kbps}."
        )


class NoBandwidthToGuarantee(ApiError):
    """Bandwidth is that of physical networks, and the port's network is on none."""

    status = 409

    def __init__(self, host: str) -> None:
        super().__init__(f"Host {host} can guarantee no bandwidth to the port: its network is on no physical network.")


def require_room(tx: Transaction, host: str, physical_network: str | None, more: Amounts, besides: str = "") -> None:
    """Refuse to guarantee more on a host than it has. HostBandwidthExceeded, NoBandwidthToGuarantee.

    :param more: what comes to what ports are guaranteed there.
    :param besides: a port that does not count among these.
    """
    wanted = {direction: kbps for direction, kbps in more.items() if kbps}
    if host and wanted:
        _require(tx, host, physical_network, wanted, besides)


def require_room_for(tx: Transaction, port_id: str, host: str) -> None:
    """Refuse a host for a port, as the port is stored, that it has no room for. Errors as above."""
    physical_network, wanted = guarantee_nouns.guaranteed(tx.connection, port_id)
    require_room(tx, host, physical_network, wanted, port_id)


def require_room_of_new(tx: Transaction, port_id: str) -> None:
    """Refuse the host of a port that was just made. Errors as above."""
    require_room_for(tx, port_id, guarantee_nouns.host_of(tx.connection, port_id))


def require_kept(tx: Transaction, places: Iterable[tuple[str, str | None]], grown: Iterable[str]) -> None:
    """Refuse what was just written if hosts guarantee more than they have now, in directions that grew. As above.

    :param places: hosts, each with a physical network.
    """
    directions = tuple(grown)
    for host, physical_network in sorted(places, key=str):
        _require(tx, host, physical_network, dict.fromkeys(directions, 0))


def _require(tx: Transaction, host: str, physical_network: str | None, more: Amounts, besides: str = "") -> None:
    """Refuse what is more than the host has, in the directions that are named."""
    if physical_network is None:
        raise NoBandwidthToGuarantee(host)
    tx.lock(f"bandwidth:{host}:{physical_network}")
    capacity = on_network(guarantee_nouns.bandwidths(tx.connection, host), physical_network)
    taken = guarantee_nouns.taken(tx.connection, host, physical_network, besides)
    short = shortage(capacity, taken, more)
    if short is not None:
        raise HostBandwidthExceeded(host, physical_network, short)
