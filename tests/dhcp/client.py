"""A DHCP client's side of the wire, for tests: builds requests and reads replies."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from attrs import frozen

from quantumd.dhcp.addresses import EVERY_MAC, EVERYONE, NO_ADDRESS, pack_ip, pack_mac
from quantumd.dhcp.frames import Datagram, build_frame, parse_frame
from quantumd.dhcp.message import Message, MessageType, encode_option, parse_message
from quantumd.dhcp.reasons import Reason
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, DhcpSubnet, FixedIp, HostRoute

NETWORK_ID = "11111111-0000-4000-8000-000000000001"
PORT_ID = "22222222-0000-4000-8000-000000000001"
MAC = "fa:16:3e:00:00:05"
SERVER_MAC = "fa:16:3e:00:00:02"
SUBNET = DhcpSubnet(
    id="33333333-0000-4000-8000-000000000001",
    cidr="10.0.0.0/24",
    gateway_ip="10.0.0.1",
    dns_nameservers=("9.9.9.9", "1.1.1.1"),
    host_routes=(HostRoute("10.8.0.0/16", "10.0.0.9"),),
    server_address="10.0.0.2",
)
SECOND_SUBNET = DhcpSubnet(
    id="33333333-0000-4000-8000-000000000002",
    cidr="192.168.7.0/25",
    gateway_ip=None,
    dns_nameservers=(),
    host_routes=(),
    server_address="192.168.7.2",
)
NETWORK = DhcpNetworkRecord(NETWORK_ID, 3, 1442, SERVER_MAC, (SUBNET,))
TWO_SUBNETS = DhcpNetworkRecord(NETWORK_ID, 4, 1442, SERVER_MAC, (SUBNET, SECOND_SUBNET))
PORT = DhcpPortRecord(PORT_ID, 5, NETWORK_ID, MAC, (FixedIp(SUBNET.id, "10.0.0.5"),))
TWO_ADDRESSES = DhcpPortRecord(
    PORT_ID, 6, NETWORK_ID, MAC, (FixedIp(SECOND_SUBNET.id, "192.168.7.5"), FixedIp(SUBNET.id, "10.0.0.5"))
)

Options = Iterable[tuple[int, bytes]]


def request_payload(
    kind: MessageType | None,
    options: Options = (),
    *,
    ciaddr: str = "0.0.0.0",
    giaddr: str = "0.0.0.0",
    mac: str = MAC,
    flags: int = 0,
    op: int = 1,
    xid: int = 0x01020304,
    tail: bytes = b"\xff",
) -> bytes:
    """Return the UDP payload of a request."""
    fixed = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s4s",
        op, 1, 6, 0, xid, 0, flags, pack_ip(ciaddr), NO_ADDRESS, NO_ADDRESS, pack_ip(giaddr), pack_mac(mac),
        b"", b"", b"\x63\x82\x53\x63",
    )  # fmt: skip
    head = () if kind is None else ((53, bytes((kind,))),)
    return fixed + b"".join(encode_option(code, value) for code, value in (*head, *options)) + tail


def frame_of(
    payload: bytes, *, source_mac: str = MAC, source: str = "0.0.0.0", target: str = "255.255.255.255"
) -> bytes:
    """Return the frame that carries a request."""
    to_everyone = pack_ip(target) == EVERYONE
    return build_frame(
        Datagram(
            source_mac=pack_mac(source_mac),
            target_mac=EVERY_MAC if to_everyone else pack_mac(SERVER_MAC),
            source_ip=pack_ip(source),
            target_ip=pack_ip(target),
            source_port=68,
            target_port=67,
            payload=payload,
        )
    )


@frozen
class Received:
    """A reply, taken apart."""

    datagram: Datagram
    message: Message

    def option(self, code: int) -> bytes | None:
        """Return an option, None when it is not there."""
        return self.message.options.get(code)


def read(frame: bytes | None) -> Received:
    """Take a reply apart; AssertionError when there is none or it is not sound."""
    if frame is None:
        raise AssertionError("there is no reply")
    datagram = parse_frame(frame)
    if isinstance(datagram, Reason):
        raise AssertionError(f"the reply is no datagram: {datagram}")
    message = parse_message(datagram.payload)
    if isinstance(message, Reason):
        raise AssertionError(f"the reply is no DHCP message: {message}")
    return Received(datagram, message)
