"""The resources on a database, used as the API uses them: bodies go through the attribute maps.

The database is in memory, or a server's on which nothing is ever committed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random
from typing import Any
from uuid import UUID

from attrs import evolve
from sqlalchemy import insert

from quantumd.api.actions import requested
from quantumd.api.attribute_map import attribute_map_of
from quantumd.api.collection import to_create
from quantumd.api.extensions.features import serve
from quantumd.api.hosts.service import note_host
from quantumd.api.policy.guard import guard_of
from quantumd.api.policy.rules import Override, default_policy, make_policy
from quantumd.api.resource import Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.port_binding import forget_hosts
from quantumd.api.resources.ports import bind_plugged
from quantumd.api.resources.statuses import apply_report
from quantumd.config import NetworkSettings, QuotaSettings
from quantumd.model.context import Context
from quantumd.model.messages import HostReport, Report
from quantumd.store.engine import memory_engine
from quantumd.store.tables import hosts, metadata
from quantumd.store.transaction import Transaction
from tests.bed.databases import uncommitted_engine

ADMIN = Context("req-admin", project_id="operator", roles=frozenset({"admin"}))
ALICE = Context("req-alice", project_id="alice", roles=frozenset({"member"}))
BOB = Context("req-bob", project_id="bob", roles=frozenset({"member"}))

_ROOM = QuotaSettings(network=-1, subnet=-1, port=-1)
"""Tests make more than a project usually may."""

NOW = "2026-11-20T10:02:34Z"

View = dict[str, Any]


def seeded_chance(seed: int = 7) -> Chance:
    """Return ids and numbers that are the same in every run."""
    random = Random(seed)
    return Chance(lambda: str(UUID(int=random.getrandbits(128), version=4)), random.getrandbits)


class Bed:
    """The resources on their database; ``now`` is the time that changes are made at.

    All of them are served, or those of ``capabilities``.
    """

    def __init__(
        self,
        settings: NetworkSettings | None = None,
        physical_networks: tuple[str, ...] = ("physnet1",),
        chance: Chance | None = None,
        quota: QuotaSettings | None = None,
        database: str = "sqlite",
        here: str = "",
        capabilities: Collection[str] | None = None,
    ) -> None:
        self.now = NOW
        self._engine = memory_engine() if database == "sqlite" else uncommitted_engine(database)
        self.connection = self._engine.connect()
        self.connection.begin()
        if database == "sqlite":
            metadata.create_all(self.connection)
        self._transaction = Transaction(self.connection, NOW)
        self.served = serve(
            settings or NetworkSettings(),
            physical_networks,
            capabilities or (),
            preview=capabilities is None,
            chance=chance or seeded_chance(),
            quota=quota or _ROOM,
            here=here,
        )
        self._resources = {resource.member: resource for resource in self.served.resources}
        self._maps = {resource.member: attribute_map_of(resource) for resource in self.served.resources}
        self.policy = default_policy()
        self._guards = {resource.member: guard_of(resource, self.policy) for resource in self.served.resources}

    def use_policy(self, overrides: Mapping[str, Override]) -> None:
        """Ask these rules instead of the defaults from now on."""
        self.policy = make_policy(overrides)
        self._guards = {resource.member: guard_of(resource, self.policy) for resource in self.served.resources}

    def close(self) -> None:
        """Drop the database, or undo all on a server."""
        self.connection.close()
        self._engine.dispose()

    def tx(self) -> Transaction:
        """Return the transaction: one commit batch, in which each change has its savepoint."""
        self._transaction.now = self.now
        return self._transaction

    def create(self, member: str, context: Context = ADMIN, parent: str = "", **body: Any) -> View:
        """Create one; ``__`` in a name stands for ``:``. ``parent`` is the id of what a nested one lives in."""
        return self.create_many(member, [body], context, parent)[0]

    def create_many(self, member: str, bodies: list[View], context: Context = ADMIN, parent: str = "") -> list[View]:
        """Create all or none, within the quota."""
        context, guard = self.policy.bind(context), self._guards[member]
        converted, asked = to_create(self._maps[member], guard, context, [_named(body) for body in bodies])
        tx = self.tx()
        with tx.savepoint():
            for question, body in asked:
                guard.require_create(tx, context, question, body, parent)
            self.served.admit(tx, context, self._resources[member], converted)
            views: list[View] = self._operations(member, parent).create(tx, context, converted)
        return views

    def update(self, member: str, resource_id: str, context: Context = ADMIN, parent: str = "", **changes: Any) -> View:
        """Change one."""
        converted = self._maps[member].for_update(_named(changes))
        context = self.policy.bind(context)
        tx = self.tx()
        with tx.savepoint():
            self._require(tx, "update", member, resource_id, context, parent, converted)
            view: View = self._operations(member, parent).update(tx, context, resource_id, converted)
        return view

    def delete(self, member: str, resource_id: str, context: Context = ADMIN, parent: str = "") -> None:
        """Delete one."""
        context = self.policy.bind(context)
        tx = self.tx()
        with tx.savepoint():
            self._require(tx, "delete", member, resource_id, context, parent, {})
            self._operations(member, parent).delete(tx, context, resource_id)

    def show(self, member: str, resource_id: str, context: Context = ADMIN, parent: str = "") -> View:
        """Return the view of one."""
        context = self.policy.bind(context)
        view: View = self._operations(member, parent).show(self.connection, context, resource_id)
        return view

    def listed(self, member: str, context: Context = ADMIN, parent: str = "", **filters: Any) -> list[View]:
        """Return the views that match; each filter is a tuple of texts as a query string has them."""
        by_name = self._maps[member].by_name
        converted = tuple(
            (name, tuple(by_name[name].filter_convert(text) for text in texts))  # type: ignore[misc]
            for name, texts in _named(filters).items()
        )
        return self.query(member, Query(converted), context, parent)

    def query(self, member: str, query: Query, context: Context = ADMIN, parent: str = "") -> list[View]:
        """Return the views that a query finds."""
        context = self.policy.bind(context)
        if self._guards[member].may_see(context) is False:
            return []
        before_list = self._resources[member].before_list
        missing = before_list(self.connection, context, query) if before_list is not None else None
        if missing is not None:
            tx = self.tx()
            with tx.savepoint():
                missing(tx)
        batches = self._operations(member, parent).list(self.connection, context, query)
        return [view for batch in batches for view in batch]

    def act(self, method: str, path: str, body: Any = None, context: Context = ADMIN, **parts: str) -> Any:
        """Do an action by its method and path (as in its Action)."""
        action = next(each for each in self.served.actions if (each.method, each.path) == (method, path))
        context, asked = self.policy.bind(context), requested(action, self.served.resources, self.policy, None)
        if not action.writes:
            asked.require(self.connection, context, parts, body)
            return action.operation(self.connection, context, parts, body)
        tx = self.tx()
        with tx.savepoint():
            asked.require(tx.connection, context, parts, body)
            return action.operation(tx, context, parts, body)

    def _require(
        self, tx: Transaction, verb: str, member: str, resource_id: str, context: Context, parent: str, changes: View
    ) -> None:
        guard = self._guards[member]
        guard.require_change(
            tx.connection,
            context,
            guard.question(verb, changes, tuple(changes)),
            resource_id,
            changes,
            lambda: self.show(member, resource_id, context, parent),
            parent,
        )

    def _operations(self, member: str, parent: str) -> Any:
        resource = self._resources[member]
        return resource.operations.under(parent) if resource.is_nested else resource.operations

    def report(self, report: Report) -> dict[str, str]:
        """Apply a report."""
        tx = self.tx()
        with tx.savepoint():
            return apply_report(tx, report)

    def plug(self, port_id: str, host: str) -> bool:
        """Bind a plugged port."""
        tx = self.tx()
        with tx.savepoint():
            return bind_plugged(tx, evolve(ADMIN, request_id="req-plug"), port_id, host)

    def add_host(self, host: str, vif_type: str = "ovs", vif_details: str = '{"bridge_name": "br-int"}') -> None:
        """Make a host known whose l2 role can plug VIFs."""
        row = {
            "host": host,
            "role": "l2",
            "quantumd_version": "1",
            "vif_type": vif_type,
            "vif_details": vif_details,
            "reported_at": NOW,
        }
        self.connection.execute(insert(hosts), row)
        forget_hosts(self.tx())

    def hear(self, report: HostReport) -> None:
        """Take what a host's role says of itself."""
        tx = self.tx()
        with tx.savepoint():
            note_host(tx, report, "nova")

    def network_with_subnet(self, cidr: str = "10.9.0.0/24", context: Context = ADMIN, **more: Any) -> tuple[str, str]:
        """Create a network with one subnet and return their ids."""
        network = self.create("network", context)
        version = 6 if ":" in cidr else 4
        subnet = self.create("subnet", context, network_id=network["id"], cidr=cidr, ip_version=version, **more)
        return network["id"], subnet["id"]

    def row(self, statement: Any) -> Any:
        """Return the first row."""
        return self.connection.execute(statement).first()


def _named(given: View) -> View:
    return {name.replace("__", ":"): value for name, value in given.items()}
