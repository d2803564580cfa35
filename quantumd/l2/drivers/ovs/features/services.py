"""Services of this host: what ports ask goes to one device, behind which all are answered, and the answers back.

On the way each address of a port is exchanged for one that says which port it is (quantumd.model.services), so that
networks with the same addresses meet there. No connection is tracked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from quantumd.edge.openflow.actions import instructions, load, output, set_field
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import Value, mac, match
from quantumd.edge.openflow.oxm import ETH_ARP, ETH_IPV4, ETH_IPV6, IP_ICMPV6, IP_TCP, IP_UDP
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView, ServicesView
from quantumd.l2.drivers.ovs.features.neighbours import advertise, arp_reply
from quantumd.l2.drivers.ovs.pipeline import (
    NETWORK,
    OUT_PORT,
    SOURCE,
    Feature,
    Source,
    Table,
    cookie,
    go_to,
    service_meter,
)
from quantumd.model import services
from quantumd.model.port import TRUSTED_OWNER_PREFIX
from quantumd.model.records import NetworkRecord
from quantumd.model.service_place import DEVICE_MAC, ROUTER_IPV4, ROUTER_IPV6, ROUTER_MAC
from quantumd.model.services import ServicePoint

_ARP_REQUEST: Final = 1
_SOLICITATION: Final = 135
_NOT_A_FRAGMENT: Final = 0
_PROTOCOLS: Final = {services.TCP: (IP_TCP, "tcp"), services.UDP: (IP_UDP, "udp")}
_ETH_TYPES: Final = {4: ETH_IPV4, 6: ETH_IPV6}
_HIGH_HALF: Final = 64
_INNER_PREFIX_MASK: Final = services.LINK_LOCAL_MASK


def bridge_flows(view: ServicesView) -> Iterator[Flow]:
    """Answer for the addresses of services, take what is asked there, and let answers be of who was asked."""
    mark = cookie(Feature.SERVICES, 0)
    for point in view.points:
        if not point.is_of_network:
            yield from _found(point, mark)
            yield from _asked(point, mark)
            yield from _answered(point, mark)
        if view.ofport is not None:
            yield from _entering(point, view.ofport, mark)
    if view.points:
        # Nothing else is there, whoever is asked for the way.
        yield Flow(Table.FORWARD, 100, match(eth_dst=mac(DEVICE_MAC)), mark, b"")
        yield from _router_of_answers(mark)
    if view.points and view.ofport is not None:
        known = match(in_port=view.ofport, vlan_vid=0)
        yield Flow(Table.CLASSIFY, 100, known, mark, go_to(Table.SERVICE_RECEIVER))


def network_flows(view: NetworkView, offered: ServicesView) -> Iterator[Flow]:
    """Let the network's DHCP addresses stand for its DNS server."""
    if not _has_dns(offered) or view.network.dhcp_mac is None:
        return
    mark = cookie(Feature.SERVICES, view.number)
    here = {NETWORK: view.number}
    for place, server in _dns_servers(view.network):
        for point in services.dns_points(place):
            (address,) = (each for version, each in _addresses(point) if version == server.version)
            asked = _asking(server.version, point, int(server)) | here
            way = go_to(Table.SERVICE_SENDER, set_field(f"ipv{server.version}_dst", address))
            yield Flow(Table.PUNT, 100, match(**asked), mark, way)
            said = _packet(server.version, point, "src", _inner(server.version, point)) | here
            own = set_field("eth_src", mac(view.network.dhcp_mac)) + set_field(f"ipv{server.version}_src", int(server))
            yield Flow(Table.SERVICE_ANSWER, 100, match(**said), mark, go_to(Table.QOS_INGRESS, own))


def _dns_servers(network: NetworkRecord) -> Iterator[tuple[int, IPv4Address | IPv6Address]]:
    """Yield the addresses of the network's DNS server, each with its place among those of its IP version."""
    for addresses in (network.dhcp_addresses, network.dhcp_addresses6):
        yield from enumerate(map(ip_address, services.dns_servers(addresses)))


def _has_dns(offered: ServicesView) -> bool:
    return any(point.is_of_network for point in offered.points)


