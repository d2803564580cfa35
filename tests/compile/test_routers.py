"""What the record of a router says."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.compile.routers import router_record
from quantumd.model.nouns import Router, RouterAddress, RouterPort
from quantumd.model.router_records import FloatingAddress, ForwardedPorts, RouterLink, RouterRecord, RouterRoute

GATEWAY = RouterPort(
    "p1", True, "n1", "fa:16:3e:00:00:01", 1500, True,
    (
        RouterAddress("172.24.4.9", "172.24.4.0/24", "172.24.4.1"),
        RouterAddress("2001:db8::9", "2001:db8::/64", "2001:db8::1"),
        RouterAddress("172.25.0.9", "172.25.0.0/16", "172.25.0.1"),
    ),
)  # fmt: skip
INSIDE = RouterPort(
    "p2", False, "n2", "fa:16:3e:00:00:02", 1450, True, (RouterAddress("10.0.0.1", "10.0.0.0/24", "10.0.0.1"),)
)
FORWARDED = ForwardedPorts("172.24.4.78", "tcp", 80, 80, "10.0.0.5", 8080, 8080)
FLOATING = FloatingAddress("f1", "172.24.4.77", "10.0.0.5")
ROUTE = RouterRoute("10.77.0.0/16", "10.0.0.7")
ROUTER = Router("r1", "host-a", True, False, (ROUTE,), (GATEWAY, INSIDE), (FLOATING,), (FORWARDED,), True, ("fd00::5",))


class RecordTests(SynchronousTestCase):
    """From a router to its record."""

    def test_it_is_whole(self) -> None:
        """Addresses with their prefixes, and one way out for each version of IP."""
        gateway = ("172.24.4.9/24", "2001:db8::9/64", "172.25.0.9/16")
        self.assertEqual(
            router_record(ROUTER, 12),
            RouterRecord(
                "r1",
                12,
                True,
                (RouterLink("p2", "n2", "fa:16:3e:00:00:02", 1450, ("10.0.0.1/24",)),),
                RouterLink("p1", "n1", "fa:16:3e:00:00:01", 1500, gateway),
                ("172.24.4.1", "2001:db8::1"),
                False,
                (ROUTE,),
                (FLOATING,),
                (FORWARDED,),
                True,
                ("fd00::5",),
            ),
        )

    def test_who_answers_for_nobody_has_nobody_to_answer_for(self) -> None:
        """Whatever was asked of it when it did."""
        record = router_record(evolve(ROUTER, enable_ndp_proxy=False), 12)
        self.assertEqual((record.enable_ndp_proxy, record.proxied), (False, ()))

    def test_what_is_disabled_is_left_out(self) -> None:
        """With a gateway its next hops."""
        record = router_record(evolve(ROUTER, ports=(evolve(GATEWAY, is_enabled=False), INSIDE)), 12)
        self.assertEqual((record.gateway, record.nexthops, len(record.interfaces)), (None, (), 1))
        record = router_record(evolve(ROUTER, ports=(GATEWAY, evolve(INSIDE, is_enabled=False))), 12)
        self.assertEqual((record.gateway is None, record.interfaces), (False, ()))

    def test_no_way_out(self) -> None:
        """Without a gateway of the subnet, or where the router is that itself."""
        for gateway_ip in (None, "172.24.4.9"):
            addresses = (RouterAddress("172.24.4.9", "172.24.4.0/24", gateway_ip),)
            record = router_record(evolve(ROUTER, ports=(evolve(GATEWAY, addresses=addresses),)), 12)
            self.assertEqual(record.nexthops, ())
