"""What a port may say it is: its MAC, its addresses, and never a DHCP server or a router."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from attrs import frozen

from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, mac, match
from quantumd.edge.openflow.oxm import ETH_ARP, ETH_IPV4, ETH_IPV6, IP_ICMPV6, IP_UDP
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import Feature, Table, cookie, go_to

_DHCP_SERVER, _DHCP_CLIENT = 67, 68
_DHCPV6_CLIENT = 546
_BROADCAST = 0xFFFFFFFF
_ARP_REQUEST = 1
_MLD_QUERY, _ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT = 130, 133, 134
_SOLICITATION, _ADVERTISEMENT, _REDIRECT = 135, 136, 137
_LISTENER_REPORTS = (131, 132, 143)
_NOT_A_FRAGMENT = 0
_FIRST_FRAGMENT = 1
_ANY_FRAGMENT = (1, 1)
_LINK_LOCAL = 0xFE80 << 112


@frozen
class Sender:
    """A MAC that a port may send from, with the prefixes that may go with it."""

    mac: int
    ipv4: tuple[tuple[int, int], ...]
    ipv6: tuple[tuple[int, int], ...]


def bridge_flows() -> Iterator[Flow]:
    """Drop what only servers and routers say; pass what asks for routers and groups; have neighbours checked."""
    mark, table = cookie(Feature.PORT_SECURITY, 0), Table.SPOOFED_SERVICES
    # Clients listen to port 68 whatever port an answer comes from.
    yield Flow(table, 100, match(eth_type=ETH_IPV4, ip_proto=IP_UDP, udp_dst=_DHCP_CLIENT), mark, b"")
    yield Flow(table, 100, match(eth_type=ETH_IPV6, ip_proto=IP_UDP, udp_dst=_DHCPV6_CLIENT), mark, b"")
    for kind in (_MLD_QUERY, _ROUTER_ADVERTISEMENT, _REDIRECT):
        yield Flow(table, 100, _icmpv6(kind), mark, b"")
    for hidden in _hidden_headers():
        yield Flow(table, 100, hidden, mark, b"")
    for kind in (_SOLICITATION, _ADVERTISEMENT):
        # RFC 6980: neighbour discovery is never fragmented, and later fragments could not be checked.
        yield Flow(table, 90, _icmpv6(kind, ip_frag=_ANY_FRAGMENT), mark, b"")
        yield Flow(table, 80, _icmpv6(kind), mark, go_to(Table.NEIGHBOUR_SECURITY))
    # Who has no address may ask for his own only, which flows of ports allow; OVS shows a target of 0 where the
    # options are malformed, so that the link-layer address in them is not seen.
    for wrong in (_icmpv6(_SOLICITATION, ipv6_src=0), _icmpv6(_SOLICITATION, nd_target=0)):
        yield Flow(Table.NEIGHBOUR_SECURITY, 105, wrong, mark, b"")
    for kind in (_ROUTER_SOLICITATION, *_LISTENER_REPORTS):
        fields = _icmpv6(kind, ip_frag=_NOT_A_FRAGMENT)
        yield Flow(Table.NEIGHBOUR_SECURITY, 100, fields, mark, go_to(Table.PUNT))


def _hidden_headers() -> Iterator[bytes]:
    """Headers that go on beyond the first fragment, so that nobody sees what the packet is (RFC 7112)."""
    # OVS shows fields that are not there as 0, and protocol 0 where other headers end too early.
    yield match(eth_type=ETH_IPV6, ip_proto=0)
    yield _icmpv6(0, ip_frag=_FIRST_FRAGMENT)
    yield match(eth_type=ETH_IPV6, ip_proto=IP_UDP, udp_dst=0, ip_frag=_FIRST_FRAGMENT)


def port_flows(view: PortView) -> Iterator[Flow]:
    """Let the port send what is its own and drop the rest; nothing is checked of one without port security."""
    if not view.port.port_security:
        return
    mark = cookie(Feature.PORT_SECURITY, view.number)
    for sender in senders(view):
        for table, priority, fields, following in _sender_flows(sender):
            yield Flow(table, priority, match(**view.sends, **fields), mark, go_to(following))
    yield Flow(Table.PORT_SECURITY, 10, match(**view.sends), mark, b"")


def senders(view: PortView) -> tuple[Sender, ...]:
    """Return who the port may say it is, its own MAC first; every MAC has its link-local address (RFC 4291)."""
    prefixes: dict[str, list[str]] = {view.port.mac_address: [ip.ip_address for ip in view.port.fixed_ips]}
    for pair in view.port.allowed_address_pairs:
        prefixes.setdefault(pair.mac_address, []).append(pair.cidr)
    return tuple(_sender(mac(address), map(ip_network, texts)) for address, texts in prefixes.items())


def _sender(address: int, networks: Iterable[IPv4Network | IPv6Network]) -> Sender:
    found: dict[int, list[tuple[int, int]]] = {4: [], 6: [(link_local(address), (1 << 128) - 1)]}
    for network in networks:
        found[network.version].append((int(network.network_address), int(network.netmask)))
    return Sender(address, tuple(dict.fromkeys(found[4])), tuple(dict.fromkeys(found[6])))


def link_local(address: int) -> int:
    """Return the link-local IPv6 address that follows from a MAC (RFC 4291, modified EUI-64)."""
    high, low = address >> 24, address & 0xFFFFFF
    return _LINK_LOCAL | (high ^ 0x020000) << 40 | 0xFFFE << 24 | low


_Place = tuple[Table, int, dict[str, Value], Table]


def _sender_flows(sender: Sender) -> Iterator[_Place]:
    yield from _ipv4_flows(sender)
    yield from _ipv6_flows(sender)
    yield from _neighbour_flows(sender)


def _ipv4_flows(sender: Sender) -> Iterator[_Place]:
    table, own = Table.PORT_SECURITY, sender.mac
    arp: dict[str, Value] = {"eth_src": own, "eth_type": ETH_ARP, "arp_sha": own}
    for prefix in sender.ipv4:
        yield table, 100, {"eth_src": own, "eth_type": ETH_IPV4, "ipv4_src": prefix}, Table.SPOOFED_SERVICES
        yield table, 100, {**arp, "arp_spa": prefix}, Table.PUNT
        # A probe names no sender (RFC 5227); one for an address of somebody else would keep him from using it.
        yield table, 100, {**arp, "arp_op": _ARP_REQUEST, "arp_spa": 0, "arp_tpa": prefix}, Table.PUNT
    asking: dict[str, Value] = {
        "eth_src": own, "eth_type": ETH_IPV4, "ipv4_src": 0, "ipv4_dst": _BROADCAST,
        "ip_proto": IP_UDP, "udp_src": _DHCP_CLIENT, "udp_dst": _DHCP_SERVER,
    }  # fmt: skip
    yield table, 100, asking, Table.PUNT


def _ipv6_flows(sender: Sender) -> Iterator[_Place]:
    own: dict[str, Value] = {"eth_src": sender.mac, "eth_type": ETH_IPV6}
    for prefix in sender.ipv6:
        yield Table.PORT_SECURITY, 100, {**own, "ipv6_src": prefix}, Table.SPOOFED_SERVICES
    # Who has no address yet may only look whether one is free, and for routers and groups.
    nobody: dict[str, Value] = {**own, "ipv6_src": 0, "ip_proto": IP_ICMPV6}
    yield Table.PORT_SECURITY, 100, nobody, Table.NEIGHBOUR_SECURITY


def _neighbour_flows(sender: Sender) -> Iterator[_Place]:
    """Solicitations from nobody are for own addresses; a link-layer address that is told is the sender's own."""
    told: tuple[int, int] = (sender.mac, 0)
    message: dict[str, Value] = {
        "eth_src": sender.mac, "eth_type": ETH_IPV6, "ip_proto": IP_ICMPV6, "ip_frag": _NOT_A_FRAGMENT,
    }  # fmt: skip
    for layer in told:
        solicits: dict[str, Value] = {**message, "icmpv6_type": _SOLICITATION, "nd_sll": layer}
        yield Table.NEIGHBOUR_SECURITY, 90, solicits, Table.PUNT
    for prefix in sender.ipv6:
        probes: dict[str, Value] = {
            **message, "ipv6_src": 0, "icmpv6_type": _SOLICITATION, "nd_target": prefix, "nd_sll": 0,
        }  # fmt: skip
        yield Table.NEIGHBOUR_SECURITY, 110, probes, Table.PUNT
        for layer in told:
            answers: dict[str, Value] = {
                **message, "icmpv6_type": _ADVERTISEMENT, "nd_target": prefix, "nd_tll": layer,
            }  # fmt: skip
            yield Table.NEIGHBOUR_SECURITY, 100, answers, Table.PUNT


def _icmpv6(kind: int, **fields: Value) -> bytes:
    return match(eth_type=ETH_IPV6, ip_proto=IP_ICMPV6, icmpv6_type=kind, **fields)
