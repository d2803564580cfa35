"""DHCP: clients' requests go to the process; ARP and echo for the server's addresses are answered by flows."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from quantumd.edge.frames.interfaces import Purpose
from quantumd.edge.frames.userdata import pack_userdata
from quantumd.edge.openflow.actions import controller, instructions, move, set_field, set_ttl
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import mac, match
from quantumd.edge.openflow.oxm import ETH_ARP, IP_ICMP, IP_UDP
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView, PuntSettings
from quantumd.l2.drivers.ovs.features.neighbours import arp_reply
from quantumd.l2.drivers.ovs.pipeline import BACK, NETWORK, OUT_PORT, SOURCE, Feature, Source, Table, cookie, go_to

_ETH_IPV4 = 0x0800
_BROADCAST = "255.255.255.255"
_SERVER_PORT = 67
_ARP_REQUEST = 1
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_ANSWER_TTL = 64


def port_flows(view: PortView, punt: PuntSettings) -> Iterator[Flow]:
    """Send the port's DHCP requests, broadcast or to our own addresses, to the process, over the port's meter."""
    if view.network.dhcp_mac is None:
        return
    to_process = instructions(
        controller(pack_userdata(Purpose.DHCP4, view.port.id, view.vlan_id), punt.controller_id), meter=view.number
    )
    for address in (_BROADCAST, *view.network.dhcp_addresses):
        yield Flow(
            Table.PUNT,
            100,
            match(
                **view.sends,
                eth_type=_ETH_IPV4,
                ip_proto=IP_UDP,
                ipv4_dst=int(IPv4Address(address)),
                udp_dst=_SERVER_PORT,
            ),
            cookie(Feature.DHCP, view.number),
            to_process,
        )


def port_meters(view: PortView, punt: PuntSettings) -> Iterator[Meter]:
    """The meter of the port's requests; its number is the port's."""
    if view.network.dhcp_mac is not None:
        yield Meter(view.number, punt.rate_pps, punt.burst_packets)


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Answer ARP and echo for the server's addresses to local ports; nothing else addressed to its MAC goes on."""
    if view.network.dhcp_mac is None:
        return
    server = mac(view.network.dhcp_mac)
    mark = cookie(Feature.DHCP, view.number)
    for text in view.network.dhcp_addresses:
        address = int(IPv4Address(text))
        yield Flow(Table.RESPOND, 100, _arp_request(view.number, address), mark, arp_reply(server, address))
        yield Flow(Table.RESPOND, 100, _echo_request(view.number, server, address), mark, _echo_reply(server, address))
    yield Flow(Table.FORWARD, 100, match(eth_dst=server, **{NETWORK: view.number}), mark, b"")


def _arp_request(number: int, address: int) -> bytes:
    return match(
        eth_type=ETH_ARP,
        arp_op=_ARP_REQUEST,
        arp_tpa=address,
        **{NETWORK: number, SOURCE: int(Source.PORT)},
    )


def _echo_request(number: int, server: int, address: int) -> bytes:
    return match(
        eth_dst=server,
        eth_type=_ETH_IPV4,
        ip_proto=IP_ICMP,
        ipv4_dst=address,
        icmp_type=_ECHO_REQUEST,
        **{NETWORK: number, SOURCE: int(Source.PORT)},
    )


def _echo_reply(server: int, address: int) -> bytes:
    return go_to(
        Table.OUTPUT,
        move("eth_src", "eth_dst")
        + set_field("eth_src", server)
        + move("ipv4_src", "ipv4_dst")
        + set_field("ipv4_src", address)
        + set_field("icmp_type", _ECHO_REPLY)
        + set_ttl(_ANSWER_TTL)
        + set_field(OUT_PORT, BACK),
    )
