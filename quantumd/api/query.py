"""The query language of lists: filters and fields."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT, AttributeMap
from quantumd.api.errors import HTTPBadRequest
from quantumd.api.resource import Query
from quantumd.api.values import shown


@frozen
class ListRequest:
    """What a query string asks for: ``query`` for the operations, ``fields`` as the caller named them."""

    query: Query
    fields: frozenset[str]


EVERYTHING = ListRequest(Query(), frozenset())


def parse_list_request(attributes: AttributeMap, query_string: bytes) -> ListRequest:
    """Return what the query string asks for.

    A key given several times is an OR, different keys are an AND; an empty value is a value. Unknown fields are ignored
    as today, unknown filters are refused.

    :raises HTTPBadRequest: a filter that the resource does not have, or text that is not UTF-8.
    :raises InvalidInput: a value that the attribute cannot have.
    """
    if not query_string:
        return EVERYTHING
    fields: set[str] = set()
    texts: dict[str, list[str]] = {}
    for key, text in parameters(query_string):
        if key == "fields":
            fields.add(text)
        else:
            texts.setdefault(PROJECT if key == TENANT else key, []).append(text)
    wanted = frozenset(PROJECT if field == TENANT else field for field in fields) & attributes.by_name.keys()
    return ListRequest(Query(_filters(attributes, texts), frozenset(wanted)), frozenset(fields))


def parameters(query_string: bytes) -> list[tuple[str, str]]:
    """Return the decoded pairs of a query string, in order; HTTPBadRequest when they are not UTF-8 text."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise HTTPBadRequest("The query string is not UTF-8 text") from None
    if any("\x00" in key or "\x00" in text for key, text in pairs):
        raise HTTPBadRequest("The query string contains NUL")
    return pairs


def _filters(attributes: AttributeMap, texts: dict[str, list[str]]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    by_name = attributes.by_name
    unknown = [shown(key) for key in texts if key not in by_name or by_name[key].filter_convert is None]
    if unknown:
        raise HTTPBadRequest(f"{unknown} is invalid attribute for filtering")
    return tuple((name, _alternatives(attributes, name, values)) for name, values in texts.items())


def _alternatives(attributes: AttributeMap, name: str, texts: list[str]) -> tuple[Any, ...]:
    convert = attributes.by_name[name].filter_convert
    return tuple(convert(text) for text in texts) if convert is not None else ()
