"""The way of a change: order, one atomic bundle, and every refusal noticed before it is called done."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from quantumd.edge.openflow import messages
from quantumd.edge.openflow.actions import DROP
from quantumd.edge.openflow.delivery import BUNDLE_FLOWS, Delivery
from quantumd.edge.openflow.framing import Message
from quantumd.edge.openflow.interfaces import Flow, Group, Meter, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.errors import EdgeUnavailable
from tests.edge.openflow.test_connection import ConnectionTestCase

ONE, TWO = (Flow(1, n, match(in_port=n), n, DROP) for n in (1, 2))
_NAMES = {
    messages.BUNDLE_ADD: "flow", messages.BARRIER_REQUEST: "barrier", messages.METER_MOD: "meter",
    messages.GROUP_MOD: "group",
}  # fmt: skip
_CONTROLS = {messages.BUNDLE_OPEN: "open", messages.BUNDLE_COMMIT: "commit", messages.BUNDLE_DISCARD: "discard"}


def name_of(message: Message) -> str:
    """What a message is, in a word."""
    if message.kind == messages.BUNDLE_CONTROL:
        return _CONTROLS[int.from_bytes(message.body[4:6], "big")]
    return _NAMES[message.kind]


class CountingClock(Clock):
    """Counts how often someone gave the turn to others."""

    turns = 0

    def callLater(  # type: ignore[override]  # the stub's names shadow builtins
        self, delay: float, what: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        """Note a turn."""
        self.turns += 1
        return super().callLater(delay, what, *args, **kw)


class DeliveryTests(ConnectionTestCase):
    """The test is the switch."""

    def setUp(self) -> None:
        super().setUp()
        self.receive(messages.HELLO, b"", 0)
        self.sent()
        self.delivery = Delivery(self.clock, self.connection)
        self.connection.on_error = lambda xid, error: self.assertTrue(self.delivery.take_error(xid, error))

    def deliver(self, change: SwitchChange) -> Deferred[None]:
        """Send a change."""
        return Deferred.fromCoroutine(self.delivery.deliver(change))

    def step(self) -> tuple[list[str], list[Message]]:
        """Return what was sent, and answer its barrier."""
        self.clock.advance(0)
        found = self.sent()
        return [name_of(message) for message in found], found

    def answer(self, found: list[Message]) -> None:
        """Answer the barrier."""
        self.receive(messages.BARRIER_REPLY, b"", found[-1].xid)

    def refuse(self, message: Message, kind: int = 5, code: int = 1) -> None:
        """Refuse a message."""
        self.receive(messages.ERROR, kind.to_bytes(2, "big") + code.to_bytes(2, "big"), message.xid)

    def test_order_of_a_whole_change(self) -> None:
        """Meters, groups, one bundle, barrier; commit, barrier; then what is removed, and a last barrier."""
        change = SwitchChange((Meter(1, 1, 1),), (Group(1, ()),), (ONE,), (TWO,), (2,), (3,))
        done = self.deliver(change)
        names, found = self.step()
        self.assertEqual(names, ["meter", "meter", "group", "open", "flow", "flow", "barrier"])
        self.answer(found)
        names, found = self.step()
        self.assertEqual(names, ["commit", "barrier"])
        self.answer(found)
        names, found = self.step()
        self.assertEqual(names, ["group", "meter", "barrier"])
        self.assertNoResult(done)
        self.answer(found)
        self.successResultOf(done)

    def test_refused_add_discards_the_bundle(self) -> None:
        """OVS would commit the rest; it is thrown away, and nothing later is sent."""
        done = self.deliver(SwitchChange(put_flows=(ONE, TWO), remove_groups=(1,)))
        _, found = self.step()
        self.refuse(found[2])
        self.answer(found)
        names, found = self.step()
        self.assertEqual(names, ["discard", "barrier"])
        self.answer(found)
        refused = self.failureResultOf(done, SwitchRefused)
        self.assertEqual(refused.value.part, "cookie=0x2, table=1, priority=2,in_port=2 actions=drop")
        self.assertEqual(self.sent(), [])

    def test_error_at_commit_is_a_refusal(self) -> None:
        """No commit reply comes then; the barrier shows that it is over."""
        done = self.deliver(SwitchChange(put_flows=(ONE,)))
        _, found = self.step()
        self.answer(found)
        _, found = self.step()
        self.refuse(found[0], 17, 4)
        self.answer(found)
        self.failureResultOf(done, SwitchRefused)

    def test_error_of_a_flow_at_commit_is_a_refusal(self) -> None:
        """At commit OVS may also name the flow that it could not add."""
        done = self.deliver(SwitchChange(put_flows=(ONE,)))
        _, first = self.step()
        self.answer(first)
        _, found = self.step()
        self.refuse(first[1])
        self.answer(found)
        self.failureResultOf(done, SwitchRefused)

    def test_refused_group_stops_the_flows(self) -> None:
        """Flows are not committed when what they need was refused."""
        done = self.deliver(SwitchChange(put_groups=(Group(1, ()),), put_flows=(ONE,)))
        _, found = self.step()
        self.refuse(found[0], 6, 3)
        self.answer(found)
        names, found = self.step()
        self.assertEqual(names, ["discard", "barrier"])
        self.answer(found)
        self.assertEqual(self.failureResultOf(done, SwitchRefused).value.part, "group 1")

    def test_meter_that_exists_is_no_error(self) -> None:
        """It is modified."""
        done = self.deliver(SwitchChange(put_meters=(Meter(1, 1, 1),)))
        _, found = self.step()
        self.refuse(found[0], 12, 1)
        self.answer(found)
        self.successResultOf(done)

    def test_meter_that_cannot_be_modified_is_refused(self) -> None:
        """Neither added nor modified: there is no room."""
        done = self.deliver(SwitchChange(put_meters=(Meter(1, 1, 1),)))
        _, found = self.step()
        self.refuse(found[0], 12, 10)
        self.refuse(found[1], 12, 3)
        self.answer(found)
        self.failureResultOf(done, SwitchRefused)

    def test_large_change_is_split(self) -> None:
        """More flows than a bundle takes: one bundle after the other, packed in slices."""
        flows = tuple(Flow(1, 1, match(in_port=n), 1, DROP) for n in range(BUNDLE_FLOWS + 1))
        done = self.deliver(SwitchChange(put_flows=flows))
        bundles = []
        while not done.called:
            names: list[str] = []
            found: list[Message] = []
            while not names or names[-1] != "barrier":
                more, found = self.step()
                names += more
            bundles.append(names.count("flow"))
            self.answer(found)
        self.successResultOf(done)
        self.assertEqual(bundles, [BUNDLE_FLOWS, 0, 1, 0])

    def test_large_change_is_sent_in_slices(self) -> None:
        """Other work gets its turn after every 250 flows."""
        flows = tuple(Flow(1, 1, match(in_port=n), 1, DROP) for n in range(600))
        counting = CountingClock()
        self.delivery = Delivery(counting, self.connection)
        done = self.deliver(SwitchChange(put_flows=flows))
        for _ in range(5):
            counting.advance(0)
        self.assertEqual(counting.turns, 2)
        self.lose()
        self.failureResultOf(done, EdgeUnavailable)

    def test_lost_connection_fails_the_change(self) -> None:
        """Whether it was made is not known."""
        done = self.deliver(SwitchChange(put_flows=(ONE,)))
        self.lose()
        self.failureResultOf(done, EdgeUnavailable)
