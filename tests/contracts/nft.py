"""What every provider of INft keeps: its tests are run for the program nft and for filters in memory."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from quantumd.edge.nft.interfaces import Chain, Change, INft, Kind, Ruleset
from quantumd.errors import EdgeError

CHAIN = Chain(("ip saddr 10.0.0.1 accept", "drop"))
BASE = Chain(("meta mark vmap @to", "accept"), "type filter hook prerouting priority -150; policy accept;")
FIRST = Change(
    chains={("inet", "c"): CHAIN, ("inet", "base"): BASE},
    sets={
        ("inet", "to"): Kind("type mark : verdict;"),
        ("bridge", "known"): Kind("type ifname;"),
        ("inet", "some"): Kind("type ipv4_addr; flags interval;"),
        ("inet", "pairs"): Kind("type ifname . ether_addr;"),
        ("inet", "zones"): Kind("typeof iifname : ct zone;"),
    },
    elements={
        ("inet", "to", "0x00000007"): "goto c",
        ("bridge", "known", '"tap1"'): "",
        ("inet", "some", "10.0.0.0/24"): "",
        ("inet", "some", "10.0.1.1"): "",
        ("inet", "pairs", '"brq1" . fa:16:3e:00:00:01'): "",
        ("inet", "zones", '"brq1"'): "77",
    },
)


class NftContract(TestCase):
    """The tests; a provider's own class says how to make one that has been started, on a host without filters."""

    __test__ = False

    def make(self) -> INft:
        """Return a provider."""
        raise AssertionError("each provider makes its own")

    def expected(self, *changes: Change) -> Ruleset:
        """Return what there is after changes of which none takes anything away."""
        return Ruleset(
            {name: chain.digest for change in changes for name, chain in change.chains.items()},
            frozenset(name for change in changes for name in change.sets),
            {place: value for change in changes for place, value in change.elements.items()},
        )

    def test_it_is_what_it_says(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(INft, self.make()))

    def test_what_was_made_is_read_back(self) -> Deferred[None]:
        """All of it, as it was written; at first there is nothing."""

        async def run() -> None:
            nft = self.make()
            self.assertEqual(await nft.read(), Ruleset())
            await nft.apply(FIRST)
            self.assertEqual(await nft.read(), self.expected(FIRST))

        return ensureDeferred(run())

    def test_chains_elements_and_sets_change_and_go(self) -> Deferred[None]:
        """In one transaction, what is named after what names it."""

        async def run() -> None:
            nft = self.make()
            await nft.apply(FIRST)
            new = Chain(("udp dport 5 accept", "drop"))
            change = Change(
                chains={("inet", "d"): new},
                elements={("inet", "to", "0x00000007"): "goto d"},
                gone_chains=frozenset({("inet", "c")}),
                gone_sets=frozenset({("inet", "some")}),
                gone_elements={("inet", "to", "0x00000007"): "goto c", ("bridge", "known", '"tap1"'): ""},
            )
            await nft.apply(change)
            found = await nft.read()
            self.assertEqual(found.chains, {("inet", "d"): new.digest, ("inet", "base"): BASE.digest})
            self.assertNotIn(("inet", "some"), found.sets)
            keys = {place[2] for place in found.elements}
            self.assertEqual(keys, {"0x00000007", '"brq1" . fa:16:3e:00:00:01', '"brq1"'})

        return ensureDeferred(run())

    def test_what_cannot_be_made_changes_nothing(self) -> Deferred[None]:
        """Not half of it either."""

        async def run() -> None:
            nft = self.make()
            await nft.apply(FIRST)
            wrong = Change(
                chains={("inet", "c"): evolve(CHAIN, rules=("accept",))},
                elements={("inet", "to", "0x00000008"): "goto nowhere"},
            )
            with self.assertRaises(EdgeError):
                await nft.apply(wrong)
            self.assertEqual(await nft.read(), self.expected(FIRST))

        return ensureDeferred(run())
