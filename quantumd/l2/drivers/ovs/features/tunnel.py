"""VXLAN, GRE and Geneve networks: an id means a network only between hosts.

One port carries all tunnels of a type; flows say to which host a frame goes, and believe only hosts they know.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address

from quantumd.edge.openflow.actions import group, instructions, output, set_field
from quantumd.edge.openflow.interfaces import Flow, Group
from quantumd.edge.openflow.match import mac, match
from quantumd.l2.drivers.ovs.desired import NetworkView, PeerView, RemotePortView
from quantumd.l2.drivers.ovs.features.guest_tags import ANY_TAG, passes_tags
from quantumd.l2.drivers.ovs.pipeline import NETWORK, SOURCE, Feature, Source, Table, cookie, go_to, local_group
from quantumd.model.macs import is_port_mac


def peer_flows(view: PeerView) -> Iterator[Flow]:
    """Take in what comes from the peer; a stranger's frames match nothing."""
    for ofport in view.ofports:
        yield Flow(
            Table.CLASSIFY,
            90,
            match(in_port=ofport, **end("src", view.tunnel_ip)),
            cookie(Feature.TUNNEL, 0),
            go_to(Table.TUNNEL, set_field(SOURCE, Source.TUNNEL)),
        )


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Number what carries the network's id, and give its broadcast to ports of this host only."""
    if view.tunnel_ofport is None:
        return
    mark, tags = cookie(Feature.TUNNEL, view.number), (ANY_TAG,) if passes_tags(view.network) else ()
    for tag in (0, *tags):
        yield Flow(
            Table.TUNNEL,
            100,
            match(in_port=view.tunnel_ofport, vlan_vid=tag, tun_id=view.network.segmentation_id or 0),
            mark,
            go_to(Table.PORT_SECURITY, set_field(NETWORK, view.number)),
        )
    from_tunnel = {SOURCE: int(Source.TUNNEL), NETWORK: view.number}
    yield Flow(Table.FLOOD, 60, match(**from_tunnel), mark, instructions(group(local_group(view.number))))


def network_groups(view: NetworkView, local: tuple[bytes, ...]) -> Iterator[Group]:
    """The group of the network's ports on this host, whose buckets are given."""
    if view.tunnel_ofport is not None:
        yield Group(local_group(view.number), local)


def remote_port_flows(view: RemotePortView) -> Iterator[Flow]:
    """Send what ports of this host address to the port's MAC to its host, and to no other, unless it is a group's."""
    if not is_port_mac(view.port.mac_address):
        return
    from_port = {SOURCE: int(Source.PORT), NETWORK: view.network_number}
    yield Flow(
        Table.FORWARD,
        90,
        match(eth_dst=mac(view.port.mac_address), **from_port),
        cookie(Feature.TUNNEL, view.network_number),
        instructions(_into(view.network.segmentation_id, view.tunnel_ip) + output(view.tunnel_ofport)),
    )


def leave(view: NetworkView) -> Iterator[bytes]:
    """Yield, for each peer that carries the network, the actions that send it a frame."""
    if view.tunnel_ofport is None:
        return
    for peer in view.peers:
        yield _into(view.network.segmentation_id, peer) + output(view.tunnel_ofport)


def _into(segmentation_id: int | None, tunnel_ip: str) -> bytes:
    there = (set_field(name, value) for name, value in end("dst", tunnel_ip).items())
    return set_field("tun_id", segmentation_id or 0) + b"".join(there)


def end(side: str, tunnel_ip: str) -> dict[str, int]:
    """Return an end of a tunnel, its source or destination, as the field that holds it."""
    address = ip_address(tunnel_ip)
    name = f"tun_{side}" if isinstance(address, IPv4Address) else f"tun_ipv6_{side}"
    return {name: int(address)}