def port_flows(view: PortView, offered: ServicesView) -> Iterator[Flow]:
    """Exchange each address of the port for one that says which port it is, and back.

    Nobody can ask by an address that is not the port's own, whether the port is guarded or not.
    """
    if not _may_ask(view, offered):
        return
    meter = service_meter(view.number) if offered.rate_pps else None
    mark = cookie(Feature.SERVICES, view.number)
    back = (
        set_field("eth_dst", mac(view.port.mac_address))
        + set_field(NETWORK, view.network_number)
        + set_field(OUT_PORT, view.number)
    )
    for place, text in enumerate(services.asking_ipv4(ip.ip_address for ip in view.port.fixed_ips)):
        real, inner = int(IPv4Address(text)), services.inner_ipv4(view.number, place)
        asks = match(**view.sends, eth_type=ETH_IPV4, ipv4_src=real)
        named = instructions(set_field("ipv4_src", inner), goto=Table.SERVICE_ENTRY, meter=meter)
        yield Flow(Table.SERVICE_SENDER, 100, asks, mark, named)
        told = match(eth_type=ETH_IPV4, ipv4_dst=inner)
        restored = set_field("ipv4_dst", real) + back
        yield Flow(Table.SERVICE_RECEIVER, 100, told, mark, go_to(Table.SERVICE_ANSWER, restored))
    yield from _link_local_flows(view, mark, back, meter)
    if _has_dns(offered):
        yield from _ipv6_flows(view, mark, back, meter)


def port_meters(view: PortView, offered: ServicesView) -> Iterator[Meter]:
    """The meter of what the port asks: all ports have one listener, and none may keep others from it."""
    if _may_ask(view, offered) and offered.rate_pps:
        yield Meter(service_meter(view.number), offered.rate_pps, offered.rate_pps)


def _may_ask(view: PortView, offered: ServicesView) -> bool:
    return bool(offered.points) and not view.port.device_owner.startswith(TRUSTED_OWNER_PREFIX)


def _link_local_flows(view: PortView, mark: int, back: bytes, meter: int | None) -> Iterator[Flow]:
    """Exchange the prefix of the link, and leave the rest as it is: it is the port's own, or nobody checks it."""
    prefix, link = services.inner_prefix(view.number), services.LINK_LOCAL
    asks = match(**view.sends, eth_type=ETH_IPV6, ipv6_src=(link, services.LINK_LOCAL_MASK))
    named = instructions(load("ipv6_src", prefix, _HIGH_HALF, 64), goto=Table.SERVICE_ENTRY, meter=meter)
    yield Flow(Table.SERVICE_SENDER, 100, asks, mark, named)
    told = match(eth_type=ETH_IPV6, ipv6_dst=(prefix << 64, _INNER_PREFIX_MASK))
    restored = load("ipv6_dst", link >> 64, _HIGH_HALF, 64) + back
    yield Flow(Table.SERVICE_RECEIVER, 100, told, mark, go_to(Table.SERVICE_ANSWER, restored))


def _ipv6_flows(view: PortView, mark: int, back: bytes, meter: int | None) -> Iterator[Flow]:
    """Exchange the first half of each other address; the second one stays."""
    addresses = services.asking_ipv6(ip.ip_address for ip in view.port.fixed_ips)
    for place, text in enumerate(addresses, start=1):
        real, prefix = int(IPv6Address(text)), services.inner_prefix(view.number, place)
        asks = match(**view.sends, eth_type=ETH_IPV6, ipv6_src=real)
        named = instructions(load("ipv6_src", prefix, _HIGH_HALF, 64), goto=Table.SERVICE_ENTRY, meter=meter)
        yield Flow(Table.SERVICE_SENDER, 110, asks, mark, named)
        told = match(eth_type=ETH_IPV6, ipv6_dst=(prefix << 64, _INNER_PREFIX_MASK))
        restored = load("ipv6_dst", real >> 64, _HIGH_HALF, 64) + back
        yield Flow(Table.SERVICE_RECEIVER, 100, told, mark, go_to(Table.SERVICE_ANSWER, restored))


