"""DHCP: clients' requests go to the process; questions for the server's addresses, and pings, are answered by flows."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from quantumd.edge.frames.interfaces import Purpose
from quantumd.edge.frames.userdata import pack_userdata
from quantumd.edge.openflow.actions import controller, instructions, move, set_field, set_ttl
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import Value, mac, match
from quantumd.edge.openflow.oxm import ETH_ARP, ETH_IPV4, ETH_IPV6, IP_ICMP, IP_ICMPV6, IP_UDP
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView, PuntSettings
from quantumd.l2.drivers.ovs.features.neighbours import advertise, arp_reply, solicitation
from quantumd.l2.drivers.ovs.features.port_security import link_local
from quantumd.l2.drivers.ovs.pipeline import BACK, NETWORK, OUT_PORT, SOURCE, Feature, Source, Table, cookie, go_to
from quantumd.model.records import NetworkRecord
from quantumd.model.router import GATEWAY, PORT_OWNERS

_BROADCAST = "255.255.255.255"
_ALL_SERVERS6 = int(IPv6Address("ff02::1:2"))
_SERVER_PORT, _SERVER_PORT6 = 67, 547
_NOT_A_FRAGMENT = 0
_ARP_REQUEST = 1
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_ECHO_REQUEST6, _ECHO_REPLY6 = 128, 129
_ANSWER_TTL = 64


def port_flows(view: PortView, punt: PuntSettings) -> Iterator[Flow]:
    """Send the port's DHCP requests, broadcast or to our own addresses, to the process, over the port's meter.

    Those of a router's gateway go on: it asks for prefixes, which only others outside can give.
    """
    if view.network.dhcp_mac is None or view.port.device_owner == PORT_OWNERS[GATEWAY]:
        return
    for purpose, asked in _requests(view.network, view.network.dhcp_mac):
        to_process = controller(pack_userdata(purpose, view.port.id, view.vlan_id), punt.controller_id)
        yield Flow(
            Table.PUNT,
            100,
            match(**view.sends, **asked, ip_proto=IP_UDP, ip_frag=_NOT_A_FRAGMENT),
            cookie(Feature.DHCP, view.number),
            instructions(to_process, meter=view.number),
        )


def _requests(network: NetworkRecord, server_mac: str) -> Iterator[tuple[Purpose, dict[str, Value]]]:
    if network.dhcp_addresses:
        for address in (_BROADCAST, *network.dhcp_addresses):
            asked: dict[str, Value] = {"eth_type": ETH_IPV4, "ipv4_dst": int(IPv4Address(address))}
            yield Purpose.DHCP4, {**asked, "udp_dst": _SERVER_PORT}
    if network.dhcp_addresses6:
        for number in (_ALL_SERVERS6, link_local(mac(server_mac))):
            yield Purpose.DHCP6, {"eth_type": ETH_IPV6, "ipv6_dst": number, "udp_dst": _SERVER_PORT6}


def port_meters(view: PortView, punt: PuntSettings) -> Iterator[Meter]:
    """The meter of the port's requests; its number is the port's."""
    if view.network.dhcp_mac is not None:
        yield Meter(view.number, punt.rate_pps, punt.burst_packets)


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Answer for the server's addresses to local ports; nothing else addressed to its MAC goes on."""
    if view.network.dhcp_mac is None:
        return
    server = mac(view.network.dhcp_mac)
    mark = cookie(Feature.DHCP, view.number)
    for text in view.network.dhcp_addresses:
        address = int(IPv4Address(text))
        yield Flow(Table.RESPOND, 100, _arp_request(view.number, address), mark, arp_reply(server, address))
        yield Flow(Table.RESPOND, 100, _echo_request(view.number, server, address), mark, _echo_reply(server, address))
    if view.network.dhcp_addresses6:
        yield from _network_flows6(view, server, mark)
    yield Flow(Table.FORWARD, 100, match(eth_dst=server, **{NETWORK: view.number}), mark, b"")


def _network_flows6(view: NetworkView, server: int, mark: int) -> Iterator[Flow]:
    asked = {NETWORK: view.number, SOURCE: int(Source.PORT)}
    for address in (link_local(server), *(int(IPv6Address(text)) for text in view.network.dhcp_addresses6)):
        yield Flow(Table.RESPOND, 100, solicitation(address, **asked), mark, advertise(server, address))
        echo = match(
            eth_dst=server,
            eth_type=ETH_IPV6,
            ip_proto=IP_ICMPV6,
            ipv6_dst=address,
            icmpv6_type=_ECHO_REQUEST6,
            **asked,
        )
        yield Flow(Table.RESPOND, 100, echo, mark, _echo_reply6(server, address))


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
        eth_type=ETH_IPV4,
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


def _echo_reply6(server: int, address: int) -> bytes:
    return go_to(
        Table.OUTPUT,
        move("eth_src", "eth_dst")
        + set_field("eth_src", server)
        + move("ipv6_src", "ipv6_dst")
        + set_field("ipv6_src", address)
        + set_field("icmpv6_type", _ECHO_REPLY6)
        + set_ttl(_ANSWER_TTL)
        + set_field(OUT_PORT, BACK),
    )
