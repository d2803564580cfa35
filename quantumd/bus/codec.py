"""Messages and records as bytes: JSON objects tagged with their kind and version.

Decoding is strict: an unknown kind or version, a missing or wrongly typed field is a CodecError, never a guess.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection
from itertools import chain
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import orjson

from quantumd.errors import QuantumdError
from quantumd.model.messages import MESSAGE_TYPES, FetchReply, FetchRequest, HostReport, Message
from quantumd.model.records import RECORD_TYPES, Record

_ADDED: dict[type[Message], tuple[tuple[str, ...], ...]] = {
    HostReport: (
        ("physical_networks",),
        ("state", "availability_zone"),
        ("tunnel_ip", "tunnel_types"),
        ("record_kinds",),
        ("bandwidths",),
    ),
    FetchRequest: (("known",),),
    FetchReply: (("gone",),),
}
"""The last fields of those messages that have a version 2, 3, and so on: what each version added to the one before."""

VERSIONS = {cls.message_kind: 1 + len(_ADDED.get(cls, ())) for cls in MESSAGE_TYPES}
"""The newest version of each kind. Those that came before are still understood, so hosts may be older."""

Decoder = Callable[[Any], Any]


class CodecError(QuantumdError):
    """The bytes are not a message that this version understands."""


def encode(message: Message) -> bytes:
    """Return a message as bytes, in the first version that says all of it: an older process may be asked."""
    version, body = _version_of(message), _plain(message)
    for name in _lacking(type(message), version):
        del body[name]
    return orjson.dumps({"kind": message.message_kind, "version": version, "body": body}, default=_plain)


def decode(data: bytes) -> Message:
    """Return the message in the bytes; CodecError when they are none."""
    try:
        outer = orjson.loads(data)
        kind, version, body = outer["kind"], outer["version"], outer["body"]
    except (ValueError, KeyError, TypeError) as error:
        raise CodecError(f"not a message: {error}") from error
    decoder = _MESSAGES.get((kind, version)) if type(kind) is str and type(version) is int else None
    if decoder is None:
        raise CodecError(f"message of kind {kind!r} version {version!r} is unknown here")
    return decoder(body)  # type: ignore[no-any-return]


def _version_of(message: Message) -> int:
    cls = type(message)
    said = [
        version
        for version, added in enumerate(_ADDED.get(cls, ()), 2)
        if any(getattr(message, name) != attrs.fields_dict(cls)[name].default for name in added)
    ]
    return max(said, default=1)


def _lacking(cls: type[Message], version: int) -> tuple[str, ...]:
    """Return the fields that this version lacks."""
    return tuple(chain.from_iterable(_ADDED.get(cls, ())[version - 1 :]))


def _plain(value: Any) -> Any:
    fields = {name: getattr(value, name) for name in _FIELDS[type(value)]}
    if type(value) in RECORD_TYPES:
        fields["kind"] = value.kind
    return fields


def _of_type(expected: type) -> Decoder:
    def check(value: Any) -> Any:
        if type(value) is not expected:
            raise CodecError(f"expected {expected.__name__}, found {type(value).__name__}")
        return value

    return check


def _number(value: Any) -> float:
    # JSON does not tell a whole number from a fraction.
    if type(value) not in (int, float):
        raise CodecError(f"expected a number, found {type(value).__name__}")
    return float(value)


def _optional(inner: Decoder) -> Decoder:
    return lambda value: None if value is None else inner(value)


def _sequence(inner: Decoder) -> Decoder:
    def decode_all(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise CodecError(f"expected a list, found {type(value).__name__}")
        return tuple([inner(item) for item in value])

    return decode_all


def _fixed(inners: tuple[Decoder, ...]) -> Decoder:
    def decode_each(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(inners):
            raise CodecError(f"expected a list of {len(inners)}")
        return tuple([inner(item) for inner, item in zip(inners, value, strict=True)])

    return decode_each


def _object(cls: type, lacking: Collection[str] = (), may_lack: bool = False) -> Decoder:
    """Return what decodes objects of the class; earlier versions lack its last fields, which have defaults.

    With ``may_lack`` an object itself shows by what it lacks that it is of an earlier version.
    """
    hints = get_type_hints(cls)
    named = [field for field in attrs.fields(cls) if field.name not in lacking]
    fields = tuple((field.name, _decoder(hints[field.name])) for field in named)
    last = {field.name for field in named if may_lack and field.default is not attrs.NOTHING}

    def build(value: Any) -> Any:
        if type(value) is not dict:
            raise CodecError(f"expected an object for {cls.__name__}")
        try:
            return cls(*[inner(value[name]) for name, inner in fields])
        except KeyError as error:
            if str(error.args[0]) not in last:
                raise CodecError(f"{cls.__name__} lacks {error}") from error
        return cls(**{name: inner(value[name]) for name, inner in fields if name in value})

    return build


def _record(value: Any) -> Record:
    kind = value.get("kind") if type(value) is dict else None
    if kind not in _RECORDS:
        raise CodecError(f"record of kind {kind!r} is unknown here")
    return _RECORDS[kind](value)  # type: ignore[no-any-return]


def _decoder(hint: Any) -> Decoder:
    if hint == Record:
        return _record
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return _optional(_decoder(inner))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return _sequence(_decoder(arguments[0]))
        return _fixed(tuple(_decoder(argument) for argument in arguments))
    if hint is float:
        return _number
    return _object(hint, may_lack=True) if attrs.has(hint) else _of_type(hint)


_RECORDS: dict[str, Decoder] = {cls.kind: _object(cls, may_lack=True) for cls in RECORD_TYPES}
_MESSAGES: dict[tuple[str, int], Decoder] = {
    **{
        (cls.message_kind, version): _object(cls, lacking=_lacking(cls, version))
        for cls in MESSAGE_TYPES
        for version in range(1, 1 + VERSIONS[cls.message_kind])
    },
}


def _fields_of(*roots: type) -> dict[type, tuple[str, ...]]:
    found: dict[type, tuple[str, ...]] = {}
    waiting = list(roots)
    while waiting:
        cls = waiting.pop()
        if cls in found:
            continue
        found[cls] = tuple(field.name for field in attrs.fields(cls))
        for hint in get_type_hints(cls).values():
            waiting.extend(argument for argument in (hint, *get_args(hint)) if attrs.has(argument))
    return found


_FIELDS = _fields_of(*RECORD_TYPES, *MESSAGE_TYPES)
