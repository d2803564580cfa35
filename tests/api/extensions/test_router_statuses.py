"""Reports of hosts, and the statuses of routers and floating IPs that follow."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantumd.api.extensions.routers.statuses import RouterNews, apply_router_report
from quantumd.model.messages import PortReport, Report
from quantumd.model.status import ACTIVE
from tests.api.extensions.test_router_hosts import LATER, HostedCase
from tests.api.resources.bed import ALICE, View
from tests.bed.counts import count


class StatusCase(HostedCase):
    """Has a router on host a that leads from Alice's subnet outside, and a port in the subnet."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.hear("a")
        self.made = self.with_gateway()
        self.add(self.made, subnet_id=self.inner)
        self.port = self.bed.create("port", ALICE, network_id=self.inside)["id"]
        self.hear("b")

    def says(
        self, version: int | None = None, fault: str | None = None, host: str = "a", is_complete: bool = False
    ) -> RouterNews:
        """Report of the router; by default that all until now is realised."""
        realised = self.position() if version is None else version
        said = PortReport(self.made["id"], realised, True, fault)
        return self.take(Report(host, "l3", (said,), is_complete))

    def take(self, report: Report) -> RouterNews:
        """Take a report."""
        tx = self.bed.tx()
        with tx.savepoint():
            return apply_router_report(tx, report)

    def status(self, floating: View | None = None) -> str:
        """Return the status of the router, or of a floating IP."""
        member, made = ("router", self.made) if floating is None else ("floatingip", floating)
        return str(self.bed.show(member, made["id"], ALICE)["status"])

    def floating(self, **said: Any) -> View:
        """Make a floating IP that leads to the port."""
        return self.bed.create(
            "floatingip", ALICE, **{"floating_network_id": self.outside, "port_id": self.port, **said}
        )


class RouterTests(StatusCase):
    """Routers."""

    def test_one_that_a_host_carries_begins_active(self) -> None:
        """As clients expect; what the host then says counts, and what it has not heard of yet it need not name."""
        self.assertEqual(self.status(), "ACTIVE")
        self.take(Report("a", "l3", (), is_complete=True))
        self.says(version=0)
        self.assertEqual(self.status(), "ACTIVE")

    def test_one_that_no_host_carries_is_down(self) -> None:
        """Until a host has taken it, and realised it."""
        self.bed.now = LATER
        self.made = self.router()
        self.assertEqual(self.status(), "DOWN")
        self.hear("a")
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")

    def test_a_realised_one_is_active(self) -> None:
        """With a journal row of its own operation, of which no host is told; the same again changes nothing."""
        self.says(fault="no room")
        before = self.shown(self.made)["revision_number"]
        news = self.says()
        self.assertEqual(news.statuses, [("router", self.made["id"], "ACTIVE")])
        self.assertEqual((self.status(), self.shown(self.made)["revision_number"]), ("ACTIVE", before + 1))
        self.assertEqual(self.journalled()[-1], ("router", "status"))
        position, was, now = self.last_journalled()
        self.assertEqual(((was or {})["status"], (now or {})["status"]), ("DOWN", "ACTIVE"))
        self.assertEqual((now or {})["external_gateway_info"]["network_id"], self.outside)
        self.assertEqual((self.says().statuses, self.position()), ([], position))

    def test_nothing_realised_changes_nothing(self) -> None:
        """Neither that it is DOWN nor that it is ACTIVE."""
        self.says(fault="no room")
        self.says(version=0)
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.says(version=0)
        self.assertEqual(self.status(), "ACTIVE")

    def test_others_have_no_say(self) -> None:
        """Neither another host, nor of what is not there."""
        self.says(fault="no room")
        self.says(host="b")
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.says(host="b", fault="no")
        self.take(Report("b", "l3", (), is_complete=True))
        self.take(Report("a", "l3", (PortReport("00000000-0000-4000-8000-000000000000", 7, True),)))
        self.assertEqual(self.status(), "ACTIVE")

    def test_a_fault_is_down_until_it_is_over(self) -> None:
        """The host could not do it, then it could."""
        self.says()
        self.says(fault="no room")
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")

    def test_what_a_complete_report_does_not_name_is_down(self) -> None:
        """What was reported just before need not be said again."""
        self.says()
        self.take(Report("a", "l3", (), is_complete=True, named=(self.made["id"],)))
        self.assertEqual(self.status(), "ACTIVE")
        self.take(Report("a", "l3", ()))
        self.assertEqual(self.status(), "ACTIVE")
        self.take(Report("a", "l3", (), is_complete=True))
        self.assertEqual(self.status(), "DOWN")

    def test_a_disabled_one_stays_active(self) -> None:
        """Its admin state says that it is disabled."""
        self.says()
        changed = self.bed.update("router", self.made["id"], ALICE, admin_state_up=False)
        self.assertEqual(changed["status"], "ACTIVE")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")
        self.says(fault="no")
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")

    def test_a_change_does_not_flap(self) -> None:
        """It stays ACTIVE while its host catches up, also with a late report."""
        self.says()
        old = self.position()
        _, subnet = self.bed.network_with_subnet("10.6.0.0/24", ALICE)
        self.add(self.made, subnet_id=subnet)
        self.says(version=old)
        self.assertEqual(self.status(), "ACTIVE")

    def test_many(self) -> None:
        """Six hundred in one report."""
        made = [self.bed.create("router", project_id=f"p{number // 10}")["id"] for number in range(600)]
        failing = tuple(PortReport(each, 0, True, "no room") for each in made)
        self.take(Report("a", "l3", failing))
        mine = {each["id"] for each in self.bed.listed("router") if self.host(each) == "a"}
        said = tuple(PortReport(each, self.position(), True) for each in made)
        news = self.take(Report("a", "l3", said, is_complete=True))
        self.assertEqual({each for _, each, _ in news.statuses}, mine - {self.made["id"]})
        self.assertEqual(len(self.take(Report("a", "l3", (), is_complete=True)).statuses), len(news.statuses))


