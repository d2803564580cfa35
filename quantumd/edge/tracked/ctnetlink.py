"""Connections as the kernel's connection tracking says them over netlink. Pure.

Source: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import struct
from typing import Final

from quantumd.edge.netlink import attributes as a
from quantumd.edge.tracked.interfaces import Connection

GET, DELETE = 1 << 8 | 1, 1 << 8 | 2

_HEAD = struct.Struct("=BBH")
"""nfgenmsg: family, version, resource."""
_INET, _INET6 = 2, 10
_ORIGINAL, _REPLY, _ZONE = 1, 2, 18
_IP, _PROTO = 1, 2
_V4_SOURCE, _V4_TARGET, _V6_SOURCE, _V6_TARGET = 1, 2, 3, 4
_NUMBER, _SOURCE_PORT, _TARGET_PORT = 1, 2, 3
_ICMP: Final = {1: (4, 5, 6), 58: (7, 8, 9)}
"""Identifier, type and code, by protocol."""


def query(zone: int) -> bytes:
    """Ask for the connections of a zone; kernels before 6.8 tell of all."""
    return _HEAD.pack(0, 0, 0) + a.number(_ZONE, zone, 2, "big")


def removal(connection: Connection) -> bytes:
    """Forget a connection: all of its first direction, so that no other is meant."""
    is_v6 = ":" in connection.source
    source, target = (_V6_SOURCE, _V6_TARGET) if is_v6 else (_V4_SOURCE, _V4_TARGET)
    addresses = a.nest(_IP, a.address(source, connection.source), a.address(target, connection.target))
    ends = a.nest(_ORIGINAL, addresses, _protocol(connection))
    return _HEAD.pack(_INET6 if is_v6 else _INET, 0, 0) + ends + a.number(_ZONE, connection.zone, 2, "big")


def _protocol(connection: Connection) -> bytes:
    number = a.number(_NUMBER, connection.protocol, 1)
    if connection.protocol in _ICMP:
        identifier, kind, code = _ICMP[connection.protocol]
        return a.nest(
            _PROTO,
            number,
            a.number(identifier, connection.identifier, 2, "big"),
            a.number(kind, connection.source_port, 1),
            a.number(code, connection.target_port, 1),
        )
    ports = ((_SOURCE_PORT, connection.source_port), (_TARGET_PORT, connection.target_port))
    return a.nest(_PROTO, number, *(a.number(kind, port, 2, "big") for kind, port in ports))


def read_outer_addresses(body: bytes) -> frozenset[str]:
    """Return the addresses to which the first packet of a connection goes, and the first answer.

    Of a translated connection one of them is that by which it is known outside.
    """
    said = a.unpack(body[_HEAD.size :])
    inside = (a.unpack(a.unpack(said.get(each, b"")).get(_IP, b"")) for each in (_ORIGINAL, _REPLY))
    return frozenset(a.read_address(each.get(_V4_TARGET) or each.get(_V6_TARGET)) for each in inside) - {""}


def read_connection(body: bytes) -> Connection | None:
    """Return the connection that a message tells of; None of what has no addresses."""
    said = a.unpack(body[_HEAD.size :])
    original = a.unpack(said.get(_ORIGINAL, b""))
    addresses, protocol = a.unpack(original.get(_IP, b"")), a.unpack(original.get(_PROTO, b""))
    source = a.read_address(addresses.get(_V4_SOURCE) or addresses.get(_V6_SOURCE))
    target = a.read_address(addresses.get(_V4_TARGET) or addresses.get(_V6_TARGET))
    if not source or not target:
        return None
    zone, number = a.read_number(said.get(_ZONE), order="big"), a.read_number(protocol.get(_NUMBER))
    if number in _ICMP:
        identifier, kind, code = (a.read_number(protocol.get(each), order="big") for each in _ICMP[number])
        return Connection(zone, number, source, target, kind, code, identifier)
    ports = (a.read_number(protocol.get(each), order="big") for each in (_SOURCE_PORT, _TARGET_PORT))
    return Connection(zone, number, source, target, *ports)
