"""Run as a program in the network namespace of a switch: opens a tap device as a hypervisor does, and asks for an
address.

The line of JSON on standard input says ``device`` and ``frame``, a DHCP discover in hexadecimal digits, which is sent
each second. What is on standard output then is the first frame that came from UDP port 67, if one did.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import time
from ipaddress import IPv4Address
from typing import Final

_SET_INTERFACE: Final = 0x400454CA
_TAP_WITHOUT_HEADER: Final = 0x1002
_LIMIT_SECONDS: Final = 10.0
_PORT_67: Final = b"\x00\x43"
_UDP, _DHCP = 34, 42
"""Where the UDP header and the message begin in a frame without VLAN and IP options."""


def offered_address(namespace: str, device: str, discover: bytes) -> str:
    """Return the address that a DHCP server offers to who opens the device, '' when none does."""
    done = subprocess.run(
        ("ip", "netns", "exec", namespace, sys.executable, "-P", __file__),
        input=json.dumps({"device": device, "frame": discover.hex()}) + "\n", capture_output=True, text=True,
        timeout=3 * _LIMIT_SECONDS, check=True,
    )  # fmt: skip
    frame = bytes.fromhex(done.stdout)
    return str(IPv4Address(frame[_DHCP + 16 : _DHCP + 20])) if frame else ""


def main() -> None:
    """Ask until an offer comes."""
    wanted = json.loads(sys.stdin.readline())
    device = os.open("/dev/net/tun", os.O_RDWR)
    name = struct.pack("16sH", wanted["device"].encode(), _TAP_WITHOUT_HEADER)
    fcntl.ioctl(device, _SET_INTERFACE, name)
    end = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < end:
        os.write(device, bytes.fromhex(wanted["frame"]))
        while select.select([device], [], [], 1.0)[0]:
            frame = os.read(device, 65_536)
            if frame[_UDP : _UDP + 2] == _PORT_67:
                sys.stdout.write(frame.hex())
                return


if __name__ == "__main__":
    main()
