"""What packet sockets take of a device's frames: small programs that the kernel runs on each.

Source: bpf(4) of BSD, linux/filter.h.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Mapping
from typing import Final

from quantumd.edge.frames.interfaces import Purpose

_ETH_P_IP: Final = 0x0800
_ETH_P_ARP: Final = 0x0806
_ETH_P_IPV6: Final = 0x86DD
_REQUEST: Final = 1
_SO_ATTACH_FILTER: Final = 26
LARGEST: Final = 65_536
"""How many bytes of a frame are taken."""

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_BYTE, _LOAD_HALF, _LOAD_HALF_INDEXED, _INDEX_HEADER, _IF_EQUAL, _IF_ANY, _RETURN = (
    0x30, 0x28, 0x48, 0xB1, 0x15, 0x45, 0x06,
)  # fmt: skip
_VLAN_PRESENT = 0xFFFFF000 + 48
_Filter = tuple[tuple[int, int, int, int], ...]

# No tag; IPv4; UDP; no fragment; to the port of DHCP servers.
_DHCP: Final[_Filter] = (
    (_LOAD_BYTE, 0, 0, _VLAN_PRESENT),
    (_IF_EQUAL, 0, 9, 0),
    (_LOAD_HALF, 0, 0, 12),
    (_IF_EQUAL, 0, 7, _ETH_P_IP),
    (_LOAD_BYTE, 0, 0, 23),
    (_IF_EQUAL, 0, 5, 17),
    (_LOAD_HALF, 0, 0, 20),
    (_IF_ANY, 3, 0, 0x3FFF),
    (_INDEX_HEADER, 0, 0, 14),
    (_LOAD_HALF_INDEXED, 0, 0, 16),
    (_IF_EQUAL, 1, 0, 67),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, LARGEST),
)
# No tag; ARP; a request.
_ARP: Final[_Filter] = (
    (_LOAD_BYTE, 0, 0, _VLAN_PRESENT),
    (_IF_EQUAL, 0, 4, 0),
    (_LOAD_HALF, 0, 0, 12),
    (_IF_EQUAL, 0, 2, _ETH_P_ARP),
    (_LOAD_HALF, 0, 0, 20),
    (_IF_EQUAL, 1, 0, _REQUEST),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, LARGEST),
)


def _of_ipv6(protocol: int, load: int, at: int, value: int) -> _Filter:
    """No tag; IPv6; a protocol next, so no fragment either; and what is loaded from a place of the frame is a value."""
    return (
        (_LOAD_BYTE, 0, 0, _VLAN_PRESENT),
        (_IF_EQUAL, 0, 6, 0),
        (_LOAD_HALF, 0, 0, 12),
        (_IF_EQUAL, 0, 4, _ETH_P_IPV6),
        (_LOAD_BYTE, 0, 0, 20),
        (_IF_EQUAL, 0, 2, protocol),
        (load, 0, 0, at),
        (_IF_EQUAL, 1, 0, value),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, LARGEST),
    )


# By UDP to the port of DHCPv6 servers.
_DHCP6: Final = _of_ipv6(17, _LOAD_HALF, 56, 547)
# By ICMPv6, a neighbour solicitation.
_SOLICITATION: Final = _of_ipv6(58, _LOAD_BYTE, 54, 135)
FILTERS: Final[Mapping[Purpose, _Filter]] = {
    Purpose.DHCP4: _DHCP,
    Purpose.ARP: _ARP,
    Purpose.DHCP6: _DHCP6,
    Purpose.SOLICITATION: _SOLICITATION,
}
"""What a socket takes, by its purpose: the kernel looks, so that all else costs the process nothing."""


def attach(opened: socket.socket, purpose: Purpose) -> None:
    """Let a packet socket take what it is for, and nothing else. OSError."""
    instructions = FILTERS[purpose]
    code = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in instructions))
    # sock_fprog: the number of instructions, and where they are.
    program = struct.pack("HP", len(instructions), ctypes.addressof(code))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
