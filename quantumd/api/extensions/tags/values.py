"""What a tag is: text of 1 to 255 characters without a comma, which separates tags in filters."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.values import Value, list_of, shown, string

_LONGEST: Final = 255
_TEXT: Final = string(_LONGEST)


def _tag(given: Any) -> str:
    tag: str = _TEXT.convert(given)
    if not tag:
        raise InvalidValue("a tag cannot be empty")
    if "," in tag:
        raise InvalidValue(f"'{shown(tag)}' contains a comma, which separates tags in filters")
    return tag


TAG: Final = Value(_tag, {"type": "string", "minLength": 1, "maxLength": _LONGEST, "pattern": "^[^,]+$"})
TAG_LIST: Final = list_of(TAG)
TAGS_BODY: Final = {"type": "object", "properties": {"tags": dict(TAG_LIST.schema)}, "required": ["tags"]}


def tag_of(text: str) -> str:
    """Return the tag that a path names. InvalidInput."""
    try:
        return _tag(text)
    except InvalidValue as refusal:
        raise InvalidInput(refusal.reason) from None


def tags_of_body(body: Any) -> tuple[str, ...]:
    """Return the tags of a request body. InvalidInput."""
    if not isinstance(body, dict) or "tags" not in body:
        raise InvalidInput("Invalid tags body")
    try:
        tags: tuple[str, ...] = TAG_LIST.convert(body["tags"])
    except InvalidValue as refusal:
        raise InvalidInput(refusal.reason) from None
    return tags
