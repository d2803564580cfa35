"""Frames of AMQP: methods, headers and bodies to bytes, and back, one after the other in linear time."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from attrs import define, field, frozen
from txamqp.spec import Class, Method, Spec

from quantumd.edge.amqp.codec import Codec
from quantumd.edge.amqp.errors import BadFrame
from quantumd.edge.amqp.table import FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_HEARTBEAT, FRAME_METHOD

FRAME_MAX = 131_072
"""The largest frame that is sent or read, its 8 bytes of its own included."""

_HEAD = struct.Struct("!BHI")
_END = bytes((FRAME_END,))
_OVERHEAD = _HEAD.size + 1

HEARTBEAT = _HEAD.pack(FRAME_HEARTBEAT, 0, 0) + _END
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"


@frozen
class Frame:
    """A frame as it came."""

    kind: int
    channel: int
    payload: bytes


@frozen
class Header:
    """What comes before the body of a content: its size in bytes and its properties by name."""

    size: int
    properties: Mapping[str, Any]


def pack_frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Return a frame."""
    return _HEAD.pack(kind, channel, len(payload)) + payload + _END


def pack_method(channel: int, method: Method, arguments: Sequence[Any]) -> bytes:
    """Return the frame of a method. Unencodable."""
    codec = Codec(BytesIO())
    codec.encode_short(method.klass.id)
    codec.encode_short(method.id)
    for each, value in zip(method.fields, arguments, strict=True):
        codec.encode(each.type, value)
    codec.flush()
    return pack_frame(FRAME_METHOD, channel, codec.stream.getvalue())


def pack_content(channel: int, klass: Class, properties: Mapping[str, Any], body: bytes, frame_max: int) -> bytes:
    """Return the frames of a content: its header and its body in pieces. Unencodable."""
    codec = Codec(BytesIO())
    codec.pack("!HHQ", klass.id, 0, len(body))
    there = [each for each in klass.fields if properties.get(each.name) is not None]
    codec.encode_short(sum(1 << (15 - klass.fields.index(each)) for each in there))
    for each in there:
        codec.encode(each.type, properties[each.name])
    codec.flush()
    piece = frame_max - _OVERHEAD
    pieces = (body[start : start + piece] for start in range(0, len(body), piece))
    frames = (pack_frame(FRAME_BODY, channel, each) for each in pieces)
    return b"".join((pack_frame(FRAME_HEADER, channel, codec.stream.getvalue()), *frames))


def read_method(spec: Spec, payload: bytes) -> tuple[Method, tuple[Any, ...]]:
    """Return the method of a frame and its arguments. BadFrame."""
    codec = Codec(BytesIO(payload))
    class_id, method_id = codec.unpack("!HH")
    try:
        method = spec.classes.byid[class_id].methods.byid[method_id]
    except KeyError:
        raise BadFrame(f"method {method_id} of class {class_id} is unknown here") from None
    return method, tuple([codec.decode(each.type) for each in method.fields])


def read_header(spec: Spec, payload: bytes) -> Header:
    """Return the header of a content. BadFrame."""
    codec = Codec(BytesIO(payload))
    class_id, _weight, size, flags = codec.unpack("!HHQH")
    if class_id not in spec.classes.byid or flags & 1:
        raise BadFrame(f"a header of class {class_id} with flags {flags:#x}")
    names = enumerate(spec.classes.byid[class_id].fields)
    there = [each for index, each in names if flags >> (15 - index) & 1]
    return Header(size, {each.name: codec.decode(each.type) for each in there})


@define
class Frames:
    """Cuts what arrives into frames."""

    limit: int = FRAME_MAX
    _buffer: bytearray = field(factory=bytearray)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole now. BadFrame."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= _HEAD.size:
                kind, channel, size = _HEAD.unpack_from(self._buffer, start)
                if size + _OVERHEAD > self.limit:
                    raise BadFrame(f"a frame of {size} bytes is longer than agreed")
                end = start + _HEAD.size + size
                if len(self._buffer) <= end:
                    break
                if self._buffer[end] != FRAME_END:
                    raise BadFrame("a frame does not end as frames do")
                payload = bytes(self._buffer[start + _HEAD.size : end])
                start = end + 1
                yield Frame(kind, channel, payload)
        finally:
            del self._buffer[:start]
