"""Ports of other hosts: ARP and neighbour solicitations for their addresses are answered here, and leave no host."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address

from quantumd.edge.openflow.actions import move, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import mac, match
from quantumd.edge.openflow.oxm import ETH_ARP, ETH_IPV6, IP_ICMPV6
from quantumd.l2.drivers.ovs.desired import RemotePortView
from quantumd.l2.drivers.ovs.pipeline import BACK, NETWORK, OUT_PORT, SOURCE, Feature, Source, Table, cookie, go_to

_ARP_REQUEST, _ARP_REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOLICITED_AND_OVERRIDE = 0x6000_0000
"""Flags of the answer to a solicitation (RFC 4861 4.4)."""
_TARGET_LINK_LAYER = 2


def remote_port_flows(view: RemotePortView) -> Iterator[Flow]:
    """Answer for the port's addresses to ports of this host."""
    answers = view.port.mac_address
    mark = cookie(Feature.NEIGHBOURS, view.network_number)
    asked = {SOURCE: int(Source.PORT), NETWORK: view.network_number}
    for fixed_ip in view.port.fixed_ips:
        address = ip_address(fixed_ip.ip_address)
        if isinstance(address, IPv4Address):
            request = match(eth_type=ETH_ARP, arp_op=_ARP_REQUEST, arp_tpa=int(address), **asked)
            yield Flow(Table.RESPOND, 100, request, mark, arp_reply(mac(answers), int(address)))
        else:
            wanted = match(**_neighbour(_SOLICITATION), nd_target=int(address), **asked)
            yield Flow(Table.RESPOND, 100, wanted, mark, advertise(mac(answers), int(address)))


def arp_reply(answers: int, address: int) -> bytes:
    """Return what turns an ARP request for an address into the answer of a MAC address, back where it came from."""
    return go_to(
        Table.OUTPUT,
        move("eth_src", "eth_dst")
        + set_field("eth_src", answers)
        + set_field("arp_op", _ARP_REPLY)
        + move("arp_sha", "arp_tha")
        + move("arp_spa", "arp_tpa")
        + set_field("arp_sha", answers)
        + set_field("arp_spa", address)
        + set_field(OUT_PORT, BACK),
    )


def bridge_flows() -> Iterator[Flow]:
    """Let pass who looks whether an address is taken, and finish what is advertised."""
    mark = cookie(Feature.NEIGHBOURS, 0)
    # Duplicate address detection gives no address to answer to, and no option that could carry the MAC address.
    unspecified = match(**_neighbour(_SOLICITATION), ipv6_src=0)
    yield Flow(Table.RESPOND, 110, unspecified, mark, go_to(Table.FORWARD))
    # The options of an advertisement exist only in what is one already: so this takes a table of its own.
    finish = (
        set_field("nd_reserved", _SOLICITED_AND_OVERRIDE)
        + set_field("nd_options_type", _TARGET_LINK_LAYER)
        + move("eth_src", "nd_tll")
        + set_field(OUT_PORT, BACK)
    )
    yield Flow(Table.ADVERTISE, 100, match(**_neighbour(_ADVERTISEMENT)), mark, go_to(Table.OUTPUT, finish))


def advertise(answers: int, address: int) -> bytes:
    """Return what turns a solicitation for an address into the answer of a MAC address, back where it came from."""
    return go_to(
        Table.ADVERTISE,
        move("eth_src", "eth_dst")
        + set_field("eth_src", answers)
        + move("ipv6_src", "ipv6_dst")
        + set_field("ipv6_src", address)
        + set_field("icmpv6_type", _ADVERTISEMENT),
    )


def _neighbour(kind: int) -> dict[str, int]:
    return {"eth_type": ETH_IPV6, "ip_proto": IP_ICMPV6, "icmpv6_type": kind, "icmpv6_code": 0}
