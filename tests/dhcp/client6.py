"""A DHCPv6 client's side of the wire, for tests: builds requests and reads replies."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from quantumd.dhcp.addresses import pack_mac
from quantumd.dhcp.addresses6 import link_local, pack_ip6, show_ip6
from quantumd.dhcp.frames import Datagram
from quantumd.dhcp.frames6 import build_frame6, parse_frame6
from quantumd.dhcp.options6 import server_duid
from quantumd.dhcp.reasons import Reason
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, Option6, encode_option6, parse_options6
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, DhcpSubnet6, FixedIp
from tests.dhcp.client import MAC, NETWORK_ID, PORT_ID, SERVER_MAC

SUBNET6 = DhcpSubnet6("44444444-0000-4000-8000-000000000001", "fd00:1::/64", True, ("fd00::53", "fd00::54"))
SECOND_SUBNET6 = DhcpSubnet6("44444444-0000-4000-8000-000000000002", "fd00:2::/64", True, ())
STATELESS6 = DhcpSubnet6("44444444-0000-4000-8000-000000000003", "fd00:3::/64", False, ("fd00::55",))
NETWORK6 = DhcpNetworkRecord(NETWORK_ID, 3, 1442, SERVER_MAC, (), (SUBNET6,))
THREE_SUBNETS6 = DhcpNetworkRecord(NETWORK_ID, 4, 1442, SERVER_MAC, (), (SUBNET6, SECOND_SUBNET6, STATELESS6))
STATELESS_NETWORK6 = DhcpNetworkRecord(NETWORK_ID, 4, 1442, SERVER_MAC, (), (STATELESS6,))
ADDRESS, SECOND_ADDRESS, COMPUTED = "fd00:1::5", "fd00:2::5", "fd00:3::f816:3eff:fe00:5"
PORT6 = DhcpPortRecord(PORT_ID, 5, NETWORK_ID, MAC, (), (FixedIp(SUBNET6.id, ADDRESS),))
TWO_ADDRESSES6 = DhcpPortRecord(
    PORT_ID,
    6,
    NETWORK_ID,
    MAC,
    (),
    (FixedIp(SUBNET6.id, ADDRESS), FixedIp(SECOND_SUBNET6.id, SECOND_ADDRESS), FixedIp(STATELESS6.id, COMPUTED)),
)
CLIENT_DUID = bytes.fromhex("00030001fa163e000005")
DUID = server_duid(NETWORK_ID)
IAID = b"\1\2\3\4"
ALL_SERVERS_TEXT = "ff02::1:2"

CLIENT: Option6 = (Code6.CLIENT_ID, CLIENT_DUID)
SERVER: Option6 = (Code6.SERVER_ID, DUID)


def ia(*addresses: str, iaid: bytes = IAID, code: int = Code6.IA_NA) -> Option6:
    """Return an association that names addresses."""
    inner = b"".join(encode_option6(Code6.IA_ADDRESS, pack_ip6(each) + bytes(8)) for each in addresses)
    return code, iaid + (b"" if code == Code6.IA_TA else bytes(8)) + inner


def payload6(kind: int, options: Iterable[Option6] = (), xid: bytes = b"xid", tail: bytes = b"") -> bytes:
    """Return the UDP payload of a message."""
    return bytes((kind,)) + xid + b"".join(encode_option6(*each) for each in options) + tail


def frame6_of(
    payload: bytes,
    *,
    source_mac: str = MAC,
    source: str | None = None,
    target: str = ALL_SERVERS_TEXT,
    target_port: int = 547,
) -> bytes:
    """Return the frame that carries a message, from the link-local address of the MAC unless another is given."""
    is_multicast = target.startswith("ff")
    return build_frame6(
        Datagram(
            source_mac=pack_mac(source_mac),
            target_mac=b"\x33\x33\x00\x01\x00\x02" if is_multicast else pack_mac(SERVER_MAC),
            source_ip=pack_ip6(source) if source is not None else link_local(source_mac),
            target_ip=pack_ip6(target),
            source_port=546,
            target_port=target_port,
            payload=payload,
        )
    )


@frozen
class Granted:
    """An association in a reply: addresses with their preferred and valid seconds; -1 is no status."""

    iaid: bytes
    times: tuple[int, int]
    addresses: tuple[tuple[str, int, int], ...]
    status: int = -1


@frozen
class Received6:
    """A reply, taken apart."""

    datagram: Datagram
    kind: MessageType6
    xid: bytes
    options: tuple[Option6, ...]

    def option(self, code: int) -> bytes | None:
        """Return the first such option, None when there is none."""
        return next((value for each, value in self.options if each == code), None)

    def addresses(self, code: int) -> tuple[str, ...]:
        """Return the addresses of an option that is a list of them."""
        value = self.option(code) or b""
        return tuple(show_ip6(value[at : at + 16]) for at in range(0, len(value), 16))

    @property
    def status(self) -> int:
        """What became of all of it; -1 when it does not say."""
        value = self.option(Code6.STATUS)
        return -1 if value is None else int.from_bytes(value[:2], "big")

    @property
    def granted(self) -> tuple[Granted, ...]:
        """Return what became of each IA_NA."""
        return tuple(_granted(value) for code, value in self.options if code == Code6.IA_NA)


def _granted(value: bytes) -> Granted:
    inner = parse_options6(value[12:])
    if inner is None:
        raise AssertionError("an association is not sound")
    addresses = tuple(
        (show_ip6(each[:16]), _number(each[16:20]), _number(each[20:24]))
        for code, each in inner
        if code == Code6.IA_ADDRESS
    )
    status = next((_number(each[:2]) for code, each in inner if code == Code6.STATUS), -1)
    return Granted(value[:4], (_number(value[4:8]), _number(value[8:12])), addresses, status)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def read6(frame: bytes | None) -> Received6:
    """Take a reply apart; AssertionError when there is none or it is not sound."""
    if frame is None:
        raise AssertionError("there is no reply")
    datagram = parse_frame6(frame)
    if isinstance(datagram, Reason):
        raise AssertionError(f"the reply is no datagram: {datagram}")
    options = parse_options6(datagram.payload[4:])
    if options is None:
        raise AssertionError("the reply is no DHCPv6 message")
    return Received6(datagram, MessageType6(datagram.payload[0]), datagram.payload[1:4], options)
