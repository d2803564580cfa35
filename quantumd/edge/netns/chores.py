"""What is done inside a network namespace, by a thread that is there and may be held."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from quantumd.edge.netns import inside
from quantumd.edge.netns.announcement import announcement
from quantumd.edge.netns.interfaces import Announce

SETTINGS: Final = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/promote_secondaries": "1",
    "ipv4/conf/default/promote_secondaries": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/arp_ignore": "1",
    "ipv4/conf/all/arp_announce": "2",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "ipv4/conf/all/accept_redirects": "0",
    "ipv4/conf/default/accept_redirects": "0",
    "ipv4/fib_multipath_hash_policy": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/fib_multipath_hash_policy": "1",
    "ipv6/conf/all/accept_ra": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/all/accept_redirects": "0",
    "ipv6/conf/default/accept_redirects": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/all/accept_dad": "0",
    "ipv6/conf/all/proxy_ndp": "1",
}
"""Of the kernel, by name below net (sysctl): packets are forwarded, and nobody on a link tells the router otherwise.

With proxy_ndp it answers for those addresses for which it is told to, and for no others.
Without promote_secondaries the first address of a subnet would take the others with it when it goes. Of several next
hops the ports have a say: many connections between two hosts do not all go the same way.
"""

NEIGHBOURS: Final = {"retrans_time_ms": "100", "mcast_solicit": "10", "proxy_delay": "0"}
"""Of a device, by name below neigh: who has an address is asked ten times in a second, not three times in three.

Who asks for an address that is answered for here is answered at once, not within 0.8 s.
The first question may go out a moment before the switch carries the port.
"""

_SYSTEM: Final = Path("/proc/sys/net")
_ETHTOOL: Final = 0x8946
_SET_TX_CHECKSUMS: Final = 0x17
_NAME_BYTES: Final = 16
_NOT_SENT: Final = frozenset({errno.ENODEV, errno.ENXIO, errno.ENETDOWN, errno.EAGAIN, errno.ENOBUFS})
"""The device has gone, or has no room: it is said again."""


def names_with(prefix: str) -> frozenset[str]:
    """Return the names of namespaces that begin so. OSError."""
    found = []
    with suppress(FileNotFoundError):
        found = [each for each in os.listdir(inside.DIRECTORY) if each.startswith(prefix)]
    return frozenset(filter(_is_namespace, found))


def _is_namespace(name: str) -> bool:
    descriptor = inside.open_named(name)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def settle() -> None:
    """Set what makes a router of the namespace. OSError."""
    _set(SETTINGS)


def is_settled() -> bool:
    """Whether the namespace is set as a router needs it. OSError."""
    return not any(_unsettled(SETTINGS))


def prepare(device: str, completes_checksums: bool) -> None:
    """Set what a device of a router needs. OSError."""
    versions = ("ipv4", "ipv6")
    _set({f"{each}/neigh/{device}/{name}": value for each in versions for name, value in NEIGHBOURS.items()})
    if completes_checksums:
        _complete_checksums(device)


def _set(values: Mapping[str, str]) -> None:
    for path, value in _unsettled(values):
        path.write_text(value)


def _unsettled(values: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    for name, value in values.items():
        path = _SYSTEM / name
        # Where the kernel has no IPv6 there is nothing to set.
        with suppress(FileNotFoundError):
            if path.read_text().strip() != value:
                yield path, value


def _complete_checksums(device: str) -> None:
    """Have the kernel write the checksums of what leaves by a device."""
    value = ctypes.create_string_buffer(struct.pack("=II", _SET_TX_CHECKSUMS, 0))
    request = struct.pack("16sP", device.encode()[: _NAME_BYTES - 1], ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        fcntl.ioctl(opened, _ETHTOOL, request.ljust(40, b"\0"))


def announce(announcements: Iterable[Announce]) -> None:
    """Tell the neighbours where addresses are. OSError; a device that has gone is none."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC) as opened:
        opened.setblocking(False)
        for each in announcements:
            frame = announcement(each.mac, each.address.address.partition("/")[0])
            try:
                opened.sendto(frame, (each.address.device, 0))
            except OSError as error:
                if error.errno not in _NOT_SENT:
                    raise
