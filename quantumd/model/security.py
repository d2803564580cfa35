"""Security groups: what a rule may say, what rules say the same, and which ports need no groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

IPV4: Final = "IPv4"
IPV6: Final = "IPv6"
ETHERTYPES: Final = (IPV4, IPV6)
DIRECTIONS: Final = ("ingress", "egress")

DEFAULT_NAME: Final = "default"
DEFAULT_DESCRIPTION: Final = "Default security group"

PARENT: Final = "PARENT"
"""As the remote group of a template: the group that is made from it."""

ANY_PROTOCOL: Final = "any"

PROTOCOLS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ah": 51,
        "dccp": 33,
        "egp": 8,
        "esp": 50,
        "gre": 47,
        "hopopt": 0,
        "icmp": 1,
        "igmp": 2,
        "ip": 0,
        "ipip": 4,
        "ipv6-encap": 41,
        "ipv6-frag": 44,
        "ipv6-icmp": 58,
        "icmpv6": 58,
        "ipv6-nonxt": 59,
        "ipv6-opts": 60,
        "ipv6-route": 43,
        "ospf": 89,
        "pgm": 113,
        "rsvp": 46,
        "sctp": 132,
        "tcp": 6,
        "udp": 17,
        "udplite": 136,
        "vrrp": 112,
    }
)
"""Protocols that have a name (IANA protocol numbers); ``icmpv6`` is the old name of ``ipv6-icmp``."""

PORT_PROTOCOLS: Final = ("dccp", "sctp", "tcp", "udp", "udplite")
"""Protocols that have ports."""

_PORT_NUMBERS: Final = frozenset(PROTOCOLS[name] for name in PORT_PROTOCOLS)
_ICMP_NUMBERS: Final = frozenset((PROTOCOLS["icmp"], PROTOCOLS["ipv6-icmp"]))
_IPV6_NAMES: Final = frozenset(name for name in PROTOCOLS if name.startswith("ipv6-")) | {"icmpv6"}
_IPV6_PROTOCOLS: Final = _IPV6_NAMES | {str(PROTOCOLS[name]) for name in _IPV6_NAMES}
_ICMP_FOR_IPV6: Final[Mapping[str, str]] = MappingProxyType({"icmp": "ipv6-icmp", "icmpv6": "ipv6-icmp", "1": "58"})
_EVERY_ADDRESS: Final = frozenset(("0.0.0.0/0", "::/0"))
_FIRST_PORT: Final = 1
_LAST_PORT: Final = 65_535

REMOTES: Final = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
"""Attributes that say who is on the other side; a rule has one of them at most."""

RuleKey = tuple[Any, ...]


@frozen
class RuleFault:
    """Why a rule cannot be: the type of error of the Networking API v2.0, and its message."""

    type: str
    message: str


def protocol_number(protocol: str | None) -> int | None:
    """Return the IP protocol number of a name or of a number as text; None for every protocol."""
    return None if protocol in (None, ANY_PROTOCOL) else PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)


def normalized_cidr(prefix: str | None) -> str | None:
    """Return the prefix without bits of its host part."""
    return None if prefix is None else str(ip_network(prefix, strict=False))


def canonical(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule as it is kept: ICMP of IPv6 has its own protocol, and every port is no port."""
    changed = dict(rule)
    if rule["ethertype"] == IPV6:
        changed["protocol"] = _ICMP_FOR_IPV6.get(rule["protocol"], rule["protocol"])
    if (rule["port_range_min"], rule["port_range_max"]) == (_FIRST_PORT, _LAST_PORT):
        changed["port_range_min"] = changed["port_range_max"] = None
    return changed


def rule_fault(rule: Mapping[str, Any]) -> RuleFault | None:
    """Return why a canonical rule cannot be, None when it can."""
    return _ports_fault(rule) or _prefix_fault(rule) or _ethertype_fault(rule) or _remotes_fault(rule)


def _ports_fault(rule: Mapping[str, Any]) -> RuleFault | None:
    if rule["port_range_min"] is None and rule["port_range_max"] is None:
        return None
    if rule["protocol"] is None:
        return RuleFault("SecurityGroupProtocolRequiredWithPorts", "Must also specify protocol if port range is given.")
    number = protocol_number(rule["protocol"])
    if number in _PORT_NUMBERS:
        return _range_fault(rule["port_range_min"], rule["port_range_max"])
    if number in _ICMP_NUMBERS:
        return _icmp_fault(rule["port_range_min"], rule["port_range_max"])
    names = ", ".join(name.upper() for name in PORT_PROTOCOLS)
    return RuleFault(
        "SecurityGroupInvalidProtocolForPort",
        f"Ports cannot be specified for protocol {number}. Ports are only supported for {names}.",
    )


def _range_fault(first: int | None, last: int | None) -> RuleFault | None:
    if first == 0 or last == 0:
        return RuleFault("SecurityGroupInvalidPortValue", "Invalid value for port 0")
    if first is None or last is None or first > last:
        return RuleFault(
            "SecurityGroupInvalidPortRange", "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        )
    return None


def _icmp_fault(icmp_type: int | None, code: int | None) -> RuleFault | None:
    for field, name, value in (("type", "port_range_min", icmp_type), ("code", "port_range_max", code)):
        if value is not None and value > 255:
            return RuleFault(
                "SecurityGroupInvalidIcmpValue",
                f"Invalid value for ICMP {field} ({name}) {value}. It must be 0 to 255.",
            )
    if icmp_type is None:
        return RuleFault(
            "SecurityGroupMissingIcmpType",
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.",
        )
    return None


def _prefix_fault(rule: Mapping[str, Any]) -> RuleFault | None:
    prefix = rule["remote_ip_prefix"]
    if prefix is None or rule["ethertype"] == (IPV6 if ":" in prefix else IPV4):
        return None
    return RuleFault(
        "SecurityGroupRuleParameterConflict", f"Conflicting value ethertype {rule['ethertype']} for CIDR {prefix}"
    )


def _ethertype_fault(rule: Mapping[str, Any]) -> RuleFault | None:
    if rule["ethertype"] == IPV4 and rule["protocol"] in _IPV6_PROTOCOLS:
        return RuleFault(
            "SecurityGroupEthertypeConflictWithProtocol", f"Invalid ethertype IPv4 for protocol {rule['protocol']}."
        )
    return None


def _remotes_fault(rule: Mapping[str, Any]) -> RuleFault | None:
    if sum(1 for name in REMOTES if rule[name]) > 1:
        return RuleFault(
            "SecurityGroupMultipleRemoteEntites",
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
        )
    return None


def rule_key(rule: Mapping[str, Any]) -> RuleKey:
    """Return what two rules of a group must not have in common: which packets they match, however that is written.

    A protocol's name is its number, and a prefix of every address is no prefix.
    """
    prefix = rule["remote_ip_prefix"]
    return (
        rule["direction"],
        rule["ethertype"],
        protocol_number(canonical(rule)["protocol"]),
        rule["port_range_min"],
        rule["port_range_max"],
        None if prefix in _EVERY_ADDRESS else prefix,
        rule["remote_group_id"],
        rule["remote_address_group_id"],
    )


def repeated(rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the first of the rules that says what one before it says, None when all differ."""
    seen: set[RuleKey] = set()
    for rule in rules:
        key = rule_key(rule)
        if key in seen:
            return rule
        seen.add(key)
    return None


def is_trusted(device_owner: str) -> bool:
    """Whether a port belongs to the network itself (DHCP, routers), so that no group guards it."""
    return device_owner.startswith("network:")
