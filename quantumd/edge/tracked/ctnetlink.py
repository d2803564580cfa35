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
    """Return the addresses by which a translated connection is known outside; of one that is not translated, none.

    Those are where its first packet goes, if answers come from elsewhere, and where its answers go, if it came from
    elsewhere.
    """
    said = a.unpack(body[_HEAD.size :])
    source, target = _ends(said.get(_ORIGINAL, b""))
    answer_source, answer_target = _ends(said.get(_REPLY, b""))
    outer = {target} if target != answer_source else set()
    return frozenset(outer | ({answer_target} if answer_target != source else set())) - {""}


def read_outer_port(body: bytes) -> tuple[str, int, int]:
    """Return where the first packet of a connection goes: address, protocol and port, 0 when it has none."""
    original = a.unpack(a.unpack(body[_HEAD.size :]).get(_ORIGINAL, b""))
    protocol = a.unpack(original.get(_PROTO, b""))
    port = a.read_number(protocol.get(_TARGET_PORT), order="big")
    return _ends(a.unpack(body[_HEAD.size :]).get(_ORIGINAL, b""))[1], a.read_number(protocol.get(_NUMBER)), port


def _ends(direction: bytes) -> tuple[str, str]:
    said = a.unpack(a.unpack(direction).get(_IP, b""))
    source, target = said.get(_V4_SOURCE) or said.get(_V6_SOURCE), said.get(_V4_TARGET) or said.get(_V6_TARGET)
    return a.read_address(source), a.read_address(target)


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
