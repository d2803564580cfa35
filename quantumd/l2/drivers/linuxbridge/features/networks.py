"""How a network leaves this host, and where frames for ports of other hosts go. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from quantumd.edge.netlink.interfaces import EVERYBODY, Fdb, PortFlags
from quantumd.edge.nft.interfaces import Chain
from quantumd.l2.drivers.linuxbridge.desired import (
    NetworkView,
    Objects,
    RemotePortView,
    mark_text,
    place,
    quoted,
)
from quantumd.l2.drivers.linuxbridge.features.base import FRAMES, PACKETS
from quantumd.model.network import VXLAN

UPLINK_FLAGS = {True: PortFlags(learning=False, flood=False), False: PortFlags()}
"""By whether it is a tunnel: records tell who is behind one, and nobody who is behind a NIC."""


def network_objects(view: NetworkView) -> Objects:
    """Return what a network needs beside its ports."""
    elements = {place(PACKETS, "zones", quoted(view.bridge)): str(view.zone)}
    if view.uplink:
        mark = mark_text(view.mark)
        elements |= {place(FRAMES, name, quoted(view.uplink)): mark for name in ("sends", "gets")}
        elements[place(FRAMES, "known", quoted(view.uplink))] = ""
    own = Objects(elements=elements, entries=_dhcp(view))
    return own if view.network.network_type != VXLAN or not view.uplink else _tunnelled(view, own)


def _dhcp(view: NetworkView) -> frozenset[Fdb]:
    """Return what keeps here what is for the DHCP server; the process takes it from the devices."""
    mac = view.network.dhcp_mac
    return frozenset({Fdb(view.bridge, mac)} if mac is not None else ())


def _tunnelled(view: NetworkView, own: Objects) -> Objects:
    vni = view.network.segmentation_id or 0
    name = f"v_{vni:x}"
    rules = [f"{'ip6' if ':' in ip else 'ip'} saddr {ip_address(ip)} accept" for ip in view.peers]
    elements = {**own.elements, place(PACKETS, "vnis", f"0x{vni:x}"): f"goto {name}"}
    floods = frozenset(Fdb(view.uplink, EVERYBODY, ip) for ip in view.peers)
    return Objects({(PACKETS, name): Chain((*rules, "drop"))}, elements=elements, entries=own.entries | floods)


def remote_port_objects(view: RemotePortView) -> Objects:
    """Return where a port of another host is."""
    mac = view.port.mac_address
    return Objects(entries=frozenset((Fdb(view.uplink, mac), Fdb(view.uplink, mac, view.tunnel_ip))))
