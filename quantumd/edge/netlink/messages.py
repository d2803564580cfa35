"""Devices and entries of bridges as rtnetlink says them. Pure.

Source: rtnetlink(7), linux/if_link.h, linux/neighbour.h.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

from quantumd.edge.netlink import attributes as a
from quantumd.edge.netlink.interfaces import BRIDGE, EVERYBODY, VXLAN, Fdb, Link, PortFlags

NEW_LINK, DEL_LINK, GET_LINK = 16, 17, 18
NEW_NEIGHBOUR, DEL_NEIGHBOUR, GET_NEIGHBOUR = 28, 29, 30
LINK_GROUP, NEIGHBOUR_GROUP = 1, 3
FAMILY_BRIDGE: Final = 7
VXLAN_PORT: Final = 4789

_LINK = struct.Struct("=BxHiII")
"""ifinfmsg: family, type, index, flags, which flags change."""
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
"""ndmsg: family, index, state, flags, type."""
_UP = 1
_AF_SPEC, _ADDRESS_MODE, _NO_ADDRESS = 26, 8, 1
_ADDRESS, _IFNAME, _MTU, _MASTER, _LINKINFO, _ALIAS = 1, 3, 4, 10, 18, 20
_INFO_KIND, _INFO_DATA, _SLAVE_KIND, _SLAVE_DATA = 1, 2, 4, 5
_FORWARD_DELAY, _MCAST_SNOOPING, _CALL_IPTABLES, _CALL_IP6TABLES = 1, 23, 36, 37
_PORT_LEARNING, _PORT_FLOOD = 8, 9
_VNI, _VXLAN_LOCAL, _VXLAN_LEARNING, _VXLAN_PORT, _VXLAN_LOCAL6 = 1, 4, 7, 15, 17
_DST, _LLADDR, _ND_MASTER = 1, 2, 9
_PERMANENT, _NO_ARP = 0x80, 0x40
_SELF, _TO_MASTER = 0x02, 0x04
_INET6 = 10


def links_query() -> bytes:
    """Ask for all devices."""
    return _LINK.pack(0, 0, 0, 0, 0)


def entries_query() -> bytes:
    """Ask for all entries of bridges."""
    return _NEIGHBOUR.pack(FAMILY_BRIDGE, 0, 0, 0, 0)


def bridge(name: str) -> bytes:
    """Make a bridge."""
    options = (a.number(_FORWARD_DELAY, 0), a.number(_MCAST_SNOOPING, 0, 1), *_filters())
    info = a.nest(_LINKINFO, a.text(_INFO_KIND, BRIDGE), a.nest(_INFO_DATA, *options))
    # With a MAC of its own it does not take those of its ports, and forgets its neighbours when they change.
    own = a.text(_IFNAME, name) + a.mac(_ADDRESS, bridge_mac(name))
    return _LINK.pack(0, 0, 0, _UP, _UP) + own + info


def bridge_mac(name: str) -> str:
    """Return the MAC of a bridge: administered locally, and the same after each start."""
    return "fe:" + blake2b(name.encode(), digest_size=5).digest().hex(":")


def to_no_address() -> bytes:
    """The attribute that keeps a device from giving itself an IPv6 address, and from talking of it."""
    return a.nest(_AF_SPEC, a.nest(_INET6, a.number(_ADDRESS_MODE, _NO_ADDRESS, 1)))


def to_mac(mac: str) -> bytes:
    """The attribute of a device's MAC."""
    return a.mac(_ADDRESS, mac)


def _filters() -> tuple[bytes, bytes]:
    return a.number(_CALL_IPTABLES, 1, 1), a.number(_CALL_IP6TABLES, 1, 1)


def vxlan(name: str, vni: int, local_ip: str, mtu_bytes: int) -> bytes:
    """Make a VXLAN device, which is down until it is in its bridge."""
    local = a.address(_VXLAN_LOCAL6 if ":" in local_ip else _VXLAN_LOCAL, local_ip)
    port = a.number(_VXLAN_PORT, VXLAN_PORT, 2, "big")
    options = (a.number(_VNI, vni), local, a.number(_VXLAN_LEARNING, 0, 1), port)
    info = a.nest(_LINKINFO, a.text(_INFO_KIND, VXLAN), a.nest(_INFO_DATA, *options))
    named = a.text(_IFNAME, name) + a.number(_MTU, mtu_bytes)
    return _LINK.pack(0, 0, 0, 0, 0) + named + info


def about(index: int) -> bytes:
    """Name a device: to ask for it, or to remove it."""
    return _LINK.pack(0, 0, index, 0, 0)


def change(index: int, *attributes: bytes, up: bool = False) -> bytes:
    """Change attributes of a device."""
    return _LINK.pack(0, 0, index, _UP if up else 0, _UP if up else 0) + b"".join(attributes)


