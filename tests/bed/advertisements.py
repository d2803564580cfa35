"""What a VM is told by the router on its link."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6ND_RS, IPv6
from scapy.layers.l2 import Ether

from tests.bed.host import Guest
from tests.bed.wire import Wire

_ADVERTISEMENT = 134


def solicited(guest: Guest, seconds: float = 10.0) -> Any:
    """Solicit an advertisement, as a VM that has no address yet; return it, None when none comes in time."""
    asked = Ether(src=guest.mac, dst="33:33:00:00:00:02") / IPv6(src="::", dst="ff02::2", hlim=255) / ICMPv6ND_RS()
    with Wire(guest.vm.namespace) as wire:
        wire.send(bytes(asked))
        frame = wire.await_frame(lambda data: data[12:14] == b"\x86\xdd" and data[54] == _ADVERTISEMENT, seconds)
    return None if frame is None else Ether(frame)[ICMPv6ND_RA]
