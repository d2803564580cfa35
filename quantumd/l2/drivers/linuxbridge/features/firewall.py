"""Security groups: what the rules of a policy let pass, and which addresses are in a set. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network

from quantumd.edge.nft.interfaces import Chain, Kind, Name, Place
from quantumd.l2.drivers.linuxbridge.desired import Objects, mark_text, place
from quantumd.l2.drivers.linuxbridge.features.base import PACKETS
from quantumd.l2.drivers.linuxbridge.features.port_security import element
from quantumd.model.covering import uncovered
from quantumd.model.security import DIRECTIONS, IPV4, IPV6, PROTOCOLS
from quantumd.model.security_records import SecurityRule
from quantumd.model.verdict import prefix

_PORTS = {PROTOCOLS[name]: name for name in ("tcp", "udp", "sctp")}
_ICMP = {PROTOCOLS["icmp"]: "icmp", PROTOCOLS["ipv6-icmp"]: "icmpv6"}
_CHAIN: Mapping[str, str] = {"egress": "s", "ingress": "g"}
_MAP: Mapping[str, str] = {"egress": "senders", "ingress": "receivers"}
_FIRST: Mapping[str, str] = {"egress": "jump asks", "ingress": "jump told"}
_REMOTE: Mapping[str, str] = {"egress": "daddr", "ingress": "saddr"}
_FAMILY: Mapping[str, str] = {IPV4: "ip", IPV6: "ip6"}


def policy_objects(mark: int, rules: Iterable[SecurityRule], numbers: Mapping[str, int], is_stateful: bool) -> Objects:
    """Return the chains of a policy. ``numbers`` are those of the sets that rules name."""
    known = tuple(rules)
    text = mark_text(mark)
    chains: dict[Name, Chain] = {}
    elements: dict[Place, str] = {}
    for direction in DIRECTIONS:
        name = f"{_CHAIN[direction]}_{mark:08x}"
        state = ("jump state",) if is_stateful else ()
        said = dict.fromkeys(_rules(direction, known, numbers))
        chains[PACKETS, name] = Chain((_FIRST[direction], *state, *said, "drop"))
        elements[place(PACKETS, _MAP[direction], text)] = f"goto {name}"
    if not is_stateful:
        elements[place(PACKETS, "loose", text)] = ""
    return Objects(chains, elements=elements)


def set_objects(number: int, prefixes: Iterable[str]) -> Objects:
    """Return a set of addresses, one of each family."""
    names = {4: set_name(number, IPV4), 6: set_name(number, IPV6)}
    kinds = {4: "type ipv4_addr; flags interval;", 6: "type ipv6_addr; flags interval;"}
    elements = {place(PACKETS, names[each.version], element(each)): "" for each in uncovered(map(prefix, prefixes))}
    return Objects(sets={(PACKETS, names[version]): Kind(kinds[version]) for version in names}, elements=elements)


def set_name(number: int, ethertype: str) -> str:
    """Return the name of the set of a family."""
    return f"a{ethertype[-1]}_{number:08x}"


def _rules(direction: str, rules: Iterable[SecurityRule], numbers: Mapping[str, int]) -> Iterator[str]:
    for rule in rules:
        matched = _matched(rule) if rule.direction == direction else None
        if matched is not None:
            yield " ".join(filter(None, (*_about(rule, numbers), matched, "accept")))


def _about(rule: SecurityRule, numbers: Mapping[str, int]) -> Iterator[str]:
    family, end = _FAMILY[rule.ethertype], _REMOTE[rule.direction]
    if rule.remote_set is not None:
        yield f"{family} {end} @{set_name(numbers[rule.remote_set], rule.ethertype)}"
    elif rule.cidr is not None and ip_network(rule.cidr).prefixlen:
        yield f"{family} {end} {element(prefix(rule.cidr))}"
    else:
        yield f"meta nfproto {'ipv4' if rule.ethertype == IPV4 else 'ipv6'}"


def _matched(rule: SecurityRule) -> str | None:
    """Return the match of a rule's protocol; None of one that nothing matches. 0 is every protocol."""
    number = rule.protocol
    if not number:
        return ""
    if rule.first is None:
        return f"meta l4proto {number}"
    if number in _ICMP:
        name = _ICMP[number]
        code = "" if rule.last is None else f" {name} code {rule.last}"
        return f"{name} type {rule.first}{code}"
    if number in _PORTS and rule.last is not None:
        ports = str(rule.first) if rule.first == rule.last else f"{rule.first}-{rule.last}"
        return f"{_PORTS[number]} dport {ports}"
    # Ports of other protocols are not seen, so that a rule about them lets nothing pass.
    return None
