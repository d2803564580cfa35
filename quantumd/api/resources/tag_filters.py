"""Filters by tags as conditions on the ids of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, and_, not_, select
from sqlalchemy.sql.functions import count

from quantumd.api.resource import TagFilter
from quantumd.store.tables import tags

_FEW: Final = 20


def tag_conditions(row_id: Column[Any], wanted: TagFilter) -> Iterator[ColumnElement[bool]]:
    """Yield a condition for each of the four filters that is named."""
    if wanted.every:
        yield _has_all(row_id, wanted.every)
    if wanted.some:
        yield _has_any(row_id, wanted.some)
    if wanted.not_every:
        yield not_(_has_all(row_id, wanted.not_every))
    if wanted.not_some:
        yield not_(_has_any(row_id, wanted.not_some))


def _has_all(row_id: Column[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
    if len(wanted) <= _FEW:
        return and_(*(_has_any(row_id, (tag,)) for tag in wanted))
    # A condition for each would be more than databases take.
    holders = select(tags.c.resource_id).where(tags.c.tag.in_(wanted)).group_by(tags.c.resource_id)
    return row_id.in_(holders.having(count() == len(wanted)))


def _has_any(row_id: Column[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
    return row_id.in_(select(tags.c.resource_id).where(tags.c.tag.in_(wanted)))
