"""What rules ask about: the thing that is made or changed, and what it is in. Read when a rule asks, and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen
from sqlalchemy import Connection, Table, select

from quantumd.api.policy.checks import UNKNOWN
from quantumd.api.resources.facts import network_facts
from quantumd.model.context import Context
from quantumd.store.scope import NETWORK_ACTIONS, granted
from quantumd.store.tables import networks
from quantumd.store.tables.security import security_groups

if TYPE_CHECKING:
    from quantumd.api.resource import Resource
    from quantumd.store.transaction import Transaction

PARENTS: Final[Mapping[str, tuple[str, Table]]] = {
    "network": ("network_id", networks),
    "security_group": ("security_group_id", security_groups),
}
"""What things are in, by the name that rules use: the attribute that names it, and where it is kept."""
EXT_PARENT: Final = "ext_parent"
PROJECT: Final = "project_id"

_PLAIN: Final = frozenset({PROJECT, "network_id", "device_owner", "security_group_id"})
"""Attributes whose columns hold them as they are shown."""


@frozen
class Body:
    """What a request wants to make, before anything is read."""

    member: str
    body: Mapping[str, Any]
    own_project: str | None

    def __call__(self, name: str) -> Any:
        """See Target."""
        prefix, _, rest = name.partition(":")
        if prefix == self.member and rest:
            return self.body.get(rest)
        if prefix in PARENTS or prefix == EXT_PARENT:
            return UNKNOWN
        return self.body.get(name, self.own_project if name == PROJECT else None)


@define
class Stored:
    """Something in the database, with what a request wants to change, and what it is in.

    ``show`` returns its view, or raises NotFound when it is not there or not to be seen. ``parent_id`` is the id of
    what a nested resource is in. ``tx`` is the transaction, if there is one, whose cache may know the answer.
    """

    connection: Connection
    context: Context
    resource: Resource
    values: Mapping[str, Any]
    resource_id: str | None = None
    show: Callable[[], Mapping[str, Any]] | None = None
    parent_id: str = ""
    tx: Transaction | None = None
    _found: dict[tuple[str, str], Any] = field(factory=dict, init=False)
    _view: Mapping[str, Any] | None = field(default=None, init=False)

    def __call__(self, name: str) -> Any:
        """See Target."""
        prefix, _, rest = name.partition(":")
        if prefix == self.resource.member and rest:
            return self.own(rest)
        if prefix == EXT_PARENT:
            return self._above()
        if prefix in PARENTS:
            return self._in(prefix, rest)
        return self.own(name)

    def own(self, name: str) -> Any:
        """Return an attribute."""
        if name in self.values:
            return self.values[name]
        if self.resource_id is None:
            return self.context.project_id if name == PROJECT else None
        table = self.resource.table
        if self._view is None and table is not None and name in _PLAIN and name in table.c:
            return self.connection.execute(select(table.c[name]).where(table.c.id == self.resource_id)).scalar()
        if self._view is None and self.show is not None:
            self._view = self.show()
        missing = None if name != PROJECT or self.resource.has_project else self.context.project_id
        return (self._view or {}).get(name, missing)

    def _above(self) -> str | None:
        owner = self.resource.owner_above
        if owner is None:
            return None
        return owner(self.connection, self.parent_id or self.resource_id or "")

    def _in(self, parent: str, name: str) -> Any:
        if (parent, name) not in self._found:
            self._found[parent, name] = self._read(parent, name)
        return self._found[parent, name]

    def _read(self, parent: str, name: str) -> Any:
        key, table = PARENTS[parent]
        parent_id = self.own(key)
        if name == PROJECT and parent == "network" and self.tx is not None and isinstance(parent_id, str):
            # Whoever makes something on a network reads these facts anyway, once a commit.
            facts = network_facts(self.tx, parent_id)
            return None if facts is None else facts.project_id
        if name == "shared":
            return self._is_granted(parent, parent_id, "access_as_shared")
        if name == "router:external":
            return self._is_granted(parent, parent_id, NETWORK_ACTIONS[1])
        if name not in table.c:
            return None
        return self.connection.execute(select(table.c[name]).where(table.c.id == parent_id)).scalar()

    def _is_granted(self, object_type: str, object_id: str, action: str) -> bool:
        given = granted(object_type, self.context.project_id, action)
        return self.connection.execute(select(given.exists().where(given.selected_columns[0] == object_id))).scalar()  # type: ignore[return-value]
