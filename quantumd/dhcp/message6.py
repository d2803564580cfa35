"""DHCPv6 messages of clients, as values. Source: RFC 8415, 8 (messages), 21 (options)."""

from __future__ import annotations

from attrs import frozen

from quantumd.dhcp.message import MOST_REQUEST_BYTES
from quantumd.dhcp.reasons import Reason
from quantumd.edge.dhcpv6.messages import HEAD_BYTES, LONGEST_DUID, Code6, MessageType6, Option6, parse_options6

MOST_ASSOCIATIONS = 16
"""How many things a client may want in one message; more are refused."""

_RELAYED = frozenset({MessageType6.RELAY_FORWARD, MessageType6.RELAY_REPLY})
_ASSOCIATION_BYTES = {Code6.IA_NA: 12, Code6.IA_TA: 4, Code6.IA_PD: 12}
_ADDRESS_BYTES = 24
_ONCE = frozenset({Code6.CLIENT_ID, Code6.SERVER_ID, Code6.WANTED_OPTIONS, Code6.RAPID_COMMIT})


@frozen
class Association:
    """Something that a client wants, or has, by the id that it gave it (4 bytes); addresses of 16 bytes.

    ``code`` is IA_NA for addresses, IA_TA for temporary ones, IA_PD for prefixes, of which none are read.
    """

    code: int
    iaid: bytes
    addresses: tuple[bytes, ...]


@frozen
class Message6:
    """A message of a client. Ids are b'' when there are none; ``xid`` has 3 bytes."""

    type: MessageType6
    xid: bytes
    client_id: bytes = b""
    server_id: bytes = b""
    associations: tuple[Association, ...] = ()
    has_rapid_commit: bool = False


def parse_message6(payload: bytes) -> Message6 | Reason:
    """Return the DHCPv6 message in a UDP payload, or why there is none; linear in the payload's length."""
    if len(payload) < HEAD_BYTES:
        return Reason.MESSAGE_TRUNCATED
    if len(payload) > MOST_REQUEST_BYTES:
        return Reason.MESSAGE_TOO_LONG
    if not MessageType6.SOLICIT <= payload[0] <= MessageType6.RELAY_REPLY:
        return Reason.NOT_A_REQUEST
    kind = MessageType6(payload[0])
    if kind in _RELAYED:
        return Reason.RELAYED
    options = parse_options6(payload[HEAD_BYTES:])
    if options is None:
        return Reason.OPTION_OVERRUN
    return _message(kind, payload[1:HEAD_BYTES], options)


def _message(kind: MessageType6, xid: bytes, options: tuple[Option6, ...]) -> Message6 | Reason:
    once: dict[int, bytes] = {}
    associations: list[Association] = []
    for code, value in options:
        if code in _ONCE:
            if code in once:
                return Reason.BAD_OPTION
            once[code] = value
        elif code in _ASSOCIATION_BYTES:
            association = _association(code, value)
            if association is None or len(associations) == MOST_ASSOCIATIONS:
                return Reason.BAD_OPTION
            associations.append(association)
    client_id, server_id = once.get(Code6.CLIENT_ID), once.get(Code6.SERVER_ID)
    if any(duid is not None and not 3 <= len(duid) <= LONGEST_DUID for duid in (client_id, server_id)):
        return Reason.BAD_OPTION
    return Message6(kind, xid, client_id or b"", server_id or b"", tuple(associations), Code6.RAPID_COMMIT in once)


def _association(code: int, value: bytes) -> Association | None:
    head = _ASSOCIATION_BYTES[Code6(code)]
    if len(value) < head:
        return None
    options = parse_options6(value[head:])
    if options is None:
        return None
    addresses = tuple(each[:16] for inner, each in options if inner == Code6.IA_ADDRESS)
    if any(len(each) < _ADDRESS_BYTES for inner, each in options if inner == Code6.IA_ADDRESS):
        return None
    return Association(code, value[:4], () if code == Code6.IA_PD else addresses)
