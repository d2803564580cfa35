"""Request bodies: from bytes to the members that a caller wants to create or change."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from quantumd.api.errors import HTTPBadRequest, UnsupportedMediaType

_INVALID: Final = "Body contains invalid data"
_DEEPEST: Final = 20
"""No attribute nests deeper; what does is refused before anything recurses over it."""


def check_content_type(content_type: bytes | None) -> None:
    """Refuse a body that is announced as something else than JSON; one that is not announced is taken for JSON."""
    if content_type is None or content_type == b"application/json":
        return
    kind = content_type.partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise UnsupportedMediaType(kind.decode("ascii", "replace")[:100] or "''")


def parse_json(body: bytes) -> Any:
    """Return what the body says.

    Refused with HTTPBadRequest: what is not JSON in UTF-8 (RFC 8259), NaN and infinities, half surrogates, a key that
    an object has twice (one of the two would be lost without a word) and nesting deeper than any attribute.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPBadRequest(_INVALID) from None
    # Every key has its colon, so as many colons as keys means that no key came twice. Most small bodies pass here.
    if body.count(b":") != _count_keys(value, _DEEPEST):
        _refuse_repeated_keys(body)
    return value


def _count_keys(value: Any, depth: int) -> int:
    if isinstance(value, dict):
        keys, children = len(value), list(value.values())
    elif isinstance(value, list):
        keys, children = 0, value
    else:
        return 0
    if depth == 0:
        raise HTTPBadRequest(f"{_INVALID}: nested too deeply")
    for child in children:
        if isinstance(child, (dict, list)):
            keys += _count_keys(child, depth - 1)
    return keys


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise HTTPBadRequest(f"{_INVALID}: an object has the same key twice")
    return members


_ONCE: Final = json.JSONDecoder(object_pairs_hook=_once, parse_int=float)


def _refuse_repeated_keys(body: bytes) -> None:
    _ONCE.decode(body.decode())


def members_to_create(body: bytes, member: str, collection: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Return the members of a create request, and whether it was a bulk request.

    :param limit: how many a bulk request may hold.
    """
    given = _object(body)
    # One resource has the same name for one as for many.
    if collection not in given or (member == collection and isinstance(given[collection], dict)):
        return [_member(given, member)], False
    listed = given[collection]
    if not isinstance(listed, list):
        raise HTTPBadRequest(_INVALID)
    if not listed:
        raise HTTPBadRequest("Resources required")
    if len(listed) > limit:
        raise HTTPBadRequest(f"One request may create at most {limit} {collection}, not {len(listed)}")
    return [_bulk_member(each, member) for each in listed], True


def member_to_update(body: bytes, member: str) -> dict[str, Any]:
    """Return the changes of an update request."""
    return _member(_object(body), member)


def _object(body: bytes) -> dict[str, Any]:
    given = parse_json(body) if body else None
    if given is not None and not isinstance(given, dict):
        raise HTTPBadRequest(_INVALID)
    if not given:
        raise HTTPBadRequest("Resource body required")
    return given


def _member(given: dict[str, Any], member: str) -> dict[str, Any]:
    found = given.get(member)
    if found is None:
        raise HTTPBadRequest(f"Unable to find '{member}' in request body")
    if not isinstance(found, dict):
        raise HTTPBadRequest(_INVALID)
    return found


def _bulk_member(each: Any, member: str) -> dict[str, Any]:
    if not isinstance(each, dict):
        raise HTTPBadRequest(_INVALID)
    # Some clients wrap each one once more, and today's servers take that.
    return _member(each, member) if member in each else each
