"""Messages from the switch, unpacked. Whatever is not as OpenFlow says raises WireError, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error
from typing import Any, TypeVar

from attrs import frozen

from quantumd.edge.openflow.interfaces import Flow, Group, Meter, PacketIn, SwitchPort
from quantumd.edge.openflow.match import read_oxm
from quantumd.edge.openflow.messages import METER_KBPS, NICIRA, NICIRA_PACKET_IN2
from quantumd.edge.openflow.oxm import WireError

T = TypeVar("T")

_MULTIPART = Struct("!HH4x")
# Length, table, priority, cookie, match type and length; times, flags and counters are stepped over.
_FLOW = Struct("!HB9xH10xQ16xHH")
_FLOW_FIXED = 48
_GROUP = Struct("!HBxI")
_BUCKET = Struct("!HHII4x")
_METER = Struct("!HHI")
_BAND = Struct("!HHII4x")
_PORT = Struct("!IH2x6s2x16s")
_ERROR = Struct("!HH")
_PORT_STATUS = Struct("!B7x")
_PACKET_IN = Struct("!IHBBQHH")
_TWO_HALVES = Struct("!HH")
_NICIRA = Struct("!II")
_ALL_GROUP = 0
_DROP_BAND = 1
_MORE = 1
_PORT_ADDED, _PORT_DELETED = 0, 1


def multipart(body: bytes) -> tuple[int, bool, bytes]:
    """Return (kind of list, whether more parts follow, the part)."""
    kind, flags = _unpack(_MULTIPART, body, 0)
    return kind, bool(flags & _MORE), body[_MULTIPART.size :]


def flows(part: bytes) -> list[Flow]:
    """Return the flows of one part of the list of flows."""
    found = []
    at, end = 0, len(part)
    unpack = _FLOW.unpack_from
    try:
        while at < end:
            length, table, priority, cookie, kind, match_length = unpack(part, at)
            match_end = at + _FLOW_FIXED + match_length
            body = match_end + -match_length % 8
            stop = at + length
            if kind != 1 or match_length < 4 or body > stop or stop > end:
                raise WireError(f"flow at byte {at} has wrong lengths")
            found.append(Flow(table, priority, part[at + 52 : match_end], cookie, part[body:stop]))
            at = stop
    except error:
        raise WireError(f"flow at byte {at} is truncated") from None
    return found


def groups(part: bytes) -> list[Group]:
    """Return the groups of one part; those of a type that quantumd does not make are left out."""

    def group(piece: bytes) -> Group | None:
        _, kind, number = _unpack(_GROUP, piece, 0)
        return Group(number, _buckets(piece[_GROUP.size :])) if kind == _ALL_GROUP else None

    return _pieces(part, group)


def _buckets(part: bytes) -> tuple[bytes, ...]:
    return tuple(_pieces(part, lambda piece: piece[_BUCKET.size :] if len(piece) >= _BUCKET.size else None))


def meters(part: bytes) -> list[Meter]:
    """Return the meters of one part; one that is not a single drop band has a rate of 0."""

    def meter(piece: bytes) -> Meter:
        _, flags, number = _unpack(_METER, piece, 0)
        if len(piece) != _METER.size + _BAND.size:
            return Meter(number, 0, 0)
        kind, _, rate, burst = _unpack(_BAND, piece, _METER.size)
        return Meter(number, rate, burst, bool(flags & METER_KBPS)) if kind == _DROP_BAND else Meter(number, 0, 0)

    return _pieces(part, meter)


def ports(part: bytes) -> list[SwitchPort]:
    """Return the ports of one part."""
    found = []
    at = 0
    while at < len(part):
        port, length = _port(part, at)
        found.append(port)
        at += length
    return found


def _port(part: bytes, at: int) -> tuple[SwitchPort, int]:
    number, length, _, name = _unpack(_PORT, part, at)
    if length < _PORT.size or at + length > len(part):
        raise WireError(f"port at byte {at} has a wrong length")
    return SwitchPort(number, name.split(b"\0", 1)[0].decode("utf-8", "replace")), length


def port_status(body: bytes) -> tuple[SwitchPort, bool | None]:
    """Return (port, whether it appeared or went); None for a port that only changed."""
    (reason,) = _unpack(_PORT_STATUS, body, 0)
    port, _ = _port(body, _PORT_STATUS.size)
    return port, {_PORT_ADDED: True, _PORT_DELETED: False}.get(reason)


_UPDATE = Struct("!HH")
_UPDATES_OF_OTHERS = frozenset((1, 2, 3, 6))
"""Flows that came, went or changed; and that some were not told of, while too much was waiting to be sent."""


def is_foreign_change(part: bytes) -> bool:
    """Whether somebody else changed flows, by a part of what a switch tells of its flows."""
    at, found = 0, False
    while at < len(part):
        length, event = _unpack(_UPDATE, part, at)
        if length < _UPDATE.size or at + length > len(part):
            raise WireError(f"flow update at byte {at} has a wrong length of {length}")
        found = found or event in _UPDATES_OF_OTHERS
        at += length
    return found


@frozen
class SwitchError:
    """An error message: type and code of OpenFlow, the start of the offending message."""

    kind: int
    code: int
    data: bytes

    @property
    def is_about_existence(self) -> bool:
        """Whether it only says that a meter exists, or that a meter or group does not."""
        return (self.kind, self.code) in (_METER_EXISTS, _UNKNOWN_METER, _UNKNOWN_GROUP)

    def __str__(self) -> str:
        name = _ERROR_TYPES.get(self.kind, "error")
        return f"{name} (type {self.kind}, code {self.code})"


_METER_EXISTS, _UNKNOWN_METER, _UNKNOWN_GROUP = (12, 1), (12, 3), (6, 8)
_ERROR_TYPES = {
    0: "hello failed", 1: "bad request", 2: "bad action", 3: "bad instruction", 4: "bad match", 5: "flow refused",
    6: "group refused", 7: "port refused", 8: "table refused", 10: "setting refused", 12: "meter refused",
    17: "bundle refused", 0xFFFF: "refused by an extension",
}  # fmt: skip


def switch_error(body: bytes) -> SwitchError:
    """Unpack an error message."""
    kind, code = _unpack(_ERROR, body, 0)
    return SwitchError(kind, code, body[_ERROR.size :])


def packet_in(body: bytes) -> PacketIn:
    """Unpack a packet-in of OpenFlow 1.4, which carries no userdata."""
    _, _, _, _, _, kind, length = _unpack(_PACKET_IN, body, 0)
    if kind != 1 or length < 4:
        raise WireError("packet-in without an OXM match")
    start = _PACKET_IN.size - 4
    frame = start + length + -length % 8 + 2
    if frame > len(body):
        raise WireError("packet-in truncated in its match")
    return PacketIn(_in_port(body[start + 4 : start + length]), b"", body[frame:])


def nicira_packet_in(body: bytes) -> PacketIn | None:
    """Unpack a packet-in of the format NXT_PACKET_IN2; None for any other experimenter message."""
    vendor, subtype = _unpack(_NICIRA, body, 0)
    if (vendor, subtype) != (NICIRA, NICIRA_PACKET_IN2):
        return None
    frame, userdata, in_port = b"", b"", 0
    at = _NICIRA.size
    while at < len(body):
        kind, length = _unpack(_TWO_HALVES, body, at)
        if length < 4 or at + length > len(body):
            raise WireError(f"packet-in property {kind} has a wrong length")
        value = body[at + 4 : at + length]
        if kind == 0:
            frame = value
        elif kind == 6:
            # The metadata property is padded between its header and nothing: OXM fields follow at once.
            in_port = _in_port(value)
        elif kind == 7:
            userdata = value
        at += length + -length % 8
    return PacketIn(in_port, userdata, frame)


def _in_port(fields: bytes) -> int:
    """The in_port among packet metadata; fields of metadata that quantumd does not use are stepped over."""
    at = 0
    while at + 4 <= len(fields):
        if fields[at : at + 4] == b"\x80\x00\x00\x04":
            return read_oxm(fields, at)[2]
        at += 4 + fields[at + 3]
    return 0


def _pieces(part: bytes, unpack: Callable[[bytes], T | None]) -> list[T]:
    """Unpack a list whose pieces each begin with their length (2 bytes), leaving out those unpacked as None."""
    found = []
    at = 0
    while at < len(part):
        length = int.from_bytes(part[at : at + 2], "big")
        if length < 8 or at + length > len(part):
            raise WireError(f"piece at byte {at} has a wrong length of {length}")
        piece = unpack(part[at : at + length])
        if piece is not None:
            found.append(piece)
        at += length
    return found


def _unpack(form: Struct, data: bytes, at: int) -> tuple[Any, ...]:
    try:
        return form.unpack_from(data, at)
    except error:
        raise WireError(f"truncated: {len(data)} bytes, needed {at + form.size}") from None
