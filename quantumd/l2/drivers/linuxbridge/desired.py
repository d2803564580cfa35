"""What the kernel shall hold for a port, a network and what guards them: views in, objects out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen

from quantumd.edge.netlink.interfaces import Fdb
from quantumd.edge.nft.interfaces import Chain, Kind, Name, Place
from quantumd.errors import EdgeError
from quantumd.model.records import NetworkRecord, PortRecord, RemotePortRecord


@frozen
class Objects:
    """Filters, and entries of bridges. Nothing in it belongs to two keys."""

    chains: Mapping[Name, Chain] = field(factory=dict)
    sets: Mapping[Name, Kind] = field(factory=dict)
    elements: Mapping[Place, str] = field(factory=dict)
    entries: frozenset[Fdb] = frozenset()


NONE: Final = Objects()
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


@frozen
class PortView:
    """A port whose device is there, and which is enabled, as its network is. ``mark`` is that of its packets."""

    port: PortRecord
    network: NetworkRecord
    tap: str
    bridge: str
    mark: int
    is_stateful: bool

    @property
    def has_other_macs(self) -> bool:
        """Whether frames from other MACs than its own may come from it, which only learning tells."""
        pairs = self.port.allowed_address_pairs
        return not self.port.port_security or any(pair.mac_address != self.port.mac_address for pair in pairs)


@frozen
class NetworkView:
    """A network with ports that are there. ``uplink`` is the device by which it leaves the host, '' of none.

    ``peers`` are the ends of tunnels to hosts that carry it.
    """

    network: NetworkRecord
    bridge: str
    zone: int
    mark: int
    uplink: str = ""
    peers: tuple[str, ...] = ()


@frozen
class RemotePortView:
    """A port of another host, on a network that leaves by a VXLAN device."""

    port: RemotePortRecord
    bridge: str
    uplink: str
    tunnel_ip: str


def mark_text(mark: int) -> str:
    """Return a mark as nft lists it."""
    return f"0x{mark:08x}"


def place(family: str, name: str, *keys: str) -> Place:
    """Return where an element is; names of devices are quoted by whoever gives them."""
    return family, name, " . ".join(keys)


def quoted(device: str) -> str:
    """Return the name of a device as nft writes it. EdgeError when it would be more than a name to nft."""
    return f'"{plain(device)}"'


def plain(name: str) -> str:
    """Return a name that is a word to nft; EdgeError when it is not one."""
    if _PLAIN.fullmatch(name) is None:
        raise EdgeError(f"{name!r} is no name for a device")
    return name


def joined(parts: Iterable[Objects]) -> Objects:
    """Return all objects of several."""
    found = tuple(parts)
    return Objects(
        {name: chain for part in found for name, chain in part.chains.items()},
        {name: kind for part in found for name, kind in part.sets.items()},
        {at: value for part in found for at, value in part.elements.items()},
        frozenset(entry for part in found for entry in part.entries),
    )
