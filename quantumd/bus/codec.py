"""Messages and records as bytes: JSON objects tagged with their kind and version.

Decoding is strict: an unknown kind or version, a missing or wrongly typed field is a CodecError, never a guess.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import orjson

from quantumd.errors import QuantumdError
from quantumd.model.records import (
    MESSAGE_TYPES,
    RECORD_TYPES,
    FetchReply,
    FetchRequest,
    HostReport,
    Message,
    Record,
)

_ADDED: dict[type[Message], str] = {HostReport: "physical_networks", FetchRequest: "known", FetchReply: "gone"}
"""The last field of those messages that have a version 2, which version 1 lacks."""

VERSIONS = {cls.message_kind: 2 if cls in _ADDED else 1 for cls in MESSAGE_TYPES}
"""The newest version of each kind. Those that came before are still understood, so hosts may be older."""

Decoder = Callable[[Any], Any]


class CodecError(QuantumdError):
    """The bytes are not a message that this version understands."""


def encode(message: Message) -> bytes:
    """Return a message as bytes, in the first version that says all of it: an older process may be asked."""
    kind, version, body = message.message_kind, VERSIONS[message.message_kind], _plain(message)
    if version > 1 and getattr(message, added := _ADDED[type(message)]) == _default(type(message), added):
        del body[added]
        version = 1
    return orjson.dumps({"kind": kind, "version": version, "body": body}, default=_plain)


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


def _default(cls: type[Message], name: str) -> Any:
    return attrs.fields_dict(cls)[name].default


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


def _object(cls: type, lacking: Collection[str] = ()) -> Decoder:
    """Return what decodes objects of the class; earlier versions lack its last fields, which have defaults."""
    hints = get_type_hints(cls)
    names = (field.name for field in attrs.fields(cls) if field.name not in lacking)
    fields = tuple((name, _decoder(hints[name])) for name in names)

    def build(value: Any) -> Any:
        if type(value) is not dict:
            raise CodecError(f"expected an object for {cls.__name__}")
        try:
            return cls(*[inner(value[name]) for name, inner in fields])
        except KeyError as error:
            raise CodecError(f"{cls.__name__} lacks {error}") from error

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
    return _object(hint) if attrs.has(hint) else _of_type(hint)


_RECORDS: dict[str, Decoder] = {cls.kind: _object(cls) for cls in RECORD_TYPES}
_MESSAGES: dict[tuple[str, int], Decoder] = {
    **{(cls.message_kind, VERSIONS[cls.message_kind]): _object(cls) for cls in MESSAGE_TYPES},
    **{(cls.message_kind, 1): _object(cls, lacking=(added,)) for cls, added in _ADDED.items()},
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
