"""What a router's filters count for metering labels, and that they go on counting while rules change."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.nft.interfaces import Count
from quantumd.l3.features.metering import counted, meters_of
from quantumd.model.meter_counts import MeterCount
from quantumd.model.router_records import Meter, MeterRule
from tests.l3.world import NAMESPACE, ROUTER, World

_LABEL = "11111111-0000-4000-8000-000000000001"
_NAME = ("inet", "metered_11111111000040008000000000000001")
OUT = Meter(_LABEL, (MeterRule("egress", "10.0.0.0/24"), MeterRule("egress", "10.0.0.128/25", True)))


class FilterTests(SynchronousTestCase):
    """From the record."""

    def test_where_nothing_is_counted_nothing_is_asked(self) -> None:
        """Nor where there is no gateway."""
        for router in (ROUTER, evolve(ROUTER, meters=(OUT,), gateway=None)):
            self.assertEqual((meters_of(router).chains, meters_of(router).counters), ({}, frozenset()))

    def test_what_is_excluded_is_left_out_first(self) -> None:
        """Then each is counted once, by the addresses inside; versions of IP are told apart."""
        both = evolve(OUT, rules=(*OUT.rules, MeterRule("ingress", "fd00::/64")))
        filters = meters_of(evolve(ROUTER, meters=(both,)))
        self.assertEqual(
            filters.chains[_NAME].rules,
            (
                'oifname "qg-*" ip saddr 10.0.0.128/25 return',
                f'oifname "qg-*" ip saddr 10.0.0.0/24 counter name {_NAME[1]} return',
                f'iifname "qg-*" ip6 daddr fd00::/64 counter name {_NAME[1]} return',
                "return",
            ),
        )
        self.assertEqual(filters.chains["inet", "metered"].rules, (f"jump {_NAME[1]}",))
        self.assertEqual(filters.counters, {_NAME})

    def test_what_was_counted_is_found_by_label(self) -> None:
        """A counter that is not there yet has counted nothing that could be told."""
        router = evolve(ROUTER, meters=(OUT, Meter("other")))
        self.assertEqual(list(counted(router, {_NAME: Count(3, 300)})), [MeterCount(ROUTER.id, _LABEL, 3, 300)])

    def test_a_counter_stays_while_rules_change(self) -> None:
        """And goes with its label."""
        world = World()
        world.know(evolve(ROUTER, meters=(OUT,)))
        nft = world.namespaces.filters_of(NAMESPACE)
        nft.counters[_NAME] = Count(3, 300)
        world.know(evolve(ROUTER, meters=(evolve(OUT, rules=OUT.rules[:1]),)))
        self.assertEqual(nft.counters, {_NAME: Count(3, 300)})
        self.assertEqual(nft.changes[-1].counters | nft.changes[-1].gone_counters, frozenset())
        world.know(ROUTER)
        self.assertEqual((nft.counters, _NAME in nft.chains), ({}, False))
