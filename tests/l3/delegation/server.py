"""A server of prefixes for tests: what it says is what it is told to say."""

from __future__ import annotations

from ipaddress import IPv6Network

from attrs import define, field

from quantumd.edge.dhcpv6.messages import Code6, MessageType6, encode_option6, parse_options6

SERVER = b"\0\3\0\1\1\2\3\4\5\6"
OTHER_SERVER = b"\0\3\0\1\6\5\4\3\2\1"
PREFIX = "2001:db8:1::/64"


@define
class Question:
    """A client's message, taken apart."""

    type: MessageType6
    xid: bytes
    options: dict[int, bytes]

    @property
    def iaid(self) -> bytes:
        """The id of its association."""
        return self.options[Code6.IA_PD][:4]

    @property
    def prefix(self) -> str:
        """The prefix that it names."""
        return prefix_in(self.options[Code6.IA_PD])


def prefix_in(association: bytes) -> str:
    """Return the first prefix of an association."""
    inner = dict(parse_options6(association[12:]) or ())[Code6.IA_PREFIX]
    return str(IPv6Network((inner[9:25], inner[8])))


def read_question(payload: bytes) -> Question:
    """Take a client's message apart."""
    options = parse_options6(payload[4:])
    assert options is not None
    assert len({code for code, _ in options}) == len(options), "an option is there twice"
    return Question(MessageType6(payload[0]), payload[1:4], dict(options))


def status(code: int) -> bytes:
    """Return option 13."""
    return encode_option6(Code6.STATUS, code.to_bytes(2, "big") + b"so it is")


def prefix_option(prefix: str, preferred: int = 1800, valid: int = 3600) -> bytes:
    """Return option 26."""
    network = IPv6Network(prefix)
    times = preferred.to_bytes(4, "big") + valid.to_bytes(4, "big")
    return encode_option6(Code6.IA_PREFIX, times + bytes((network.prefixlen,)) + network.network_address.packed)


def association(iaid: bytes, *inner: bytes, t1: int = 900, t2: int = 1440) -> bytes:
    """Return option 25."""
    return encode_option6(Code6.IA_PD, iaid + t1.to_bytes(4, "big") + t2.to_bytes(4, "big") + b"".join(inner))


@define
class Server:
    """Answers as asked to. ``asked`` are the questions that came, ``inner`` is what its associations hold."""

    duid: bytes = SERVER
    inner: tuple[bytes, ...] = (prefix_option(PREFIX),)
    t1: int = 900
    t2: int = 1440
    more: bytes = b""
    asked: list[Question] = field(factory=list)

    def answer(self, payload: bytes, kind: MessageType6 | None = None) -> bytes:
        """Return the answer to a message."""
        question = read_question(payload)
        self.asked.append(question)
        is_first = question.type == MessageType6.SOLICIT
        kind = kind or (MessageType6.ADVERTISE if is_first else MessageType6.REPLY)
        return b"".join(
            (
                bytes((kind,)),
                question.xid,
                encode_option6(Code6.CLIENT_ID, question.options[Code6.CLIENT_ID]),
                encode_option6(Code6.SERVER_ID, self.duid),
                association(question.iaid, *self.inner, t1=self.t1, t2=self.t2),
                self.more,
            )
        )
