"""Connections as ovs-vswitchd writes and takes them (ovs-dpctl(8), dump-conntrack and flush-conntrack)."""

from __future__ import annotations

import re
from ipaddress import ip_address

from quantumd.edge.tracked.interfaces import Connection

_NUMBERS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "icmpv6": 58, "sctp": 132, "udplite": 136}
_ICMP = (1, 58)
_LINE = re.compile(r"(?P<protocol>[a-z0-9]+),orig=\((?P<ends>[^)]*)\),.*\bzone=(?P<zone>[0-9]+)")


def zone_of(line: str) -> int | None:
    """Return the zone of the connection that a line tells of, None when it is in none: cheaper than all of it."""
    number = line.rpartition("zone=")[2].partition(",")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def read_connection(line: str) -> Connection | None:
    """Return the connection that a line of a dump tells of; None when it is in no zone or of no form known here."""
    found = _LINE.match(line)
    if found is None:
        return None
    ends = dict(part.partition("=")[::2] for part in found["ends"].split(","))
    name = found["protocol"]
    protocol = _NUMBERS.get(name, int(name) if name.isdigit() else 0)
    try:
        source, target = (str(ip_address(ends[end])) for end in ("src", "dst"))
        if protocol in _ICMP:
            numbers = [int(ends.get(part, "0")) for part in ("type", "code", "id")]
        else:
            numbers = [int(ends.get(part, "0")) for part in ("sport", "dport")]
    except (KeyError, ValueError):
        return None
    return Connection(int(found["zone"]), protocol, source, target, *numbers)


def tuple_text(connection: Connection) -> str:
    """Return the connection as flush-conntrack takes it: all of it, so that no other is meant."""
    family = "ipv6" if ":" in connection.source else "nw"
    ends = f"ct_{family}_src={connection.source},ct_{family}_dst={connection.target},ct_nw_proto={connection.protocol}"
    if connection.protocol in _ICMP:
        return (
            f"{ends},icmp_type={connection.source_port},icmp_code={connection.target_port},"
            f"icmp_id={connection.identifier}"
        )
    return f"{ends},ct_tp_src={connection.source_port},ct_tp_dst={connection.target_port}"
