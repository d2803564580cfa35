"""The query language of lists: filters, fields, order, pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT, AttributeMap
from quantumd.api.errors import BadRequest, HTTPBadRequest, InvalidInput
from quantumd.api.resource import Page, Query, Sort, TagFilter
from quantumd.api.values import shown

Parameters = list[tuple[str, str]]

TAG_FILTERS: Final = ("tags", "tags-any", "not-tags", "not-tags-any")
CHANGED_SINCE: Final = "changed_since"

_LARGEST_LIMIT: Final = 2**31 - 1
_DIRECTIONS: Final = ("asc", "desc")


@frozen
class Language:
    """What the lists of one resource can be asked; made once at start.

    :param largest_page: how many rows a page may hold, and a list when nobody asks for pages; 0 for any number.
    """

    attributes: AttributeMap
    is_taggable: bool = False
    largest_page: int = 0


@frozen
class ListRequest:
    """What a query string asks for: ``query`` for the operations, ``fields`` as the caller named them."""

    query: Query
    fields: frozenset[str]
    parameters: Sequence[tuple[str, str]] = ()


EVERYTHING: Final = ListRequest(Query(), frozenset())


def parse_list_request(language: Language, query_string: bytes) -> ListRequest:
    """Return what the query string asks for.

    A key given several times is an OR, different keys are an AND; an empty value is a value. Unknown fields are ignored
    as today, unknown filters are refused.

    :raises HTTPBadRequest: a filter or sort key that the resource does not have, or text that is not UTF-8.
    :raises BadRequest: the limit is none.
    :raises InvalidInput: a value that the attribute cannot have.
    """
    if not query_string and not language.largest_page:
        return EVERYTHING
    given = parameters(query_string)
    texts: dict[str, list[str]] = {}
    for key, text in given:
        texts.setdefault(PROJECT if key == TENANT else key, []).append(text)
    fields = frozenset(texts.pop("fields", ())) - {""}
    query = Query(
        fields=frozenset(PROJECT if field == TENANT else field for field in fields) & _known_fields(language),
        sorts=_sorts(language.attributes, texts.pop("sort_key", []), texts.pop("sort_dir", [])),
        page=_page(language, texts),
        tags=_tags(texts) if language.is_taggable else TagFilter(),
        changed_since=_changed_since(language.attributes, texts),
        filters=_filters(language.attributes, texts),
    )
    return ListRequest(query, fields, given)


def refuse_hidden(query: Query, hidden: Collection[str]) -> None:
    """Refuse to find or order rows by attributes that the caller does not see: what is found would tell of them.

    :raises HTTPBadRequest: as if the attributes were not there.
    """
    filters = [name for name, _ in query.filters if name in hidden]
    if filters:
        raise HTTPBadRequest(f"{filters} is invalid attribute for filtering")
    sorts = [sort.name for sort in query.sorts if sort.name in hidden]
    if sorts:
        raise HTTPBadRequest(f"{sorts} is invalid attribute for sort_keys")


def parameters(query_string: bytes) -> Parameters:
    """Return the decoded pairs of a query string, in order; HTTPBadRequest when they are not UTF-8 text."""
    if not query_string:
        return []
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise HTTPBadRequest("The query string is not UTF-8 text") from None
    if any("\x00" in key or "\x00" in text for key, text in pairs):
        raise HTTPBadRequest("The query string contains NUL")
    return pairs


def _known_fields(language: Language) -> frozenset[str]:
    names = frozenset(language.attributes.by_name)
    return names | {"tags"} if language.is_taggable else names


def _sorts(attributes: AttributeMap, keys: Sequence[str], directions: Sequence[str]) -> tuple[Sort, ...]:
    """Return the order that is asked for; empty keys and directions do not count, as today."""
    keys = [PROJECT if key == TENANT else key for key in keys if key]
    directions = [direction for direction in directions if direction]
    if len(keys) != len(directions):
        raise HTTPBadRequest("The number of sort_keys and sort_dirs must be same")
    by_name = attributes.by_name
    unknown = [shown(key) for key in keys if key not in by_name or not by_name[key].sorts]
    if unknown:
        raise HTTPBadRequest(f"{unknown} is invalid attribute for sort_keys")
    wrong = [shown(direction) for direction in directions if direction not in _DIRECTIONS]
    if wrong:
        raise HTTPBadRequest(f"{wrong} is invalid value for sort_dirs, valid value is 'asc' and 'desc'")
    # A key named again orders nothing that its first mention has not ordered.
    pairs = dict(reversed([*zip(keys, directions, strict=True)]))
    return tuple(Sort(key, pairs[key] == "desc") for key in dict.fromkeys(keys))


def _page(language: Language, texts: dict[str, list[str]]) -> Page:
    limit = _limit(texts.pop("limit", []), language.largest_page)
    marker = _last(texts.pop("marker", []))
    is_reverse = (_last(texts.pop("page_reverse", [])) or "").lower() == "true"
    # As today a marker without a limit is no page.
    return Page(limit, marker or None, is_reverse) if limit else Page()


def _limit(texts: Sequence[str], largest: int) -> int | None:
    text = _last(texts)
    try:
        limit = 0 if text is None else int(text)
    except ValueError:
        limit = -1
    if limit < 0:
        raise BadRequest("limit", f"Limit must be an integer 0 or greater and not '{shown(text)}'")
    if largest:
        return min(limit, largest) or largest
    return min(limit, _LARGEST_LIMIT) or None


def _last(texts: Sequence[str]) -> str | None:
    return texts[-1] if texts else None


def _tags(texts: dict[str, list[str]]) -> TagFilter:
    return TagFilter(*(_tag_list(texts.pop(name, [])) for name in TAG_FILTERS))


def _tag_list(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for text in texts for tag in text.split(",")))


def _changed_since(attributes: AttributeMap, texts: dict[str, list[str]]) -> str | None:
    if CHANGED_SINCE not in texts or "updated_at" not in attributes.by_name:
        return None
    text = texts.pop(CHANGED_SINCE)[0]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        reason = f"The input {shown(text)} must be in the following format: YYYY-MM-DDTHH:MM:SSZ"
        raise InvalidInput(reason) from None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _filters(attributes: AttributeMap, texts: Mapping[str, list[str]]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    by_name = attributes.by_name
    unknown = [shown(key) for key in texts if key not in by_name or by_name[key].filter_convert is None]
    if unknown:
        raise HTTPBadRequest(f"{unknown} is invalid attribute for filtering")
    return tuple((name, _alternatives(attributes, name, values)) for name, values in texts.items())


def _alternatives(attributes: AttributeMap, name: str, texts: list[str]) -> tuple[Any, ...]:
    convert = attributes.by_name[name].filter_convert
    # Naming one twice asks for nothing more, and databases take only so many conditions.
    return tuple(dict.fromkeys(convert(text) for text in texts)) if convert is not None else ()
