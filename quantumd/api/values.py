"""Values of attributes: lists, objects, and converters of filters; those that are one thing come from scalars.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.scalars import (
    BOOLEAN,
    CIDR,
    DESCRIPTION,
    IP_ADDRESS,
    IP_ADDRESS_OR_NONE,
    MAC_ADDRESS,
    MAC_ADDRESS_OR_NONE,
    NAME,
    UUID,
    UUID_OR_NONE,
    Convert,
    Value,
    integer,
    name_of,
    none_as,
    one_of,
    or_none,
    shown,
    string,
)

__all__ = [
    "BOOLEAN",
    "CIDR",
    "DESCRIPTION",
    "IP_ADDRESS",
    "IP_ADDRESS_OR_NONE",
    "MAC_ADDRESS",
    "MAC_ADDRESS_OR_NONE",
    "NAME",
    "OBJECT",
    "OBJECT_OR_NONE",
    "UUID",
    "UUID_OR_NONE",
    "Convert",
    "Member",
    "Value",
    "dict_of",
    "filter_boolean",
    "filter_cidr",
    "filter_integer",
    "filter_ip_address",
    "filter_mac_address",
    "filter_pair",
    "filter_text",
    "filter_uuid",
    "integer",
    "list_of",
    "name_of",
    "none_as",
    "one_of",
    "or_none",
    "shown",
    "string",
]

_NUMBER: Final = integer()


def _itself(item: Any) -> Any:
    return item


def list_of(
    item: Value,
    *,
    max_items: int | None = None,
    wrong_list: str = "'{value}' is not a list",
    wrong_item: str | None = None,
    duplicate: str = "Duplicate items in the list: '{value}'",
    different: Callable[[Any], Any] = _itself,
) -> Value:
    """A list of different items, given on as a tuple.

    ``different`` returns what of an item no other may have; None may be there often. The texts are today's reasons for
    what is refused; ``{value}`` is filled in. ``wrong_item`` of None keeps the item's own.
    """

    def convert(given: Any) -> tuple[Any, ...]:
        if not isinstance(given, list):
            raise InvalidValue(wrong_list.format(value=shown(given)))
        if max_items is not None and len(given) > max_items:
            raise InvalidValue(f"the list holds {len(given)} items, more than {max_items}")
        items: list[Any] = []
        seen: set[Any] = set()
        for each in given:
            converted = _convert_item(item.convert, wrong_item, each)
            unique = different(converted)
            key = _hashable(unique)
            if key is not None and key in seen:
                raise InvalidValue(duplicate.format(value=shown(each if unique is converted else unique)))
            seen.add(key)
            items.append(converted)
        return tuple(items)

    return Value(convert, {"type": "array", "items": dict(item.schema), "uniqueItems": different is _itself})


def _convert_item(convert: Convert, wrong_item: str | None, given: Any) -> Any:
    if wrong_item is None:
        return convert(given)
    try:
        return convert(given)
    except InvalidInput:
        raise InvalidValue(wrong_item.format(value=shown(given))) from None


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((key, _hashable(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(each) for each in value)
    return value


@frozen
class Member:
    """One key of an object: its value, and whether it must be there."""

    value: Value
    is_required: bool = False


def dict_of(members: Mapping[str, Member], *, at_least_one: bool = False) -> Value:
    """An object with these keys and no others, given on as a dict of the keys that were there."""
    required = sorted(name for name, member in members.items() if member.is_required)

    def convert(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise InvalidValue(f"'{shown(given)}' is not a dictionary")
        unknown = [key for key in given if key not in members]
        if unknown:
            raise InvalidValue(f"Unexpected keys supplied: {shown(', '.join(unknown))}")
        if any(name not in given for name in required) or (at_least_one and not given):
            raise InvalidValue(
                "Validation of dictionary's keys failed. "
                f"Expected keys: {required or sorted(members)} Provided keys: {sorted(given)}"
            )
        return {key: members[key].value.convert(each) for key, each in given.items()}

    properties = {name: dict(member.value.schema) for name, member in members.items()}
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Value(convert, schema)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue(f"'{shown(value)}' is not a dictionary")
    return value


OBJECT: Final = Value(_object, {"type": "object"})
"""Any object, kept as it is."""
OBJECT_OR_NONE: Final = or_none(OBJECT)


def filter_text(text: str) -> str:
    """Compare as text."""
    return text


def filter_boolean(text: str) -> bool:
    """Compare as true or false; InvalidInput for other text."""
    flag: bool = BOOLEAN.convert(text)
    return flag


def filter_integer(text: str) -> int:
    """Compare as a whole number; InvalidInput for other text."""
    number: int = _NUMBER.convert(text)
    return number


def filter_uuid(text: str) -> str:
    """Compare as an id in lower case; text that is no id matches nothing and is not an error."""
    return text.lower()


def filter_ip_address(text: str) -> str:
    """Compare as an address in canonical form; text that is no address matches nothing and is not an error."""
    return _canonical(IP_ADDRESS, text)


def filter_cidr(text: str) -> str:
    """Compare as a prefix in canonical form; text that is no prefix matches nothing and is not an error."""
    return _canonical(CIDR, text)


def filter_mac_address(text: str) -> str:
    """Compare as a MAC address in lower case with colons; other text matches nothing and is not an error."""
    return _canonical(MAC_ADDRESS, text)


def _canonical(value: Value, text: str) -> str:
    try:
        canonical: str = value.convert(text)
    except InvalidInput:
        return text
    return canonical


def filter_pair(**keys: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    """Take ``key=value`` (``fixed_ips=ip_address=10.0.0.5``) as the pair of the key and its converted value."""

    def convert(text: str) -> tuple[str, Any]:
        key, equals, value = text.partition("=")
        if not equals:
            raise InvalidInput(f"'{shown(text)}' is not in <key>=<value> format")
        if key not in keys:
            raise InvalidInput(f"'{shown(key)}' is not in {sorted(keys)}")
        return key, keys[key](value)

    return convert
