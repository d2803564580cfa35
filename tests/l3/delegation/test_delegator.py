"""Which routers have clients, what is given back, what is kept over a restart."""

from __future__ import annotations

import orjson
from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.dhcpv6.memory import MemoryClients
from quantumd.edge.dhcpv6.messages import MessageType6
from quantumd.edge.notes.memory import MemoryNote
from quantumd.l3.delegation.book import LeaseBook
from quantumd.l3.delegation.delegator import FAREWELL_SECONDS, Delegator
from quantumd.model.delegation import DelegatedPrefix, Delegation
from quantumd.model.router_records import RouterLink, RouterRecord
from tests.l3.delegation.server import PREFIX, Server, prefix_option, read_question

ROUTER = "0a000000-0000-4000-8000-000000000001"
GATEWAY = "0b000000-0000-4000-8000-000000000009"
SUBNET, OTHER = "0c000000-0000-4000-8000-00000000000a", "0d000000-0000-4000-8000-00000000000b"
NAMESPACE, DEVICE = f"quantumd-{ROUTER}", f"qg-{GATEWAY[:11]}"
OUTSIDE = RouterLink(GATEWAY, "n", "fa:16:3e:00:00:09", 1500, ("2001:db8:0:1::2/64",))
RECORD = RouterRecord(ROUTER, 1, True, (), OUTSIDE, delegations=(Delegation(SUBNET),))
BOTH = evolve(RECORD, delegations=(Delegation(SUBNET), Delegation(OTHER)))
M = MessageType6


