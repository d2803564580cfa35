"""scapy reads our replies, and we read what scapy writes: an oracle that knows nothing of our code."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip, pack_mac
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.responder import answer
from tests.dhcp.client import MAC, NETWORK, PORT, SERVER_MAC

SETTINGS = DhcpSettings(lease_seconds=86_400)
ADDRESS = st.integers(0, 2**32 - 1).map(lambda number: ".".join(map(str, number.to_bytes(4, "big"))))


def scapy_frame(kind: str, *options: Any, padding: int = 0, **fields: Any) -> bytes:
    """Return a client's frame, written by scapy."""
    layers = (
        Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=pack_mac(MAC), xid=0xDEADBEEF, **fields)
        / DHCP(options=[("message-type", kind), *options, "end", *["pad"] * padding])
    )
    return bytes(layers)


def read(frame: bytes | None) -> tuple[Any, dict[str, Any]]:
    """Return the packet as scapy understands it, and its options by scapy's names."""
    if frame is None:
        raise AssertionError("there is no reply")
    packet = Ether(frame)
    options = {item[0]: item[1:] for item in packet[DHCP].options if isinstance(item, tuple)}
    return packet, {name: values[0] if len(values) == 1 else values for name, values in options.items()}


class OracleTests(SynchronousTestCase):
    """The same message, read by two."""

    def test_scapy_reads_the_offer(self) -> None:
        """Every option means to scapy what it means to us."""
        packet, options = read(answer(scapy_frame("discover"), PORT, NETWORK, SETTINGS).frame)
        self.assertEqual(
            (packet.src, packet.dst, packet[IP].src, packet[IP].dst), (SERVER_MAC, MAC, "10.0.0.2", "10.0.0.5")
        )
        self.assertEqual((packet[UDP].sport, packet[UDP].dport), (67, 68))
        self.assertEqual((packet[BOOTP].op, packet[BOOTP].xid, packet[BOOTP].yiaddr), (2, 0xDEADBEEF, "10.0.0.5"))
        self.assertEqual(
            options,
            {
                "message-type": MessageType.OFFER,
                "server_id": "10.0.0.2",
                "lease_time": 86_400,
                "renewal_time": 43_200,
                "rebinding_time": 75_600,
                "subnet_mask": "255.255.255.0",
                "classless_static_routes": ["10.8.0.0/16:10.0.0.9", "0.0.0.0/0:10.0.0.1"],
                "router": "10.0.0.1",
                "interface-mtu": 1442,
                "name_server": ("9.9.9.9", "1.1.1.1"),
                "domain": b"openstacklocal",
                "hostname": b"host-10-0-0-5",
                "broadcast_address": "10.0.0.255",
            },
        )

    def test_scapy_agrees_on_checksums(self) -> None:
        """What scapy computes anew is what we sent."""
        frame = answer(scapy_frame("discover"), PORT, NETWORK, SETTINGS).frame
        packet, _ = read(frame)
        del packet[IP].chksum, packet[UDP].chksum, packet[IP].len, packet[UDP].len
        self.assertEqual(bytes(packet), frame)

    def test_the_whole_exchange(self) -> None:
        """DISCOVER, OFFER, REQUEST, ACK with scapy as the client."""
        _, offer = read(answer(scapy_frame("discover"), PORT, NETWORK, SETTINGS).frame)
        request = scapy_frame("request", ("server_id", offer["server_id"]), ("requested_addr", "10.0.0.5"))
        packet, ack = read(answer(request, PORT, NETWORK, SETTINGS).frame)
        self.assertEqual((ack["message-type"], packet[BOOTP].yiaddr), (MessageType.ACK, "10.0.0.5"))

    @settings(max_examples=60, deadline=None)
    @given(ADDRESS, st.binary(min_size=2, max_size=40), st.integers(0, 3), st.integers(576, 1500))
    def test_requests_are_read_as_they_were_written(
        self, wish: str, client_id: bytes, padding: int, most_bytes: int
    ) -> None:
        """ACK for the own address, NAK for every other; the client's id comes back as it was."""
        frame = scapy_frame(
            "request",
            ("client_id", client_id),
            ("max_dhcp_size", most_bytes),
            ("param_req_list", [1, 3, 6, 15, 26, 121, 249]),
            ("requested_addr", wish),
            padding=padding,
        )
        answered = answer(frame, PORT, NETWORK, SETTINGS)
        if wish == "0.0.0.0":
            self.assertIsNone(answered.frame)
            return
        packet, options = read(answered.frame)
        self.assertEqual(options["message-type"], MessageType.ACK if wish == "10.0.0.5" else MessageType.NAK)
        self.assertEqual((options["client_id"], answered.address), (client_id, pack_ip(wish)))
        self.assertLessEqual(packet[IP].len, most_bytes)
