"""Tags of resources: reading and writing their rows. No rules here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from quantumd.api.resources.views import IDS
from quantumd.store.tables import tags
from quantumd.store.transaction import Transaction

_TAGS = select(tags.c.resource_id, tags.c.tag).where(tags.c.resource_id.in_(IDS)).order_by(tags.c.tag)
_FORGET = delete(tags).where(tags.c.resource_id == bindparam("wanted"))


def tags_of(connection: Connection, resource_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the tags of the resources in alphabetical order; one without any is an empty list."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for resource_id, tag in connection.execute(_TAGS, {"ids": resource_ids}).all():
        found[resource_id].append(tag)
    return found


def set_tags(tx: Transaction, resource_id: str, wanted: Iterable[str]) -> None:
    """Give the resource these tags and no others."""
    forget_tags(tx, resource_id)
    rows = [{"resource_id": resource_id, "tag": tag} for tag in sorted(set(wanted))]
    if rows:
        tx.connection.execute(insert(tags), rows)


def forget_tags(tx: Transaction, resource_id: str) -> None:
    """Remove every tag of a resource, as when it goes."""
    tx.connection.execute(_FORGET, {"wanted": resource_id})