class FloatingTests(StatusCase):
    """Floating IPs."""

    def test_one_that_nothing_leads_to_is_down(self) -> None:
        """While the gateway on its network is disabled, or the network is; its host has said what it makes of that."""
        made = self.floating()
        (gateway,) = self.bed.listed("port", device_owner=("network:router_gateway",))
        for resource, wanted in (("port", gateway["id"]), ("network", self.outside)):
            self.says()
            self.assertEqual(self.status(made), "ACTIVE")
            self.bed.update(resource, wanted, admin_state_up=False)
            self.assertEqual(self.says().statuses, [("floating IP", made["id"], "DOWN")])
            self.assertEqual((self.says(version=0).behind, self.status()), ([], "ACTIVE"))
            self.bed.update(resource, wanted, admin_state_up=True)

    def test_one_that_is_realised_is_active(self) -> None:
        """Not before; owners of the port are not asked."""
        old = self.position()
        made = self.floating()
        self.assertEqual(self.status(made), "DOWN")
        self.says(version=old)
        self.assertEqual((self.status(), self.status(made)), ("ACTIVE", "DOWN"))
        news = self.says()
        self.assertEqual(news.statuses, [("floating IP", made["id"], "ACTIVE")])
        self.assertEqual((self.status(made), self.journalled()[-1]), ("ACTIVE", ("floatingip", "status")))
        self.assertEqual(self.says().statuses, [])

    def test_one_that_leads_nowhere_is_down(self) -> None:
        """In the same moment, and nothing that is reported changes that."""
        made = self.floating()
        self.says()
        gone = self.bed.update("floatingip", made["id"], ALICE, port_id=None)
        self.assertEqual(gone["status"], "DOWN")
        self.says()
        self.assertEqual(self.status(made), "DOWN")

    def test_one_that_leads_elsewhere_is_down_until_that_is_realised(self) -> None:
        """A late report of where it led before does not count."""
        made = self.floating()
        self.says()
        old = self.position()
        other = self.bed.create("port", ALICE, network_id=self.inside)["id"]
        self.assertEqual(self.bed.update("floatingip", made["id"], ALICE, port_id=other)["status"], "DOWN")
        self.says(version=old)
        self.assertEqual(self.status(made), "DOWN")
        self.says()
        self.assertEqual(self.status(made), "ACTIVE")

    def test_what_says_the_same_changes_nothing(self) -> None:
        """Another description, or the same port again."""
        made = self.floating()
        self.says()
        for changes in ({"description": "d"}, {"port_id": self.port}):
            self.assertEqual(self.bed.update("floatingip", made["id"], ALICE, **changes)["status"], "ACTIVE")

    def test_one_whose_port_goes_is_down(self) -> None:
        """As one that is let go."""
        made = self.floating()
        self.says()
        self.bed.delete("port", self.port, ALICE)
        self.assertEqual(self.status(made), "DOWN")

    def test_it_is_down_with_its_router(self) -> None:
        """By a fault, by silence in a complete report, and disabled; and is back with it."""
        made = self.floating()
        self.says()
        for fall, status in ((self.break_it, "DOWN"), (self.miss_it, "DOWN"), (self.disable_it, "ACTIVE")):
            old = self.position()
            fall()
            self.assertEqual((self.status(), self.status(made)), (status, "DOWN"))
            self.bed.update("router", self.made["id"], ALICE, admin_state_up=True)
            if status == ACTIVE:
                self.says(version=old)
                self.assertEqual(self.status(made), "DOWN")
            self.says()
            self.assertEqual((self.status(), self.status(made)), ("ACTIVE", "ACTIVE"))

    def break_it(self) -> None:
        """The host reports a fault."""
        self.says(fault="no")

    def miss_it(self) -> None:
        """The host has it no more."""
        self.take(Report("a", "l3", (), is_complete=True))

    def disable_it(self) -> None:
        """Its owner disables it."""
        self.bed.update("router", self.made["id"], ALICE, admin_state_up=False)


