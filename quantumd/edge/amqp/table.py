"""AMQP 0-9-1's classes, methods and fields, as txAMQP's ``Spec``.

txAMQP takes them from an XML file that it does not bring. Only what quantumd uses is here. Source: the AMQP 0-9-1
specification, section 1.8 ff., and RabbitMQ's extensions (confirm, basic.nack, connection.blocked).
The table is read line by line: ``class id name``, then its methods
``id name [content] [-> answers] : field type, …``. Types: b bit, o octet, s short, l long, ll longlong, ss shortstr,
ls longstr, t table, ts timestamp.
"""

from __future__ import annotations

from collections.abc import Iterator

from txamqp.spec import Class, Constant, Field, Method, Spec

FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT, FRAME_END = 1, 2, 3, 8, 206

_CONSTANTS = {
    "frame-method": FRAME_METHOD,
    "frame-header": FRAME_HEADER,
    "frame-body": FRAME_BODY,
    "frame-heartbeat": FRAME_HEARTBEAT,
    "frame-end": FRAME_END,
}

_TYPES = {
    "b": "bit", "o": "octet", "s": "short", "l": "long", "ll": "longlong", "ss": "shortstr", "ls": "longstr",
    "t": "table", "ts": "timestamp",
}  # fmt: skip

PROPERTIES = (
    ("content type", "shortstr"),
    ("content encoding", "shortstr"),
    ("headers", "table"),
    ("delivery mode", "octet"),
    ("priority", "octet"),
    ("correlation id", "shortstr"),
    ("reply to", "shortstr"),
    ("expiration", "shortstr"),
    ("message id", "shortstr"),
    ("timestamp", "timestamp"),
    ("type", "shortstr"),
    ("user id", "shortstr"),
    ("app id", "shortstr"),
    ("cluster id", "shortstr"),
)
"""Of class basic, in the order of their flags."""

TABLE = """
class 10 connection
10 start -> start-ok : version-major o, version-minor o, server-properties t, mechanisms ls, locales ls
11 start-ok : client-properties t, mechanism ss, response ls, locale ss
20 secure -> secure-ok : challenge ls
21 secure-ok : response ls
30 tune -> tune-ok : channel-max s, frame-max l, heartbeat s
31 tune-ok : channel-max s, frame-max l, heartbeat s
40 open -> open-ok : virtual-host ss, reserved-1 ss, reserved-2 b
41 open-ok : reserved-1 ss
50 close -> close-ok : reply-code s, reply-text ss, class-id s, method-id s
51 close-ok :
60 blocked : reason ss
61 unblocked :

class 20 channel
10 open -> open-ok : reserved-1 ss
11 open-ok : reserved-1 ls
20 flow -> flow-ok : active b
21 flow-ok : active b
40 close -> close-ok : reply-code s, reply-text ss, class-id s, method-id s
41 close-ok :

class 40 exchange
10 declare -> declare-ok : reserved-1 s, exchange ss, type ss, passive b, durable b, auto-delete b, internal b, nowait b, arguments t
11 declare-ok :
20 delete -> delete-ok : reserved-1 s, exchange ss, if-unused b, nowait b
21 delete-ok :

class 50 queue
10 declare -> declare-ok : reserved-1 s, queue ss, passive b, durable b, exclusive b, auto-delete b, nowait b, arguments t
11 declare-ok : queue ss, message-count l, consumer-count l
20 bind -> bind-ok : reserved-1 s, queue ss, exchange ss, routing-key ss, nowait b, arguments t
21 bind-ok :
40 delete -> delete-ok : reserved-1 s, queue ss, if-unused b, if-empty b, nowait b
41 delete-ok : message-count l
50 unbind -> unbind-ok : reserved-1 s, queue ss, exchange ss, routing-key ss, arguments t
51 unbind-ok :

class 60 basic
10 qos -> qos-ok : prefetch-size l, prefetch-count s, global b
11 qos-ok :
20 consume -> consume-ok : reserved-1 s, queue ss, consumer-tag ss, no-local b, no-ack b, exclusive b, nowait b, arguments t
21 consume-ok : consumer-tag ss
30 cancel -> cancel-ok : consumer-tag ss, nowait b
31 cancel-ok : consumer-tag ss
40 publish content : reserved-1 s, exchange ss, routing-key ss, mandatory b, immediate b
50 return content : reply-code s, reply-text ss, exchange ss, routing-key ss
60 deliver content : consumer-tag ss, delivery-tag ll, redelivered b, exchange ss, routing-key ss
80 ack : delivery-tag ll, multiple b
90 reject : delivery-tag ll, requeue b
120 nack : delivery-tag ll, multiple b, requeue b

class 85 confirm
10 select -> select-ok : nowait b
11 select-ok :
"""  # noqa: E501


def make_spec() -> Spec:
    """Return the table as txAMQP's objects."""
    spec = Spec(0, 9, "quantumd.edge.amqp.table")
    for title, value in _CONSTANTS.items():
        spec.constants.add(Constant(spec, title, value, None, []))
    for block in TABLE.strip().split("\n\n"):
        head, *lines = block.splitlines()
        _, number, name = head.split()
        spec.classes.add(_class(spec, int(number), name, lines))
    for index, (title, kind) in enumerate(PROPERTIES):
        spec.classes.byname["basic"].fields.add(Field(title, index, kind, []))
    spec.post_load()
    return spec


def _class(spec: Spec, number: int, name: str, lines: list[str]) -> Class:
    found = Class(spec, name, number, "channel", [])
    answers = {}
    for line in lines:
        head, _, fields = line.partition(":")
        words, _, answered = head.partition("->")
        method_number, method_name, *flags = words.split()
        method = Method(found, method_name, int(method_number), bool(flags), [], bool(answered.strip()), "", [])
        for index, (field, kind) in enumerate(_fields(fields)):
            method.fields.add(Field(field, index, kind, []))
        found.methods.add(method)
        answers[method] = answered.split()
    for method, names in answers.items():
        method.responses = [found.methods.byname[each] for each in names]
        for answer in method.responses:
            answer.response = True
    return found


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        if part.strip():
            name, kind = part.split()
            yield name, _TYPES[kind]
