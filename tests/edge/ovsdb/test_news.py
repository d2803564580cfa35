"""Facts become changes in the order of the database, a bounded number in one turn."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceChange, InterfaceRow
from quantumd.edge.ovsdb.news import FACTS_PER_TURN, News
from quantumd.edge.ovsdb.replica import BridgeFact, Fact, InterfaceFact, Loaded, PortFact

A, B = UUID(int=1), UUID(int=2)
TAP = InterfaceRow("tap", {}, None, None)
NUMBERED = InterfaceRow("tap", {}, 1, None)
BRIDGE = BridgeRow("br", "netdev", None, frozenset(), {}, False)


def told(*facts: Fact) -> list[InterfaceChange]:
    """The changes that facts are told as."""
    news, changes = News(), list[InterfaceChange]()
    news.listeners.on_interfaces(changes.extend)
    news.add(facts)
    news.tell_some()
    return changes


class NewsTests(SynchronousTestCase):
    """News."""

    def test_a_row_told_twice_is_told_once(self) -> None:
        """What the database repeats after a reconnection is no change."""
        self.assertEqual(told(InterfaceFact(A, "tap", TAP), InterfaceFact(A, "tap", TAP)), [InterfaceChange(None, TAP)])

    def test_the_order_is_that_of_the_database(self) -> None:
        """Appeared, numbered, gone."""
        facts = (InterfaceFact(A, "tap", TAP), InterfaceFact(A, "tap", NUMBERED), InterfaceFact(A, "tap", None))
        chain = [InterfaceChange(None, TAP), InterfaceChange(TAP, NUMBERED), InterfaceChange(NUMBERED, None)]
        self.assertEqual(told(*facts), chain)

    def test_an_interface_replaced_by_one_of_its_name_goes_first(self) -> None:
        """Removed and added in one transaction, whichever the database tells first: gone, then there."""
        replaced = [InterfaceChange(NUMBERED, None), InterfaceChange(None, TAP)]
        old, new, gone = (
            InterfaceFact(A, "tap", NUMBERED),
            InterfaceFact(B, "tap", TAP),
            InterfaceFact(A, "tap", None),
        )
        self.assertEqual(told(old, new, gone)[1:], replaced)
        self.assertEqual(told(old, gone, new)[1:], replaced)

    def test_a_turn_tells_a_bounded_number(self) -> None:
        """The rest waits for the next turn."""
        news, sizes = News(), list[int]()
        news.listeners.on_interfaces(lambda changes: sizes.append(len(changes)))
        count = 2 * FACTS_PER_TURN + 1
        news.add(InterfaceFact(UUID(int=n), f"tap{n}", InterfaceRow(f"tap{n}", {}, n, None)) for n in range(count))
        while not news.is_all_told:
            news.tell_some()
        self.assertEqual(sizes, [FACTS_PER_TURN, FACTS_PER_TURN, 1])

    def test_a_mark_is_reached_after_what_is_before_it(self) -> None:
        """Facts behind the mark are not told with those before."""
        news, heard = News(), list[InterfaceChange]()
        news.listeners.on_interfaces(heard.extend)
        mark = Loaded(frozenset({A}))
        news.add((InterfaceFact(A, "tap", TAP), mark, InterfaceFact(A, "tap", None)))
        self.assertEqual((news.tell_some(), heard), (mark, [InterfaceChange(None, TAP)]))

    def test_what_a_load_does_not_have_has_vanished(self) -> None:
        """Each row known and not present is a fact of its own."""
        news = News()
        facts = (InterfaceFact(A, "tap", TAP), BridgeFact(B, "br", BRIDGE, ()), PortFact(UUID(int=3), "tap", True))
        news.add(facts)
        news.tell_some()
        gone = (InterfaceFact(A, "tap", None), PortFact(UUID(int=3), "tap", False))
        self.assertEqual(news.content.vanished(Loaded(frozenset({B}))), gone)

    def test_a_bridge_is_told_once_a_turn_and_only_when_its_row_differs(self) -> None:
        """A port more changes what is known of the bridge, not its row."""
        news, names = News(), list[str]()
        news.listeners.on_bridge(names.append)
        news.add((BridgeFact(A, "br", BRIDGE, ()),))
        news.tell_some()
        news.add((BridgeFact(A, "br", BRIDGE, ("a port",)),))
        news.tell_some()
        self.assertEqual(names, ["br"])
