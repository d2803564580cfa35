"""What a router says to have a prefix delegated, and what servers answer. Pure.

Source: RFC 8415, 18.2 (clients), 21.21 (IA_PD), 21.22 (IA_PREFIX), 21.24 (SOL_MAX_RT).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network
from typing import Final

from attrs import frozen

from quantumd.edge.dhcpv6.messages import (
    DUID_UUID,
    HEAD_BYTES,
    LONGEST_DUID,
    Code6,
    MessageType6,
    Option6,
    build_message6,
    encode_option6,
    parse_options6,
)

MOST_PREFIXES: Final = 16
"""How many prefixes of one association are looked at."""

_MOST_BYTES: Final = 1232
"""Of a message: what every link carries in one piece."""
_ASSOCIATION_BYTES: Final = 12
_PREFIX_BYTES: Final = 25
_LONGEST_ELAPSED: Final = 0xFFFF
_LEAST_SOL_MAX_RT, _MOST_SOL_MAX_RT = 60, 86_400
_ANSWERS: Final = frozenset({MessageType6.ADVERTISE, MessageType6.REPLY})
_ONCE: Final = frozenset(
    {Code6.CLIENT_ID, Code6.SERVER_ID, Code6.PREFERENCE, Code6.STATUS, Code6.SOL_MAX_RT},
)
ANY_PREFIX: Final = "::/64"
"""Stands for a prefix of this length, whichever (RFC 8415, 18.2.4)."""


@frozen
class Identity:
    """Who asks, and for what: a DUID, and the id of the one association."""

    client_id: bytes
    iaid: bytes


def identity_of(subnet_id: str) -> Identity:
    """Return who asks for the prefix of a subnet: the same on every host, for as long as the subnet lives.

    Each subnet is a client of its own, so that nothing has to be counted or kept, and none is in another's way.
    """
    uuid = bytes.fromhex(subnet_id.replace("-", ""))
    return Identity(DUID_UUID + uuid, uuid[:4])


@frozen
class Given:
    """A prefix in a server's answer, and for how many seconds; both are 0 when it must be used no more."""

    prefix: str
    preferred_seconds: int
    valid_seconds: int


@frozen
class Answer:
    """A server's answer to one association. ``status`` is the association's, else the message's; 0 is success.

    ``t1_seconds`` and ``t2_seconds``: when to renew and to rebind; 0 leaves that to the client. ``solicit_seconds``:
    how often, at most, the server wants to be solicited; 0 when it does not say.
    """

    type: MessageType6
    server_id: bytes
    given: tuple[Given, ...] = ()
    status: int = 0
    preference: int = 0
    t1_seconds: int = 0
    t2_seconds: int = 0
    solicit_seconds: int = 0


def question(
    kind: MessageType6, xid: bytes, who: Identity, prefix: str, elapsed_seconds: float, server_id: bytes = b""
) -> bytes:
    """Return a message about one prefix; without a ``server_id`` it is for whoever answers."""
    elapsed = min(int(elapsed_seconds * 100), _LONGEST_ELAPSED)
    return build_message6(kind, xid, _options(kind, who, prefix, elapsed, server_id), _MOST_BYTES)


def _options(kind: MessageType6, who: Identity, prefix: str, elapsed: int, server_id: bytes) -> Iterator[Option6]:
    yield Code6.CLIENT_ID, who.client_id
    if server_id:
        yield Code6.SERVER_ID, server_id
    yield Code6.ELAPSED, elapsed.to_bytes(2, "big")
    if kind != MessageType6.RELEASE:
        yield Code6.WANTED_OPTIONS, Code6.SOL_MAX_RT.to_bytes(2, "big")
    network = IPv6Network(prefix)
    wanted = bytes(8) + bytes((network.prefixlen,)) + network.network_address.packed
    yield Code6.IA_PD, who.iaid + bytes(8) + encode_option6(Code6.IA_PREFIX, wanted)


def read_answer(payload: bytes, xid: bytes, who: Identity) -> Answer | None:
    """Return what a server answers to a message of this transaction; None when it is none, or is not sound."""
    if len(payload) < HEAD_BYTES or payload[1:HEAD_BYTES] != xid or payload[0] not in _ANSWERS:
        return None
    options = parse_options6(payload[HEAD_BYTES:])
    if options is None:
        return None
    once: dict[int, bytes] = {}
    own: list[bytes] = []
    for code, value in options:
        if code in _ONCE:
            if code in once:
                return None
            once[code] = value
        elif code == Code6.IA_PD and value[:4] == who.iaid:
            own.append(value)
    server_id = once.get(Code6.SERVER_ID, b"")
    if once.get(Code6.CLIENT_ID) != who.client_id or not 3 <= len(server_id) <= LONGEST_DUID or len(own) > 1:
        return None
    return _answer(MessageType6(payload[0]), server_id, once, own[0] if own else None)


def _answer(kind: MessageType6, server_id: bytes, once: dict[int, bytes], association: bytes | None) -> Answer | None:
    preference, said = once.get(Code6.PREFERENCE, b"\0"), once.get(Code6.SOL_MAX_RT, b"")
    wished = _number(said) if len(said) == 4 else 0
    solicit_seconds = wished if _LEAST_SOL_MAX_RT <= wished <= _MOST_SOL_MAX_RT else 0
    status = _number(once.get(Code6.STATUS, b"\0\0")[:2])
    first = Answer(kind, server_id, (), status, preference[0] if preference else 0, 0, 0, solicit_seconds)
    if association is None:
        return first
    inner = parse_options6(association[_ASSOCIATION_BYTES:]) if len(association) >= _ASSOCIATION_BYTES else None
    if inner is None:
        return None
    t1, t2 = _number(association[4:8]), _number(association[8:12])
    if 0 < t2 < t1:
        # The association is as good as not there (RFC 8415, 21.21).
        return first
    own_status = next((_number(value[:2]) for code, value in inner if code == Code6.STATUS), status)
    prefixes = [value for code, value in inner if code == Code6.IA_PREFIX][:MOST_PREFIXES]
    given = tuple(each for each in map(_given, prefixes) if each is not None)
    return Answer(kind, server_id, given, own_status, first.preference, t1, t2, solicit_seconds)


def _given(value: bytes) -> Given | None:
    """Return a prefix of an association; None of one that is not sound."""
    if len(value) < _PREFIX_BYTES or not 0 < value[8] <= 128:
        return None
    preferred, valid = _number(value[:4]), _number(value[4:8])
    if preferred > valid:
        return None
    network = IPv6Network((value[9:25], value[8]), strict=False)
    return Given(str(network), preferred, valid)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
