"""Who reaches whom under which rules: one table, for the packet walker and for real VMs.

There are four VMs on one network: ``server`` has the group of the row's rules, ``client`` and ``friend`` the group
``clients``, ``stranger`` the group ``strangers``; the last two groups let everything out and nothing in. In rules
``clients`` names the set of the group's members, ``CLIENT`` stands for the client's address.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

ICMP, TCP, UDP = 1, 6, 17


@frozen
class Row:
    """``rules`` are those of the server's group, beside those that let everything out."""

    name: str
    rules: tuple[dict[str, Any], ...]
    sender: str
    receiver: str
    protocol: int
    port: int
    expected: bool


def _in(**said: Any) -> dict[str, Any]:
    return {"direction": "ingress", "ethertype": "IPv4", **said}


_ANY_UDP = _in(protocol="udp")
_RANGE = _in(protocol="udp", port_range_min=5000, port_range_max=5099)
_BY_GROUP = _in(protocol="udp", remote_group_id="clients")
_BY_PREFIX = _in(protocol="udp", remote_ip_prefix="CLIENT/32")
_OF_TCP = _in(protocol="tcp", port_range_min=1, port_range_max=9)
_CODE_1 = _in(protocol="icmp", port_range_min=8, port_range_max=1)
_TCP_BY_GROUP = _in(protocol="tcp", remote_group_id="clients")

ROWS: tuple[Row, ...] = (
    Row("nothing is let in without a rule", (), "client", "server", UDP, 5000, False),
    Row("everything is let out", (), "server", "client", UDP, 5000, False),
    Row("any port", (_ANY_UDP,), "client", "server", UDP, 5000, True),
    Row("another protocol", (_ANY_UDP,), "client", "server", TCP, 5000, False),
    Row("all of IPv4", (_in(),), "client", "server", TCP, 5000, True),
    Row("of IPv6 only", (_in(ethertype="IPv6"),), "client", "server", TCP, 5000, False),
    Row("by number", (_in(protocol="17"),), "client", "server", UDP, 5000, True),
    Row("first port", (_RANGE,), "client", "server", UDP, 5000, True),
    Row("last port", (_RANGE,), "client", "server", UDP, 5099, True),
    Row("before the first port", (_RANGE,), "client", "server", UDP, 4999, False),
    Row("after the last port", (_RANGE,), "client", "server", UDP, 5100, False),
    Row("a range of another protocol", (_OF_TCP,), "client", "server", UDP, 5, False),
    Row("a type of ICMP", (_in(protocol="icmp", port_range_min=8),), "client", "server", ICMP, 8, True),
    Row("another type of ICMP", (_in(protocol="icmp", port_range_min=13),), "client", "server", ICMP, 8, False),
    Row("another code of ICMP", (_CODE_1,), "client", "server", ICMP, 8, False),
    Row("a member", (_BY_GROUP,), "client", "server", UDP, 5000, True),
    Row("another member", (_BY_GROUP,), "friend", "server", UDP, 5000, True),
    Row("no member", (_BY_GROUP,), "stranger", "server", UDP, 5000, False),
    Row("an address", (_BY_PREFIX,), "client", "server", UDP, 5000, True),
    Row("another address", (_BY_PREFIX,), "friend", "server", UDP, 5000, False),
    Row("the second of two rules", (_BY_PREFIX, _BY_GROUP), "friend", "server", UDP, 5000, True),
    Row("both by groups", (_BY_GROUP, _TCP_BY_GROUP), "friend", "server", TCP, 5000, True),
)  # fmt: skip
