"""What the device of a port needs to send and get frames. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from quantumd.edge.netlink.interfaces import Fdb, PortFlags
from quantumd.edge.nft.interfaces import Place
from quantumd.l2.drivers.linuxbridge.desired import Objects, PortView, mark_text, place, quoted
from quantumd.l2.drivers.linuxbridge.features.base import FRAMES, PACKETS
from quantumd.l2.drivers.linuxbridge.features.port_security import canonical_mac, chain_names, chains, link_local


def port_objects(view: PortView) -> Objects:
    """Return what lets a port take part in its network."""
    tap, mark = quoted(view.tap), mark_text(view.mark)
    elements = {
        place(FRAMES, "known", tap): "",
        place(FRAMES, "guests", tap): "",
        place(FRAMES, "sends", tap): mark,
        place(FRAMES, "gets", tap): mark,
    }
    entries = frozenset({Fdb(view.tap, view.port.mac_address)})
    if not view.port.port_security:
        return Objects(elements=elements, entries=entries)
    sends, _ = chain_names(view.port.id)
    elements[place(FRAMES, "spoof", tap)] = f"goto {sends[1]}"
    return Objects(chains(view), elements={**elements, **_owned(view)}, entries=entries)


def closed_objects(tap: str) -> Objects:
    """Return what keeps a device that is no enabled port from sending and getting anything."""
    return Objects(elements={place(FRAMES, "closed", quoted(tap)): ""})


def port_flags(view: PortView) -> PortFlags:
    """Return how the bridge uses the port: who has one MAC is known by it, so that nothing else comes there."""
    return PortFlags(learning=view.has_other_macs, flood=view.has_other_macs)


def _owned(view: PortView) -> dict[Place, str]:
    bridge = quoted(view.bridge)
    found = {}
    if view.is_stateful:
        found[place(PACKETS, "tracked", bridge, canonical_mac(view.port.mac_address))] = ""
    for fixed_ip in view.port.fixed_ips:
        version = 6 if ":" in fixed_ip.ip_address else 4
        found[place(PACKETS, f"owned{version}", bridge, str(ip_address(fixed_ip.ip_address)))] = ""
    found[place(PACKETS, "owned6", bridge, str(link_local(view.port.mac_address).network_address))] = ""
    return found