def _found(point: ServicePoint, mark: int) -> Iterator[Flow]:
    """Answer ports of this host that look for a service on their link."""
    here: dict[str, Value] = {SOURCE: int(Source.PORT)}
    ipv4, ipv6 = int(IPv4Address(point.ipv4)), int(IPv6Address(point.ipv6))
    request = match(eth_type=ETH_ARP, arp_op=_ARP_REQUEST, arp_tpa=ipv4, **here)
    yield Flow(Table.RESPOND, 100, request, mark, arp_reply(mac(DEVICE_MAC), ipv4))
    wanted = match(**_solicitation(ipv6), **here)
    yield Flow(Table.RESPOND, 100, wanted, mark, advertise(mac(DEVICE_MAC), ipv6))


def _asked(point: ServicePoint, mark: int) -> Iterator[Flow]:
    """Take what is for a service, by whatever way the port thinks that it goes."""
    for version, address in _addresses(point):
        yield Flow(Table.PUNT, 100, match(**_asking(version, point, address)), mark, go_to(Table.SERVICE_SENDER))


def _asking(version: int, point: ServicePoint, address: int) -> dict[str, Value]:
    """Return what a port's packet for a service is known by; later fragments say no port."""
    return _packet(version, point, "dst", address) | {SOURCE: int(Source.PORT), "ip_frag": _NOT_A_FRAGMENT}


def _entering(point: ServicePoint, ofport: int, mark: int) -> Iterator[Flow]:
    """Give what is for a service to the device."""
    for version, address in _addresses(point):
        hop = set_field("eth_src", mac(ROUTER_MAC)) + set_field("eth_dst", mac(DEVICE_MAC))
        if version == 6:
            hop += set_field("ipv6_dst", _inner(version, point))
        entering = match(**_packet(version, point, "dst", address))
        yield Flow(Table.SERVICE_ENTRY, 100, entering, mark, instructions(hop + output(ofport)))


def _answered(point: ServicePoint, mark: int) -> Iterator[Flow]:
    """Let answers come from the address that was asked; who answers says nothing else to ports."""
    for version, address in _addresses(point):
        said = match(**_packet(version, point, "src", _inner(version, point)))
        own = set_field("eth_src", mac(DEVICE_MAC)) + (set_field("ipv6_src", address) if version == 6 else b"")
        yield Flow(Table.SERVICE_ANSWER, 100, said, mark, go_to(Table.QOS_INGRESS, own))


def _router_of_answers(mark: int) -> Iterator[Flow]:
    """Be the router to which all answers go: one neighbour, however many ask."""
    ipv4, ipv6 = int(IPv4Address(ROUTER_IPV4)), int(IPv6Address(ROUTER_IPV6))
    request = match(eth_type=ETH_ARP, arp_op=_ARP_REQUEST, arp_tpa=ipv4)
    yield Flow(Table.SERVICE_RECEIVER, 110, request, mark, arp_reply(mac(ROUTER_MAC), ipv4))
    wanted = match(**_solicitation(ipv6))
    yield Flow(Table.SERVICE_RECEIVER, 110, wanted, mark, advertise(mac(ROUTER_MAC), ipv6))


def _addresses(point: ServicePoint) -> tuple[tuple[int, int], ...]:
    return ((4, int(IPv4Address(point.ipv4))), (6, int(IPv6Address(point.ipv6))))


def _inner(version: int, point: ServicePoint) -> int:
    return int(ip_address(point.ipv4 if version == 4 else point.inner_ipv6))


def _packet(version: int, point: ServicePoint, end: str, address: int) -> dict[str, Value]:
    """Return what a packet of a service is known by at one end, ``src`` or ``dst``."""
    number, layer = _PROTOCOLS[point.protocol]
    return {
        "eth_type": _ETH_TYPES[version],
        "ip_proto": number,
        f"ipv{version}_{end}": address,
        f"{layer}_{end}": point.port,
    }


def _solicitation(target: int) -> dict[str, Value]:
    return {
        "eth_type": ETH_IPV6, "ip_proto": IP_ICMPV6, "icmpv6_type": _SOLICITATION, "icmpv6_code": 0,
        "nd_target": target,
    }  # fmt: skip
