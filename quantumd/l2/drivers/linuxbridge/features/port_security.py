"""What a port may say it is: its MAC, its addresses, and never a DHCP server or a router. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from attrs import frozen

from quantumd.edge.nft.interfaces import Chain, Name
from quantumd.l2.drivers.linuxbridge.desired import PortView, plain
from quantumd.l2.drivers.linuxbridge.features.base import FRAMES
from quantumd.model.covering import uncovered

_LINK_LOCAL = 0xFE80 << 112
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_OPTION, _TARGET_OPTION = "0x0101", "0x0201"
"""Type and length of the options that tell a MAC (RFC 4861 4.6.1)."""
_NO_MAC = "@th,192,8 != 1 @th,192,8 != 2"
"""The first option tells no MAC; a nonce, for instance (RFC 7527)."""


@frozen
class Sender:
    """A MAC that a port may send from, with the prefixes that may go with it."""

    mac: str
    ipv4: tuple[str, ...]
    ipv6: tuple[IPv6Network, ...]


def chain_names(port_id: str) -> tuple[Name, Name]:
    """Return the chains of a port: of all that it sends, and of its neighbour discovery."""
    start = plain(port_id).replace("-", "")
    return (FRAMES, f"p_{start}"), (FRAMES, f"n_{start}")


def chains(view: PortView) -> dict[Name, Chain]:
    """Return what lets a guarded port say what is its own, and drops the rest."""
    sends, neighbours = chain_names(view.port.id)
    found = senders(view)
    rules = (rule for sender in found for rule in _rules(sender, neighbours[1]))
    told = (rule for sender in found for rule in _neighbour_rules(sender))
    return {neighbours: Chain(("jump services6", *told, "drop")), sends: Chain((*rules, "drop"))}


def senders(view: PortView) -> tuple[Sender, ...]:
    """Return who the port may say it is, its own MAC first; every MAC has its link-local address (RFC 4291)."""
    own = canonical_mac(view.port.mac_address)
    prefixes: dict[str, list[str]] = {own: [ip.ip_address for ip in view.port.fixed_ips]}
    for pair in view.port.allowed_address_pairs:
        prefixes.setdefault(canonical_mac(pair.mac_address), []).append(pair.cidr)
    return tuple(_sender(mac, map(ip_network, texts)) for mac, texts in prefixes.items())


def _sender(mac: str, networks: Iterable[IPv4Network | IPv6Network]) -> Sender:
    found = uncovered((*networks, link_local(mac)))
    ipv4 = tuple(element(each) for each in found if isinstance(each, IPv4Network))
    return Sender(mac, ipv4, tuple(each for each in found if isinstance(each, IPv6Network)))


def element(network: IPv4Network | IPv6Network) -> str:
    """Return a prefix as nft writes it: an address without its length."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def canonical_mac(mac: str) -> str:
    """Return a MAC as nft writes it; ValueError when it is none."""
    return bytes.fromhex(mac.replace(":", "")).hex(":")


def link_local(mac: str) -> IPv6Network:
    """Return the link-local IPv6 address that follows from a MAC (RFC 4291, modified EUI-64)."""
    number = int(mac.replace(":", ""), 16)
    high, low = number >> 24, number & 0xFFFFFF
    return IPv6Network(_LINK_LOCAL | (high ^ 0x020000) << 40 | 0xFFFE << 24 | low)


def _rules(sender: Sender, neighbours: str) -> Iterator[str]:
    """A rule for each address: a set for each port would cost the kernel the square of their number."""
    own = f"ether saddr {sender.mac}"
    arp = f"{own} arp saddr ether {sender.mac}"
    for address in sender.ipv4:
        yield f"{own} ip saddr {address} goto services"
        yield f"{arp} arp saddr ip {address} accept"
        # A probe names no sender (RFC 5227); one for an address of somebody else would keep him from using it.
        yield f"{arp} arp operation request arp saddr ip 0.0.0.0 arp daddr ip {address} accept"
    yield f"{own} ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept"
    for network in sender.ipv6:
        yield f"{own} ip6 saddr {element(network)} goto {neighbours}"
    # Who has no address yet may only look whether one is free, and for routers and groups.
    nobody = f"{own} ip6 saddr ::"
    yield f"{nobody} jump nobody6"
    for network in sender.ipv6:
        probe = f"{nobody} icmpv6 type {_SOLICITATION} {_about(network)}"
        yield f"{probe} ip6 length 24 accept"
        yield f"{probe} {_NO_MAC} accept"


def _neighbour_rules(sender: Sender) -> Iterator[str]:
    """A MAC that is told is the sender's own."""
    own, mac = f"ether saddr {sender.mac}", f"0x{sender.mac.replace(':', '')}"
    yield from _told(f"{own} icmpv6 type {_SOLICITATION}", _SOURCE_OPTION, mac)
    for network in sender.ipv6:
        yield from _told(f"{own} icmpv6 type {_ADVERTISEMENT} {_about(network)}", _TARGET_OPTION, mac)


def _told(message: str, option: str, mac: str) -> Iterator[str]:
    """Let a message pass without options, with the sender's MAC in the first one, or with no MAC there."""
    yield f"{message} ip6 length 24 accept"
    yield f"{message} @th,192,16 {option} @th,208,48 {mac} accept"
    yield f"{message} {_NO_MAC} accept"


def _about(network: IPv6Network) -> str:
    """Match the target of neighbour discovery, 8 bytes behind the beginning of the message (RFC 4861 4.3)."""
    if network.prefixlen == 0:
        return ""
    return f"@th,64,{network.prefixlen} 0x{int(network.network_address) >> (128 - network.prefixlen):x}"
