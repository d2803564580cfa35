"""Delegated prefixes of a router that a host carries: reported, and given back before the way outside goes."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.dhcpv6.messages import MessageType6
from quantumd.model.delegation import DelegatedPrefix, Delegation
from quantumd.model.messages import Gone, Update
from quantumd.model.router_records import RouterRecord
from tests.l3.delegation.server import PREFIX, Server, read_question
from tests.l3.world import GATEWAY_OUTER, HOST, ROUTER, ROUTER_ID, World

SUBNET = "0c000000-0000-4000-8000-00000000000a"
ASKING = evolve(ROUTER, delegations=(Delegation(SUBNET),))
M = MessageType6


class CarriedTests(SynchronousTestCase):
    """A host in memory, and a server outside."""

    def setUp(self) -> None:
        """Have a router that has its prefix."""
        self.world, self.server = World(), Server()
        self.world.know(ASKING)
        for _ in range(4):
            self.answer()
            self.world.settle()

    def answer(self) -> list[MessageType6]:
        """Answer what was asked; return what that was."""
        said, self.world.clients.sent[:] = tuple(self.world.clients.sent), ()
        for namespace, device, payload in said:
            self.world.clients.answer(namespace, device, self.server.answer(payload))
        return [read_question(payload).type for _, _, payload in said]

    def delegated(self) -> tuple[DelegatedPrefix, ...]:
        """Return what was reported last."""
        return self.world.told[ROUTER_ID].delegated

    def test_a_prefix_is_reported(self) -> None:
        """As soon as there is one, and with all that is reported afterwards."""
        self.assertEqual(self.delegated(), (DelegatedPrefix(SUBNET, PREFIX),))
        self.world.know(evolve(ASKING, delegations=(Delegation(SUBNET, PREFIX),)))
        self.world.look()
        self.assertEqual(self.delegated(), (DelegatedPrefix(SUBNET, PREFIX),))

    def test_a_restart_reports_it_from_the_beginning(self) -> None:
        """So nobody thinks that it is lost."""
        self.world.told.clear()
        self.world.restart()
        self.assertEqual(self.delegated(), (DelegatedPrefix(SUBNET, PREFIX),))
        self.assertEqual(self.answer(), [])

    def test_the_gateway_goes_when_the_prefix_is_given_back(self) -> None:
        """Not before the server has it."""
        self.world.note(evolve(ASKING, gateway=None, nexthops=(), floating_ips=(), delegations=()))
        self.world.clock.pump([0.0] * 8)
        self.assertIn(GATEWAY_OUTER, self.world.ports())
        self.assertEqual(self.answer(), [M.RELEASE])
        self.world.settle()
        self.assertNotIn(GATEWAY_OUTER, self.world.ports())
        self.assertEqual((self.delegated(), self.world.clients.opened), ((), set()))

    def test_nobody_waits_long_for_a_server_that_is_away(self) -> None:
        """A second."""
        self.world.forget()
        self.world.settle()
        self.assertEqual((self.world.seen(), self.world.ports()), (None, {}))
        self.assertEqual(read_question(self.world.clients.sent[0][2]).type, M.RELEASE)

    def test_a_router_that_moves_to_another_host_gives_nothing_back(self) -> None:
        """That host goes on with the prefix."""
        self.world.wanted.clear()
        gone = Update(HOST, "l3", gone=(Gone(RouterRecord.kind, ROUTER_ID, self.world.version + 1, is_deleted=False),))
        self.world.loop.records_changed(self.world.records.apply(gone), False)
        self.world.settle()
        self.assertEqual((self.world.seen(), self.world.clients.sent), (None, []))

    def test_a_disabled_router_gives_nothing_back(self) -> None:
        """And has its prefix when it is enabled again."""
        self.world.know(evolve(ASKING, admin_state_up=False))
        self.assertEqual((self.world.seen(), self.world.clients.sent), (None, []))
        self.world.know(ASKING)
        self.assertEqual((self.delegated(), self.answer()), ((DelegatedPrefix(SUBNET, PREFIX),), []))
