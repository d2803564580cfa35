"""What metering labels counted at routers is told: growth, of whichever host, and once."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from quantumd.config import NotificationSettings
from quantumd.errors import EdgeUnavailable
from quantumd.model.meter_counts import MeterCount
from tests.api.notifications.test_service import NotificationsCase


class MeterTests(NotificationsCase):
    """Two routers of one project, and a label; host h answers, g does not."""

    settings = NotificationSettings(enabled=True, meters_seconds=30.0)

    def setUp(self) -> None:
        """Make them."""
        self.metering = self
        self.counted_by: dict[tuple[str, str], MeterCount] | None = {}
        super().setUp()
        self.label = self.api.make("metering/metering-labels", "metering_label", name="l")["id"]
        self.routers = [self.api.make("routers", "router")["id"] for _ in range(2)]
        self.turn()

    def read(self, host: str) -> Deferred[Any]:
        """See NotificationsCase."""
        known = self.counted_by
        return fail(EdgeUnavailable("away")) if host == "g" or known is None else succeed(tuple(known.values()))

    def count(self, which: int, packets: int, octets: int) -> None:
        """A router has counted so much in all."""
        self.put(MeterCount(self.routers[which], self.label, packets, octets))

    def put(self, count: MeterCount) -> None:
        """The host tells that."""
        assert self.counted_by is not None
        self.counted_by[count.key] = count

    def next_round(self) -> list[tuple[int, int]]:
        """Let a round go by; return packets and bytes that it tells of."""
        self.taken.clear()
        self.turn(31.0)
        payloads = [each["payload"] for each in self.taken if each["event_type"] == "l3.meter"]
        return [(each["pkts"], each["bytes"]) for each in payloads if each["label_id"] == self.label]

    def test_routers_of_a_project_are_told_together(self) -> None:
        """And only what was counted since the last round."""
        self.count(0, 3, 300)
        self.count(1, 4, 400)
        self.assertEqual(self.next_round(), [(7, 700)])
        self.count(1, 5, 500)
        self.assertEqual(self.next_round(), [(1, 100)])
        self.assertEqual(self.next_round(), [(0, 0)])

    def test_the_payload_is_that_of_neutron_s_agent(self) -> None:
        """With whose it is, where it was counted, and when."""
        self.count(0, 3, 300)
        self.next_round()
        (told,) = (each["payload"] for each in self.taken if each["event_type"] == "l3.meter")
        router = self.api.request("GET", f"routers/{self.routers[0]}").json["router"]
        self.assertEqual(
            {name: told[name] for name in ("label_id", "project_id", "tenant_id", "host", "pkts", "bytes")},
            {
                "label_id": self.label, "project_id": router["project_id"], "tenant_id": router["project_id"],
                "host": "h", "pkts": 3, "bytes": 300,
            },
        )  # fmt: skip
        self.assertLessEqual(told["first_update"], told["last_update"])

    def test_a_counter_that_began_anew_is_told_whole(self) -> None:
        """As after a host was started again, or the router was moved."""
        self.count(0, 3, 300)
        self.next_round()
        self.count(0, 1, 100)
        self.assertEqual(self.next_round(), [(1, 100)])

    def test_what_could_not_be_read_or_told_is_told_later(self) -> None:
        """All of it, once."""
        self.counted_by = None
        self.assertEqual(self.next_round(), [])
        self.counted_by = {}
        self.count(0, 3, 300)
        self.assertEqual(self.next_round(), [(3, 300)])

    def test_what_is_known_to_nobody_is_not_told(self) -> None:
        """A label that has gone, or a router."""
        self.put(MeterCount(self.routers[0], "other", 1, 1))
        self.put(MeterCount("other", self.label, 1, 1))
        self.assertEqual(self.next_round(), [])
