"""When which link is told what."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.solicitations.memory import MemorySolicitations
from quantumd.l3.advertiser import (
    ANSWERS_PER_SECOND,
    BETWEEN_SECONDS,
    FIRST_SECONDS,
    WITHDRAWN_SECONDS,
    Advertiser,
)
from quantumd.model.router_records import AdvertisedPrefix, RouterLink, RouterRecord

ROUTER = "0a000000-0000-4000-8000-000000000001"
PORT = "0b000000-0000-4000-8000-000000000001"
NAMESPACE, DEVICE = f"quantumd-{ROUTER}", f"qr-{PORT[:11]}"
LINK = RouterLink(PORT, "n", "fa:16:3e:00:00:01", 1500, ("fd00::1/64",), (AdvertisedPrefix("fd00::/64", "slaac"),))
RECORD = RouterRecord(ROUTER, 1, True, (LINK,))
EVERYBODY = "ff02::1"


class AdvertiserTests(SynchronousTestCase):
    """On links in memory."""

    def setUp(self) -> None:
        """An advertiser with a router."""
        self.clock, self.world = Clock(), MemorySolicitations()
        self.advertiser = Advertiser(self.world, self.clock, lambda: 0.5)
        self.advertiser.put(RECORD)
        self.clock.advance(0)

    def told(self) -> list[tuple[str, int]]:
        """Return to whom something was said since the last call, and the lifetime in it, in seconds."""
        said, self.world.sent[:] = tuple(self.world.sent), ()
        return [(target, struct.unpack_from("!H", message, 6)[0]) for _, _, target, message in said]

    def test_a_new_link_is_told_at_once_and_a_few_times_more(self) -> None:
        """Then now and then."""
        self.assertEqual(self.told(), [(EVERYBODY, 1800)])
        self.clock.pump([1.0] * int(FIRST_SECONDS[-1]))
        self.assertEqual(len(self.told()), len(FIRST_SECONDS) - 1)
        self.clock.advance(sum(BETWEEN_SECONDS) / 2)
        self.assertEqual(self.told(), [(EVERYBODY, 1800)])

    def test_who_asks_is_answered_alone(self) -> None:
        """Who has no address yet is answered with all others."""
        self.told()
        self.world.ask(NAMESPACE, DEVICE, "fe80::5")
        self.world.ask(NAMESPACE, DEVICE, "::")
        self.assertEqual(self.told(), [("fe80::5", 1800), (EVERYBODY, 1800)])

    def test_who_asks_too_often_is_not_answered(self) -> None:
        """So that nobody makes us talk all the time; later he is."""
        self.told()
        for _ in range(500):
            self.world.ask(NAMESPACE, DEVICE, "fe80::5")
        self.assertEqual(len(self.told()), ANSWERS_PER_SECOND)
        self.clock.advance(0.5)
        self.told()
        self.world.ask(NAMESPACE, DEVICE, "fe80::5")
        self.assertEqual(len(self.told()), 1)

    def test_what_is_put_again_unchanged_is_not_told_again(self) -> None:
        """What has changed is."""
        self.told()
        self.advertiser.put(evolve(RECORD, version=2))
        self.clock.advance(0)
        self.assertEqual(self.told(), [])
        self.advertiser.put(evolve(RECORD, interfaces=(evolve(LINK, mtu_bytes=1280),)))
        self.clock.advance(0)
        self.assertEqual(len(self.told()), 1)

    def test_a_link_that_goes_is_told(self) -> None:
        """And never again."""
        self.told()
        self.advertiser.cease(ROUTER, frozenset({DEVICE}))
        self.assertEqual(self.told(), [(EVERYBODY, 0)])
        self.clock.advance(10_000)
        self.assertEqual(self.told(), [])

    def prefixes(self) -> dict[str, tuple[int, int]]:
        """Return the prefixes in what was said last, and for how many seconds each is preferred and valid."""
        found, message, at = {}, self.world.sent[-1][3], 16
        while at < len(message):
            if message[at] == 3:
                valid, preferred = struct.unpack_from("!II", message, at + 4)
                found[str(IPv6Address(message[at + 16 : at + 32]))] = preferred, valid
            at += message[at + 1] * 8
        return found

    def test_a_prefix_that_was_another_one_is_withdrawn(self) -> None:
        """For an hour and a half, from its own link only; unless it comes back."""
        other = evolve(LINK, advertised=(AdvertisedPrefix("fd00:0:0:1::/64", "slaac"),))
        self.advertiser.put(evolve(RECORD, interfaces=(other,)))
        self.clock.advance(0)
        self.assertEqual(self.prefixes(), {"fd00:0:0:1::": (14_400, 86_400), "fd00::": (0, 0)})
        self.advertiser.put(RECORD)
        self.clock.advance(0)
        self.assertEqual(self.prefixes(), {"fd00::": (14_400, 86_400), "fd00:0:0:1::": (0, 0)})
        self.clock.advance(WITHDRAWN_SECONDS)
        self.world.ask(NAMESPACE, DEVICE, "fe80::5")
        self.assertEqual(self.prefixes(), {"fd00::": (14_400, 86_400)})

    def test_a_link_that_has_no_prefix_any_more_is_told(self) -> None:
        """While it stays: hosts use neither the router nor the addresses for anything new."""
        self.told()
        self.advertiser.put(evolve(RECORD, interfaces=(evolve(LINK, advertised=()),)))
        self.assertEqual(self.prefixes(), {"fd00::": (0, 0)})
        self.assertEqual(self.told(), [(EVERYBODY, 0)])

    def test_a_prefix_is_good_for_no_longer_than_it_was_given(self) -> None:
        """As it is when it is said."""
        times = {"fd00::/64": (100, 200)}
        self.advertiser = Advertiser(
            self.world, self.clock, lambda: 0.5, times=lambda router_id, prefix: times.get(prefix)
        )
        self.advertiser.put(RECORD)
        self.clock.advance(0)
        self.assertEqual(self.prefixes(), {"fd00::": (100, 200)})
        times["fd00::/64"] = (10_000_000, 10_000_000)
        self.clock.advance(1)
        self.assertEqual(self.prefixes(), {"fd00::": (14_400, 86_400)})

    def test_a_router_that_advertises_nothing_hears_nothing(self) -> None:
        """Disabled, without IPv6, or gone."""
        for change in ({"admin_state_up": False}, {"interfaces": (evolve(LINK, advertised=()),)}):
            self.advertiser.put(RECORD)
            self.assertIn(NAMESPACE, self.world.opened)
            self.advertiser.put(evolve(RECORD, **change))
            self.assertNotIn(NAMESPACE, self.world.opened)
        self.advertiser.put(RECORD)
        self.advertiser.forget(ROUTER)
        self.assertEqual((self.world.opened, self.clock.getDelayedCalls()), (set(), []))

    def test_nothing_is_said_after_the_end(self) -> None:
        """Hosts go on as they are: the next process goes on too."""
        self.told()
        self.advertiser.stop()
        self.clock.advance(10_000)
        self.assertEqual(self.told(), [])
