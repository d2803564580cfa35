"""What has to be done to devices, as operations: views and what is there in, operations out. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from quantumd.edge.netlink.interfaces import (
    AddBridge,
    AddVxlan,
    ChangeLink,
    DeleteLink,
    Link,
    Operation,
    PortFlags,
)
from quantumd.l2.drivers.linuxbridge.desired import NetworkView, PortView
from quantumd.l2.drivers.linuxbridge.features.networks import UPLINK_FLAGS
from quantumd.l2.drivers.linuxbridge.features.ports import port_flags
from quantumd.l2.drivers.linuxbridge.names import (
    bridge_of,
    is_bridge,
    is_served,
    named_alias,
    network_alias,
    network_in,
    served_alias,
)
from quantumd.model.network import VXLAN

Links = Mapping[str, Link]


@frozen
class Devices:
    """What is made before rules are, what is connected when they hold, and what goes last."""

    made: tuple[Operation, ...] = ()
    connected: tuple[Operation, ...] = ()
    ended: tuple[Operation, ...] = ()


def of_network(network_id: str, view: NetworkView | None, links: Links, tunnel_ip: str) -> Devices:
    """Return what the devices of a network need."""
    if view is None:
        return Devices(ended=_without_network(network_id, links))
    made = [*_bridge(view, links), *_vxlan(view, links, tunnel_ip)]
    flags = UPLINK_FLAGS[view.network.network_type == VXLAN]
    connected = _connected(links.get(view.uplink), view.uplink, view, flags) if view.uplink else ()
    return Devices(tuple(made), connected)


def of_port(port_id: str, view: PortView | None, links: Links, tap: str) -> Devices:
    """Return what the device of a port needs. One that is no port any more stays where it is, and is closed."""
    link = links.get(tap)
    if link is None:
        return Devices()
    if view is None:
        is_served_still = is_served(link.alias)
        return Devices((ChangeLink(tap, alias=named_alias(port_id)),)) if is_served_still else Devices()
    is_elsewhere = link.master != view.bridge
    change = ChangeLink(
        tap,
        master=view.bridge if is_elsewhere else None,
        alias=served_alias(port_id) if link.alias != served_alias(port_id) else None,
        mtu_bytes=_other(link.mtu_bytes, view.network.mtu_bytes),
        # Later on it is up and down as the hypervisor wants it.
        up=is_elsewhere and not link.is_up,
        flags=port_flags(view) if is_elsewhere or link.flags != port_flags(view) else None,
    )
    return Devices(connected=_unless_nothing(change))


def _bridge(view: NetworkView, links: Links) -> tuple[Operation, ...]:
    alias, link = network_alias(view.network.id), links.get(view.bridge)
    if link is None:
        return (AddBridge(view.bridge, alias),)
    is_new = link.alias != alias
    change = ChangeLink(
        view.bridge, alias=alias if is_new else None, up=not link.is_up, filters=not link.filters, owned=is_new
    )
    return _unless_nothing(change)


def _vxlan(view: NetworkView, links: Links, tunnel_ip: str) -> tuple[Operation, ...]:
    network, vni = view.network, view.network.segmentation_id or 0
    if network.network_type != VXLAN or not view.uplink:
        return ()
    link = links.get(view.uplink)
    add = AddVxlan(view.uplink, vni, tunnel_ip, network.mtu_bytes, network_alias(network.id))
    if link is None:
        return (add,)
    if (link.kind, link.vni, link.local_ip) != (VXLAN, vni, tunnel_ip):
        return (DeleteLink(view.uplink), add)
    return _unless_nothing(ChangeLink(view.uplink, alias=add.alias if link.alias != add.alias else None))


def _connected(link: Link | None, name: str, view: NetworkView, flags: PortFlags) -> tuple[Operation, ...]:
    # One that was just made is not known yet.
    is_new = link is None or link.master != view.bridge
    mtu_bytes = _other(link.mtu_bytes, view.network.mtu_bytes) if link is not None and link.kind == VXLAN else None
    change = ChangeLink(
        name,
        master=view.bridge if is_new else None,
        mtu_bytes=mtu_bytes,
        up=link is None or not link.is_up,
        flags=flags if is_new or (link is not None and link.flags != flags) else None,
    )
    return _unless_nothing(change)


def _without_network(network_id: str, links: Links) -> tuple[Operation, ...]:
    """Remove what was made, and let go what was there; a bridge that others still use stays."""
    alias, bridge = network_alias(network_id), bridge_of(network_id)
    mine = [link for link in links.values() if link.alias == alias]
    made = [DeleteLink(link.name) for link in mine if link.kind == VXLAN]
    inside = [link for link in links.values() if link.master == bridge and link.alias != alias]
    own = links.get(bridge)
    if own is None or own.alias != alias:
        return tuple(made)
    guests = [link for link in inside if link.name.startswith("tap")]
    released = [ChangeLink(link.name, master="") for link in inside if link not in guests]
    return (*made, *released, *(() if guests else (DeleteLink(bridge),)))


def leftovers(links: Links) -> frozenset[str]:
    """Return the networks for which devices were made or taken over, as their aliases say."""
    return frozenset(filter(None, (network_in(link.alias) for link in links.values())))


def is_in_ours(link: Link) -> bool:
    """Whether a device is in a bridge of a network."""
    return is_bridge(link.master)


def _other(is_so: int, shall_be: int) -> int | None:
    return shall_be if is_so != shall_be else None


def _unless_nothing(change: ChangeLink) -> tuple[Operation, ...]:
    return () if change == ChangeLink(change.name) else (change,)
