"""Devices, addresses, and addresses that are answered for, as rtnetlink says them. Pure.

Source: rtnetlink(7), linux/if_addr.h, linux/neighbour.h, linux/veth.h.
"""

from __future__ import annotations

import struct
from ipaddress import ip_interface

from attrs import frozen

from quantumd.edge.netlink import attributes as a
from quantumd.edge.netns.interfaces import Device

NEW_LINK, DEL_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DEL_ADDRESS, GET_ADDRESS = 20, 21, 22
NEW_NEIGHBOUR, DEL_NEIGHBOUR, GET_NEIGHBOUR = 28, 29, 30

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBi")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
"""ndmsg: family, index of the device, state, flags, type."""
_UP, _CARRIER = 1, 1 << 16
_IFNAME, _MAC, _MTU, _PEER, _LINKINFO, _ALIAS, _NAMESPACE_FD, _AF_SPEC = 3, 1, 4, 5, 18, 20, 28, 26
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_NO_DAD, _UNIVERSE, _LINK_SCOPE = 0x02, 0, 253
_INET, _INET6 = 2, 10
_PROXY, _NEIGHBOUR_ADDRESS = 0x08, 1


@frozen
class Link:
    """A device: ``peer`` is the index of the other end of a pair, 0 of none."""

    index: int
    device: Device
    peer: int
    alias: str


def pair(device: Device, outer: str, outer_namespace: int) -> bytes:
    """Make a pair of devices; the outer end, which is down, in the namespace of this descriptor."""
    mtu = a.number(_MTU, device.mtu_bytes)
    peer = _LINK.pack(0, 0, 0, 0, 0) + a.text(_IFNAME, outer) + mtu + a.number(_NAMESPACE_FD, outer_namespace)
    info = a.nest(_LINKINFO, a.text(_INFO_KIND, "veth"), a.nest(_INFO_DATA, a.pack(_VETH_PEER, peer)))
    named = a.text(_IFNAME, device.name) + a.mac(_MAC, device.mac) + mtu
    return _LINK.pack(0, 0, 0, 0, 0) + named + info


def links() -> bytes:
    """Ask for all devices."""
    return _LINK.pack(0, 0, 0, 0, 0)


def named(name: str) -> bytes:
    """Ask for a device."""
    return _LINK.pack(0, 0, 0, 0, 0) + a.text(_IFNAME, name)


def about(index: int) -> bytes:
    """Name a device: to remove it."""
    return _LINK.pack(0, 0, index, 0, 0)


def changed(index: int, mtu_bytes: int, mac: str = "") -> bytes:
    """Give a device an MTU and, if one is named, a MAC."""
    return _LINK.pack(0, 0, index, 0, 0) + (a.mac(_MAC, mac) if mac else b"") + a.number(_MTU, mtu_bytes)


def up(index: int) -> bytes:
    """Have a device up."""
    return _LINK.pack(0, 0, index, _UP, _UP)


def labelled(index: int, alias: str) -> bytes:
    """Say whose a device is."""
    return _LINK.pack(0, 0, index, 0, 0) + a.text(_ALIAS, alias)


def quiet(index: int) -> bytes:
    """Let a device have no address of its own."""
    return _LINK.pack(0, 0, index, 0, 0) + a.nest(_AF_SPEC, a.nest(_INET6, a.number(8, 1, 1)))


def read_link(body: bytes) -> Link:
    """Return a device; which one is its other end is known by index only."""
    _, _, index, flags, _ = _LINK.unpack_from(body)
    said = a.unpack(body[_LINK.size :])
    mac, mtu = a.read_mac(said.get(_MAC, b"")), a.read_number(said.get(_MTU))
    # It has a carrier while its other end is up.
    is_up = bool(flags & _UP and flags & _CARRIER)
    device = Device(a.read_text(said.get(_IFNAME)), mac, mtu, is_up=is_up)
    return Link(index, device, a.read_number(said.get(_PEER)), a.read_text(said.get(_ALIAS)))


def addresses() -> bytes:
    """Ask for all addresses."""
    return _ADDRESS.pack(0, 0, 0, 0, 0)


def address(index: int, text: str) -> bytes:
    """Name an address of a device, with the length of its prefix. One of IPv6 is used at once."""
    interface = ip_interface(text)
    family = _INET6 if interface.version == 6 else _INET
    said = a.pack(_IFA_LOCAL, interface.ip.packed) + a.pack(_IFA_ADDRESS, interface.ip.packed)
    head = _ADDRESS.pack(family, interface.network.prefixlen, 0, _UNIVERSE, index)
    return head + said + a.number(_IFA_FLAGS, _NO_DAD)


def read_address(body: bytes) -> tuple[int, str] | None:
    """Return the index of a device and an address of it; None of what it has of the link alone."""
    _, length, _, scope, index = _ADDRESS.unpack_from(body)
    said = a.unpack(body[_ADDRESS.size :])
    text = a.read_address(said.get(_IFA_LOCAL) or said.get(_IFA_ADDRESS))
    return (index, f"{text}/{length}") if text and scope < _LINK_SCOPE else None


def proxied() -> bytes:
    """Ask for all addresses of IPv6 that are answered for."""
    return _NEIGHBOUR.pack(_INET6, 0, 0, _PROXY, 0)


def proxied_at(index: int, text: str) -> bytes:
    """Name an address that is answered for on the link of a device."""
    address_text = str(ip_interface(text).ip)
    return _NEIGHBOUR.pack(_INET6, index, 0, _PROXY, 0) + a.address(_NEIGHBOUR_ADDRESS, address_text)


def read_proxied(body: bytes) -> tuple[int, str] | None:
    """Return the index of a device and an address that is answered for there; None of any other neighbour."""
    family, index, _, flags, _ = _NEIGHBOUR.unpack_from(body)
    text = a.read_address(a.unpack(body[_NEIGHBOUR.size :]).get(_NEIGHBOUR_ADDRESS))
    return (index, f"{text}/128") if family == _INET6 and flags & _PROXY and text else None
