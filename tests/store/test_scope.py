"""Scopes decide in SQL what is seen."""

from __future__ import annotations

from sqlalchemy import Column, select
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.context import Scope
from quantumd.store.memory import MemoryStore
from quantumd.store.scope import Conditions, visible_networks, visible_ports, visible_subnets
from quantumd.store.tables import networks, ports, subnets
from quantumd.store.transaction import Transaction
from tests.store.rows import add_grant, add_network, add_port, add_subnet

ALICE, BOB, ADMIN = Scope("alice"), Scope("bob"), Scope(None)


class ScopeTests(SynchronousTestCase):
    """Alice has a network of her own; Bob shares one."""

    def setUp(self) -> None:
        """Write the networks."""
        self.store = MemoryStore()
        self.successResultOf(self.store.write(self._fill))

    def _fill(self, transaction: Transaction) -> None:
        for name, owner, shared in (("own", "alice", False), ("shared", "bob", True), ("private", "bob", False)):
            add_network(transaction, name, project_id=owner)
            if shared:
                add_grant(transaction, name, "access_as_shared")
            add_subnet(transaction, f"{name}-subnet", name, project_id=owner)
            add_port(transaction, f"{name}-port", name, project_id=owner)
        add_port(transaction, "guest", "own", project_id="bob")
        add_port(transaction, "alice-on-shared", "shared", project_id="alice")

    def _seen(self, column: Column[str], conditions: Conditions) -> list[str]:
        statement = select(column).where(*conditions).order_by(column)
        return self.successResultOf(self.store.read(lambda c: list(c.execute(statement).scalars())))

    def test_networks(self) -> None:
        """Own networks and shared ones."""
        self.assertEqual(self._seen(networks.c.id, visible_networks(ALICE)), ["own", "shared"])
        self.assertEqual(self._seen(networks.c.id, visible_networks(BOB)), ["private", "shared"])

    def test_subnets(self) -> None:
        """Own subnets and those of shared networks."""
        self.assertEqual(self._seen(subnets.c.id, visible_subnets(ALICE)), ["own-subnet", "shared-subnet"])

    def test_ports(self) -> None:
        """Own ports, and others' ports on own networks; not others' ports on shared networks."""
        self.assertEqual(self._seen(ports.c.id, visible_ports(ALICE)), ["alice-on-shared", "guest", "own-port"])
        expected = ["alice-on-shared", "guest", "private-port", "shared-port"]
        self.assertEqual(self._seen(ports.c.id, visible_ports(BOB)), expected)

    def test_admins_see_everything(self) -> None:
        """A scope of everything has no condition."""
        self.assertEqual((visible_networks(ADMIN), visible_subnets(ADMIN), visible_ports(ADMIN)), ((), (), ()))