def to_master(index: int) -> bytes:
    """The attribute that puts a device into a bridge; 0 takes it out."""
    return a.number(_MASTER, index)


def to_alias(alias: str) -> bytes:
    """The attribute that says what a device is for."""
    return a.text(_ALIAS, alias)


def to_mtu(mtu_bytes: int) -> bytes:
    """The attribute of a device's MTU."""
    return a.number(_MTU, mtu_bytes)


def to_filters() -> bytes:
    """The attribute that has a bridge show IP packets to the filters of IP."""
    return a.nest(_LINKINFO, a.text(_INFO_KIND, BRIDGE), a.nest(_INFO_DATA, *_filters()))


def to_flags(flags: PortFlags) -> bytes:
    """The attribute of how a bridge uses a port."""
    options = (
        a.number(_PORT_LEARNING, int(flags.learning), 1),
        a.number(_PORT_FLOOD, int(flags.flood), 1),
    )
    return a.nest(_LINKINFO, a.text(_SLAVE_KIND, BRIDGE), a.nest(_SLAVE_DATA, *options))


def fdb(entry: Fdb, index: int, is_bridge: bool) -> bytes:
    """An entry: of a VXLAN device itself, of a bridge for itself, or of the bridge that the device is in."""
    if is_bridge:
        return _NEIGHBOUR.pack(FAMILY_BRIDGE, index, _PERMANENT, _SELF, 0) + a.mac(_LLADDR, entry.mac)
    if entry.target_ip:
        head = _NEIGHBOUR.pack(FAMILY_BRIDGE, index, _PERMANENT | _NO_ARP, _SELF, 0)
        return head + a.mac(_LLADDR, entry.mac) + a.address(_DST, entry.target_ip)
    return _NEIGHBOUR.pack(FAMILY_BRIDGE, index, _NO_ARP, _TO_MASTER, 0) + a.mac(_LLADDR, entry.mac)


def is_flood(entry: Fdb) -> bool:
    """Whether a MAC may have several entries of this kind."""
    return entry.mac == EVERYBODY


def read_link(body: bytes) -> tuple[Link, int]:
    """Return a device, whose bridge is not named yet, and the index of that bridge; 0 is none."""
    _, _, index, flags, _ = _LINK.unpack_from(body)
    said = a.unpack(body[_LINK.size :])
    info = a.unpack(said.get(_LINKINFO, b""))
    kind, data = a.read_text(info.get(_INFO_KIND)), a.unpack(info.get(_INFO_DATA, b""))
    filtered = all(a.read_number(data.get(each)) for each in (_CALL_IPTABLES, _CALL_IP6TABLES))
    link = Link(
        mac=a.read_mac(said.get(_ADDRESS, b"")),
        name=a.read_text(said.get(_IFNAME)),
        index=index,
        kind=kind,
        alias=a.read_text(said.get(_ALIAS)),
        mtu_bytes=a.read_number(said.get(_MTU)),
        is_up=bool(flags & _UP),
        filters=kind == BRIDGE and filtered,
        vni=a.read_number(data.get(_VNI)) if kind == VXLAN else 0,
        local_ip=_local_ip(data) if kind == VXLAN else "",
        flags=_read_flags(info),
    )
    return link, a.read_number(said.get(_MASTER))


def _local_ip(data: object) -> str:
    said = dict(data)  # type: ignore[call-overload] # a mapping of attributes
    return a.read_address(said.get(_VXLAN_LOCAL)) or a.read_address(said.get(_VXLAN_LOCAL6))


def _read_flags(info: object) -> PortFlags | None:
    said = dict(info)  # type: ignore[call-overload] # a mapping of attributes
    if a.read_text(said.get(_SLAVE_KIND)) != BRIDGE:
        return None
    data = a.unpack(said.get(_SLAVE_DATA, b""))
    values = (bool(a.read_number(data.get(each))) for each in (_PORT_LEARNING, _PORT_FLOOD))
    return PortFlags(*values)


def read_entry(body: bytes) -> tuple[Fdb, int] | None:
    """Return an entry that was made to stay, whose device is not named yet, and the device's index; None of others."""
    family, index, state, flags, _ = _NEIGHBOUR.unpack_from(body)
    said = a.unpack(body[_NEIGHBOUR.size :])
    lladdr, target = said.get(_LLADDR), said.get(_DST)
    if lladdr is None or len(lladdr) != 6:
        return None
    if family != FAMILY_BRIDGE:
        return None
    if flags & _SELF and target is not None:
        return Fdb("", a.read_mac(lladdr), a.read_address(target)), index
    master = a.read_number(said.get(_ND_MASTER))
    # What a bridge takes for itself stays by being its own.
    is_kept = state & _NO_ARP and not state & _PERMANENT if master != index else state & _PERMANENT
    return (Fdb("", a.read_mac(lladdr)), index) if master and is_kept else None
