"""What security groups let pass, by the definition of the API. Pure; the same of packets as of tracked connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from attrs import frozen

from quantumd.model.security import IPV4, IPV6, PROTOCOLS
from quantumd.model.security_records import SecurityRule

_SEEN_PORTS = frozenset(PROTOCOLS[name] for name in ("tcp", "udp", "sctp"))
_ICMP = frozenset(PROTOCOLS[name] for name in ("icmp", "ipv6-icmp"))

IsIn = Callable[[str, str], bool]
"""Whether an address is in the set of an id."""


@frozen
class Traffic:
    """Packets from one address to another: ``target_port``, or of ICMP its type and code."""

    protocol: int
    source: str
    target: str
    target_port: int = 0
    icmp_type: int = 0
    icmp_code: int = 0

    @property
    def ethertype(self) -> str:
        """IPv4 or IPv6."""
        return IPV6 if ":" in self.source else IPV4


def lets_pass(rules: Iterable[SecurityRule], direction: str, traffic: Traffic, is_in: IsIn) -> bool:
    """Whether any of the rules lets traffic pass in a direction, seen from the port that has the rules."""
    return any(rule.direction == direction and _matches(rule, traffic, is_in) for rule in rules)


def first_match(rules: Iterable[SecurityRule], direction: str, traffic: Traffic, is_in: IsIn) -> SecurityRule | None:
    """Return the first of the rules that lets traffic pass in a direction; None when none does."""
    return next((rule for rule in rules if rule.direction == direction and _matches(rule, traffic, is_in)), None)


def _matches(rule: SecurityRule, traffic: Traffic, is_in: IsIn) -> bool:
    if rule.ethertype != traffic.ethertype or not _matches_protocol(rule, traffic):
        return False
    remote = traffic.target if rule.direction == "egress" else traffic.source
    if rule.remote_set is not None:
        return is_in(rule.remote_set, remote)
    return rule.cidr is None or ip_address(remote) in prefix(rule.cidr)


def _matches_protocol(rule: SecurityRule, traffic: Traffic) -> bool:
    # 0 is every protocol, as of iptables(8).
    if not rule.protocol:
        return True
    if rule.protocol != traffic.protocol:
        return False
    if rule.first is None:
        return True
    if rule.protocol in _ICMP:
        return rule.first == traffic.icmp_type and rule.last in (None, traffic.icmp_code)
    # Ports of other protocols are not seen, so that a rule about them lets nothing pass.
    return rule.protocol in _SEEN_PORTS and rule.last is not None and rule.first <= traffic.target_port <= rule.last


@lru_cache(maxsize=10_000)
def prefix(cidr: str) -> IPv4Network | IPv6Network:
    """Return the prefix of a text."""
    return ip_network(cidr)
