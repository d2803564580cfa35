"""Address groups: named lists of prefixes that rules of security groups refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, insert, select

from quantumd.api.errors import HTTPBadRequest, InvalidValue
from quantumd.api.extensions.address_groups.attributes import SUBNETS
from quantumd.api.extensions.address_groups.errors import (
    AddressesAlreadyExist,
    AddressesNotFound,
    AddressGroupInUse,
    AddressGroupNotFound,
)
from quantumd.api.extensions.rbac.shared import forget_grants
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import IDS, View
from quantumd.model.context import Context
from quantumd.store.scope import visible
from quantumd.store.tables.security import address_group_addresses, address_groups, security_group_rules
from quantumd.store.transaction import Transaction

ADDRESS_GROUP_TYPE = "address_group"
"""The name of address groups in the journal and in RBAC entries."""

_COLUMNS = address_group_addresses.c
_ADDRESSES = (
    select(_COLUMNS.address_group_id, _COLUMNS.address)
    .where(_COLUMNS.address_group_id.in_(IDS))
    .order_by(_COLUMNS.address_group_id, _COLUMNS.address)
)
_REMOVE = delete(address_group_addresses).where(
    _COLUMNS.address_group_id == bindparam("wanted"), _COLUMNS.address == bindparam("gone")
)
_USER = select(security_group_rules.c.id).where(security_group_rules.c.remote_address_group_id == bindparam("wanted"))


def _with_addresses(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for group_id, address in connection.execute(_ADDRESSES, {"ids": list(views)}).all():
        found[group_id].append(address)
    for group_id, view in views.items():
        view["addresses"] = found[group_id]


ADDRESS_GROUPS = Rows(
    ADDRESS_GROUP_TYPE,
    address_groups,
    AddressGroupNotFound,
    lambda scope: visible(address_groups, ADDRESS_GROUP_TYPE, scope),
    children=_with_addresses,
)


@frozen
class AddressGroups(KeptAsRows):
    """Operations on address groups, and the two requests that change what they hold."""

    rows: ClassVar = ADDRESS_GROUPS
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        view = {name: body[name] for name in ("name", "description", "project_id")}
        addresses = sorted(body.get("addresses", ()))
        made = ADDRESS_GROUPS.insert(tx, context, {"id": self.chance.new_id(), **view, "addresses": addresses})
        _write(tx, made["id"], addresses)
        return made

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. Rules that name the group keep it."""
        before = ADDRESS_GROUPS.show(tx.connection, context, resource_id)
        if tx.connection.execute(_USER.limit(1), {"wanted": resource_id}).first() is not None:
            raise AddressGroupInUse(resource_id)
        forget_grants(tx, context, ADDRESS_GROUP_TYPE, resource_id)
        ADDRESS_GROUPS.remove(tx, context, before)

    def add_addresses(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> dict[str, View]:
        """Add prefixes that the group does not hold. AddressesAlreadyExist."""
        before, given = _change(tx, context, parts, body)
        held = [each for each in given if each in before["addresses"]]
        if held:
            raise AddressesAlreadyExist(held, before["id"])
        _write(tx, before["id"], given)
        after = ADDRESS_GROUPS.change(tx, context, before, {"addresses": sorted({*before["addresses"], *given})})
        return {"address_group": _shown(after)}

    def remove_addresses(
        self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any
    ) -> dict[str, View]:
        """Remove prefixes that the group holds. AddressesNotFound."""
        before, given = _change(tx, context, parts, body)
        missing = [each for each in given if each not in before["addresses"]]
        if missing:
            raise AddressesNotFound(missing, before["id"])
        for each in given:
            tx.connection.execute(_REMOVE, {"wanted": before["id"], "gone": each})
        kept = [each for each in before["addresses"] if each not in given]
        return {"address_group": _shown(ADDRESS_GROUPS.change(tx, context, before, {"addresses": kept}))}


def _change(tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> tuple[View, list[str]]:
    """Return the group that a request changes, and the prefixes that it names, in order of text."""
    if not isinstance(body, dict) or set(body) != {"addresses"}:
        raise HTTPBadRequest("Body contains invalid data: the body must be {'addresses': [...]}")
    try:
        given = SUBNETS.convert(body["addresses"])
    except InvalidValue as refusal:
        raise refusal.of_attribute("addresses") from None
    # Both are changes of what was read: another process must not come between.
    tx.lock(f"address_group:{parts['resource_id']}")
    return ADDRESS_GROUPS.show(tx.connection, context, parts["resource_id"]), sorted(given)


def _write(tx: Transaction, group_id: str, addresses: Iterable[str]) -> None:
    rows = [{"address_group_id": group_id, "address": each} for each in addresses]
    if rows:
        tx.connection.execute(insert(address_group_addresses), rows)


def _shown(view: View) -> View:
    return {**view, "tenant_id": view["project_id"]}
