"""What a router's filters say of limits."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.l3.features.limits import limits_of
from quantumd.model.router_records import AddressLimit
from tests.l3.world import NAMESPACE, ROUTER, World

SLOW = AddressLimit("203.0.113.5", "ingress", 100)
FAST = AddressLimit("203.0.113.5", "egress", 10_000, 16_000)


class FilterTests(SynchronousTestCase):
    """From the record."""

    def test_where_nothing_is_limited_nothing_is_asked(self) -> None:
        """Nor where there is no gateway."""
        for router in (ROUTER, evolve(ROUTER, limits=(SLOW,), gateway=None)):
            self.assertEqual((limits_of(router).chains, limits_of(router).elements), ({}, {}))

    def test_each_limit_is_a_chain(self) -> None:
        """In bytes; a burst counts beyond the second that is let through anyhow, and a long packet always passes."""
        filters = limits_of(evolve(ROUTER, limits=(SLOW, FAST)))
        self.assertEqual(
            filters.elements,
            {
                ("inet", "limited_in", "203.0.113.5"): "goto limited_in_203_0_113_5",
                ("inet", "limited_out", "203.0.113.5"): "goto limited_out_203_0_113_5",
            },
        )
        rules = {name[1]: chain.rules for name, chain in filters.chains.items()}
        self.assertEqual(
            rules["limited_in_203_0_113_5"], ("limit rate over 12500 bytes/second burst 57500 bytes drop",)
        )
        self.assertEqual(
            rules["limited_out_203_0_113_5"], ("limit rate over 1250000 bytes/second burst 750000 bytes drop",)
        )
        plain = limits_of(evolve(ROUTER, limits=(evolve(FAST, burst_kbits=0),)))
        self.assertIn(("limit rate over 1250000 bytes/second drop",), [chain.rules for chain in plain.chains.values()])

    def test_others_stay_as_they_are_when_one_changes(self) -> None:
        """Their buckets are not filled again."""
        world = World()
        other = evolve(FAST, address="203.0.113.2")
        world.know(evolve(ROUTER, limits=(SLOW, other)))
        made = world.namespaces.filters_of(NAMESPACE).changes
        before = len(made)
        world.know(evolve(ROUTER, limits=(evolve(SLOW, rate_kbps=200), other)))
        (change,) = made[before:]
        self.assertEqual({name for _, name in change.chains}, {"limited_in_203_0_113_5"})
        world.know(evolve(ROUTER, limits=()))
        self.assertEqual(world.namespaces.filters_of(NAMESPACE).sets.keys() & {("inet", "limited_in")}, set())