class DelegatorTests(SynchronousTestCase):
    """On links in memory."""

    def setUp(self) -> None:
        """A host with one router."""
        self.clock, self.world, self.note, self.server = Clock(), MemoryClients(), MemoryNote(), Server()
        self.begin()

    def begin(self) -> None:
        """Start a process."""
        self.changed: list[str] = []
        book = LeaseBook(self.note)
        book.open()
        self.delegator = Delegator(self.world, self.clock, lambda: 0.5, book)
        self.delegator.on_change(self.changed.append)

    def asked(self) -> list[MessageType6]:
        """Return the types of what was said since the last call, each answered by the server."""
        said, self.world.sent[:] = tuple(self.world.sent), ()
        for namespace, device, payload in said:
            self.world.answer(namespace, device, self.server.answer(payload))
        return [read_question(payload).type for _, _, payload in said]

    def bind(self, record: RouterRecord = RECORD) -> None:
        """Put a router, and let it have its prefixes."""
        self.delegator.put(record)
        for _ in range(4):
            self.clock.advance(1)
            self.asked()
        self.assertEqual([each.prefix for each in self.delegator.delegated(ROUTER)], [PREFIX] * len(record.delegations))

    def test_a_prefix_is_asked_for_and_told(self) -> None:
        """Once, by the gateway; a router that is put again asks for nothing more."""
        self.bind()
        self.assertEqual(self.changed, [ROUTER])
        self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, PREFIX),))
        self.delegator.put(evolve(RECORD, version=2, delegations=(Delegation(SUBNET, PREFIX),)))
        self.clock.advance(600)
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.delegator.remaining(ROUTER, PREFIX), (1199 - 1, 2999 - 1))
        self.assertIsNone(self.delegator.remaining(ROUTER, "2001:db8:99::/64"))

    def test_nothing_is_known_before_a_server_answers(self) -> None:
        """So nothing is told."""
        self.delegator.put(RECORD)
        self.clock.advance(1)
        self.assertEqual(self.delegator.delegated(ROUTER), ())
        self.assertEqual([self.delegator.count(are_held=each) for each in (True, False)], [0, 1])

    def test_what_comes_by_another_device_or_router_is_nothing(self) -> None:
        """Tenants' networks have no say in it."""
        self.delegator.put(RECORD)
        self.clock.advance(1)
        ((_, _, payload),) = self.world.sent
        answer = self.server.answer(payload)
        self.world.opened.add("quantumd-0a000000-0000-4000-8000-000000000002")
        for place in ((NAMESPACE, "qr-0b000000-00"), ("quantumd-0a000000-0000-4000-8000-000000000002", DEVICE)):
            self.world.answer(*place, answer)
        self.clock.advance(0.1)
        self.assertEqual(len(self.world.sent), 1)
        self.world.answer(NAMESPACE, DEVICE, answer)
        self.clock.advance(1.2)
        self.assertEqual(read_question(self.world.sent[-1][2]).type, M.REQUEST)

    def test_a_subnet_that_is_left_gives_its_prefix_back(self) -> None:
        """And the others stay."""
        self.bind(BOTH)
        self.assertEqual([self.delegator.count(are_held=each) for each in (True, False)], [2, 0])
        self.delegator.put(RECORD)
        self.assertEqual(self.asked(), [M.RELEASE])
        self.assertEqual([each.subnet_id for each in self.delegator.delegated(ROUTER)], [SUBNET])
        self.assertIn(NAMESPACE, self.world.opened)
        self.delegator.put(evolve(RECORD, delegations=()))
        self.assertEqual(self.asked(), [M.RELEASE])
        self.assertEqual((self.world.opened, orjson.loads(self.note.kept)["leases"]), (set(), []))
        self.clock.advance(10_000)
        self.assertEqual(self.asked(), [])

    def test_a_gateway_that_goes_waits_for_the_server(self) -> None:
        """Until it answers, or a second is over."""
        self.bind()
        leaving = self.delegator.cease(ROUTER, frozenset({DEVICE}), evolve(RECORD, gateway=None, delegations=()), False)
        assert leaving is not None
        self.assertNoResult(leaving)
        self.assertEqual(self.asked(), [M.RELEASE])
        self.successResultOf(leaving)
        self.bind()
        leaving = self.delegator.cease(ROUTER, frozenset({DEVICE}), None, True)
        assert leaving is not None
        self.clock.advance(FAREWELL_SECONDS)
        self.successResultOf(leaving)

    def test_a_router_that_only_leaves_the_host_keeps_its_prefix(self) -> None:
        """The next host asks for the same one."""
        self.bind()
        self.assertIsNone(self.delegator.cease(ROUTER, frozenset({DEVICE}), None, False))
        self.delegator.suspend(ROUTER)
        self.delegator.forget(ROUTER)
        self.clock.advance(10_000)
        self.assertEqual((self.asked(), self.world.opened), ([], set()))

    def test_devices_that_lead_inside_are_nothing_to_it(self) -> None:
        """They go at once."""
        self.bind()
        self.assertIsNone(self.delegator.cease(ROUTER, frozenset({"qg-0b000000-00"}) - {DEVICE}, None, True))
        self.assertEqual(self.asked(), [])

    def test_a_disabled_router_keeps_what_it_has(self) -> None:
        """And goes on with it later."""
        self.bind()
        disabled = evolve(RECORD, admin_state_up=False)
        self.assertIsNone(self.delegator.cease(ROUTER, frozenset({DEVICE}), disabled, False))
        self.delegator.suspend(ROUTER)
        self.delegator.put(disabled)
        self.clock.advance(100)
        self.assertEqual(self.asked(), [])
        self.delegator.put(RECORD)
        self.assertEqual((self.asked(), self.delegator.delegated(ROUTER)), ([], (DelegatedPrefix(SUBNET, PREFIX),)))

    def test_another_gateway_asks_anew(self) -> None:
        """It may lead to another provider: what the first gave is given back to it."""
        self.bind()
        moved = evolve(RECORD, gateway=evolve(OUTSIDE, port_id="0e000000-0000-4000-8000-000000000009"))
        self.assertIsNotNone(self.delegator.cease(ROUTER, frozenset({DEVICE}), moved, False))
        self.assertEqual(self.asked(), [M.RELEASE])
        self.delegator.put(moved)
        self.clock.advance(1)
        self.assertEqual([device for _, device, _ in self.world.sent], ["qg-0e000000-00"])

    def test_a_restart_goes_on_with_what_is_kept(self) -> None:
        """Nothing is asked before it is time."""
        self.bind()
        self.delegator.stop()
        self.begin()
        self.delegator.put(evolve(RECORD, delegations=(Delegation(SUBNET, PREFIX),)))
        self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, PREFIX),))
        self.clock.advance(600)
        self.assertEqual((self.asked(), self.changed), ([], []))
        self.clock.advance(300)
        self.assertEqual(self.asked(), [M.RENEW])

    def test_a_note_that_is_lost_or_broken(self) -> None:
        """Who knows the prefix by its record asks whether it is still given; it is used meanwhile."""
        self.bind()
        good = self.note.kept
        for kept in (b"", b"{", good[:-9], b"[]", good.replace(b'"version": 1', b'"version": 2'),
                     good.replace(PREFIX.encode(), b"fe80::/64"), good.replace(PREFIX.encode(), b"x")):  # fmt: skip
            self.delegator.stop()
            self.note.kept = kept
            self.begin()
            self.delegator.put(evolve(RECORD, delegations=(Delegation(SUBNET, PREFIX),)))
            self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, PREFIX),))
            self.assertEqual(self.asked(), [M.REBIND], kept)
            self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, PREFIX),))
            self.assertIn(PREFIX.encode(), self.note.kept)

    def test_what_was_left_while_no_process_ran_is_given_back(self) -> None:
        """By the next one."""
        self.bind(BOTH)
        self.delegator.stop()
        self.begin()
        self.delegator.put(RECORD)
        self.assertEqual(self.asked(), [M.RELEASE])

    def test_a_prefix_that_is_lost_is_told(self) -> None:
        """And that there is one again."""
        self.bind()
        self.world.sent.clear()
        self.clock.advance(3599)
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, ""),))
        self.server.inner = (prefix_option("2001:db8:7::/64"),)
        self.world.sent.clear()
        for _ in range(8):
            self.clock.advance(1)
            self.asked()
        self.assertEqual(self.delegator.delegated(ROUTER), (DelegatedPrefix(SUBNET, "2001:db8:7::/64"),))
        self.assertEqual(self.changed, [ROUTER] * 3)