class BehindTests(StatusCase):
    """Hosts that are behind what something waits for."""

    def test_they_are_told_again(self) -> None:
        """What they missed may be the same as what they have, which no comparison finds."""
        made = self.floating()
        self.assertEqual(self.says().behind, [])
        old = self.position()
        self.bed.update("floatingip", made["id"], ALICE, port_id=None)
        self.assertEqual(self.says(version=old).behind, [])
        self.bed.update("floatingip", made["id"], ALICE, port_id=self.port)
        self.assertEqual(self.says(version=old).behind, [self.made["id"]])
        self.assertEqual(self.says(version=0).behind, [])
        self.assertEqual(self.says(version=old, fault="no").behind, [])
        self.assertEqual(self.says().behind, [])

    def test_also_of_a_router_that_was_enabled_again(self) -> None:
        """Until they have it; one that is disabled waits for nothing."""
        self.says()
        old = self.position()
        self.bed.update("router", self.made["id"], ALICE, admin_state_up=False)
        self.assertEqual(self.says(version=old).behind, [])
        self.bed.update("router", self.made["id"], ALICE, admin_state_up=True)
        self.assertEqual(self.says(version=old).behind, [self.made["id"]])


DEEDS = st.tuples(st.sampled_from(("lead", "sink", "down", "up", "say", "fail", "miss")), st.integers(0, 8))


class StatusLaws(StatusCase):
    """Whatever is asked and reported, in whatever order, also late and twice."""

    def setUp(self) -> None:
        """With another port to lead to, and a floating IP."""
        super().setUp()
        self.targets = [self.port, self.bed.create("port", ALICE, network_id=self.inside)["id"]]
        self.led = self.floating()
        self.since = {"router": self.position(), "floating": self.position()}
        """The positions that the host must have realised."""

    @settings(max_examples=count(25, 300), deadline=None)
    @given(st.lists(DEEDS, max_size=30))
    def test_active_is_realised_and_realised_is_active(self, deeds: list[tuple[str, int]]) -> None:
        """Nothing is ACTIVE that its host has not realised as it is to be, and in the end all is that should be."""
        for what, number in deeds:
            self.do(what, number)
        self.do("up", 0)
        self.do("lead", 0)
        self.says()
        self.since["router"] = 0
        self.assertEqual((self.status(), self.status(self.led)), ("ACTIVE", "ACTIVE"))

    def do(self, what: str, number: int) -> None:
        """Do one thing, and check what it may have made ACTIVE."""
        before = {"router": self.status(), "floating": self.status(self.led)}
        realised = max(self.position() - number, 1) if what == "say" else 0
        self.act_out(what, number, realised)
        after = {"router": self.status(), "floating": self.status(self.led)}
        for each, status in after.items():
            if (before[each], status) == ("DOWN", "ACTIVE"):
                self.assertGreaterEqual(realised, self.since[each])
        if what == "say" and realised >= self.since["router"]:
            # From now on only what the host says of faults counts.
            self.since["router"] = 0
        if after["floating"] == "ACTIVE":
            self.assertTrue(self.shown(self.made)["admin_state_up"])
            self.assertIsNotNone(self.bed.show("floatingip", self.led["id"], ALICE)["port_id"])
            self.assertEqual(after["router"], "ACTIVE")

    def act_out(self, what: str, number: int, realised: int) -> None:
        """Do one thing."""
        if what in ("lead", "sink"):
            was = self.bed.show("floatingip", self.led["id"], ALICE)["port_id"]
            wanted = self.targets[number % 2] if what == "lead" else None
            changed = self.bed.update("floatingip", self.led["id"], ALICE, port_id=wanted)
            if wanted != was:
                self.assertEqual(changed["status"], "DOWN")
                self.since["floating"] = self.position()
        elif what in ("down", "up"):
            was = self.shown(self.made)["admin_state_up"]
            self.bed.update("router", self.made["id"], ALICE, admin_state_up=what == "up")
            if what == "up" and not was:
                self.since["router"] = self.position()
        elif what == "miss":
            self.take(Report("a", "l3", (), is_complete=True))
        else:
            self.says(version=realised, fault="no" if what == "fail" else None)
