"""The DHCP server says where it is, and nothing else."""

from __future__ import annotations

from typing import Any

from scapy.layers.l2 import ARP, Ether
from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.neighbour import answer_arp
from quantumd.model.records import DhcpNetworkRecord, DhcpSubnet

CLIENT, SERVER = "fa:16:3e:00:00:05", "fa:16:3e:00:00:02"
NETWORK = DhcpNetworkRecord("n", 1, 1500, SERVER, (DhcpSubnet("s", "10.0.0.0/24", None, (), (), "10.0.0.2"),))


def asked(target: str = "10.0.0.2", **said: Any) -> bytes:
    """Return a question for an address."""
    fields: dict[str, Any] = {"op": 1, "hwsrc": CLIENT, "psrc": "10.0.0.5", "pdst": target, **said}
    return bytes(Ether(src=CLIENT, dst="ff:ff:ff:ff:ff:ff") / ARP(**fields))


class ArpTests(SynchronousTestCase):
    """Questions."""

    def test_who_asks_for_the_server_is_told(self) -> None:
        """To his MAC alone."""
        frame = Ether(answer_arp(asked(), NETWORK) or b"")
        told = frame[ARP]
        self.assertEqual((frame.src, frame.dst), (SERVER, CLIENT))
        self.assertEqual(
            (told.op, told.hwsrc, told.psrc, told.hwdst, told.pdst), (2, SERVER, "10.0.0.2", CLIENT, "10.0.0.5")
        )

    def test_nobody_else_is_answered_for(self) -> None:
        """Not for other addresses, no answers, no strange hardware, nothing short."""
        for frame in (
            asked("10.0.0.3"), asked(op=2), asked(hwtype=6), asked(hwlen=8), asked(ptype=0x86DD),
            asked(hwsrc="fa:16:3e:99:99:99"), asked()[:41], b"",
        ):  # fmt: skip
            self.assertIsNone(answer_arp(frame, NETWORK))

    def test_a_probe_is_answered(self) -> None:
        """It looks whether the address is free, which it is not."""
        self.assertIsNotNone(answer_arp(asked(psrc="0.0.0.0"), NETWORK))
