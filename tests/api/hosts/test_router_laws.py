"""Whatever happens to routers in whatever order, hosts know what they would fetch."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import ApiError
from tests.api.hosts.router_world import HOSTS, World
from tests.api.resources.bed import ADMIN, ALICE
from tests.bed.counts import count

ACTIONS = st.tuples(
    st.sampled_from(
        (
            *("router", "delete", "gateway", "add", "adopt", "remove", "float", "lead", "sink", "switch"),
            *("forward", "move", "unforward", "grow", "shrink", "tell", "again"),
        )
    ),
    st.integers(0, 30),
    st.integers(0, 2),
)


class Deeds:
    """Does to a world what a law's example says; what is refused is refused."""

    def __init__(self, world: World) -> None:
        self.world, self.bed = world, world.bed

    def one(self, member: str, number: int) -> str:
        """Return the id of one of Alice's; one that is not there when there is none."""
        ids = [each["id"] for each in self.bed.listed(member, ALICE)]
        return str(ids[number % len(ids)]) if ids else "00000000-0000-4000-8000-000000000000"

    def do(self, what: str, number: int, which: int) -> None:
        """Do one thing."""
        tell, again = self.world.tell, self._again
        if what in ("tell", "again"):
            (tell if what == "tell" else again)(number % 5 + 1)
            return
        with contextlib.suppress(ApiError):
            getattr(self, f"_{what}")(number, which)

    def _again(self, limit: int) -> None:
        """A host hears twice of the one thing, and again of what it heard."""
        for each in (*self.world.told, *self.world.told):
            self.world.known[each.host].apply(each)
        self.world.tell(limit)

    def _router(self, number: int, which: int) -> None:
        self.world.router(which if which < 2 else None)

    def _delete(self, number: int, which: int) -> None:
        self.bed.delete("router", self.one("router", number), ALICE)

    def _gateway(self, number: int, which: int) -> None:
        info = {"network_id": self.world.outside[which]} if which < 2 else None
        self.bed.update("router", self.one("router", number), ALICE, external_gateway_info=info)

    def _add(self, number: int, which: int) -> None:
        body = {"subnet_id": self.world.inside[which][1]}
        self.world.act("add_router_interface", self.one("router", number), body)

    def _adopt(self, number: int, which: int) -> None:
        port = self.bed.create("port", ALICE, network_id=self.world.inside[which][0])
        self.world.act("add_router_interface", self.one("router", number), {"port_id": port["id"]})

    def _remove(self, number: int, which: int) -> None:
        body = {"subnet_id": self.world.inside[which][1]}
        self.world.act("remove_router_interface", self.one("router", number), body)

    def _float(self, number: int, which: int) -> None:
        self.bed.create("floatingip", ALICE, floating_network_id=self.world.outside[which % 2])

    def _lead(self, number: int, which: int) -> None:
        self.bed.update("floatingip", self.one("floatingip", number), ALICE, port_id=self.world.ports[which])

    def _sink(self, number: int, which: int) -> None:
        floating = self.one("floatingip", number)
        self.bed.update("floatingip", floating, ALICE, port_id=None)
        if which == 0:
            self.bed.delete("floatingip", floating, ALICE)

    def _forward(self, number: int, which: int) -> None:
        self.world.forward(self.one("floatingip", number), which, 80 + number % 3)

    def _move(self, number: int, which: int) -> None:
        floating, forwarding = self._forwarding(number)
        self.bed.update("port_forwarding", forwarding, ALICE, floating, external_port=70 + which)

    def _unforward(self, number: int, which: int) -> None:
        floating, forwarding = self._forwarding(number)
        self.bed.delete("port_forwarding", forwarding, ALICE, floating)

    def _forwarding(self, number: int) -> tuple[str, str]:
        floating = self.one("floatingip", number)
        found = self.bed.listed("port_forwarding", ALICE, parent=floating)
        return floating, found[number % len(found)]["id"] if found else floating

    def _grow(self, number: int, which: int) -> None:
        outside = self.world.outside[which % 2]
        self.bed.create("subnet", network_id=outside, ip_version=4, cidr=f"198.18.{number % 4}.0/24")

    def _shrink(self, number: int, which: int) -> None:
        found = self.bed.listed("subnet", network_id=(self.world.outside[which % 2],))
        if found:
            self.bed.delete("subnet", found[number % len(found)]["id"])

    def _switch(self, number: int, which: int) -> None:
        network = self.world.inside[which][0] if number % 2 else self.world.outside[which % 2]
        is_up = self.bed.show("network", network)["admin_state_up"]
        self.bed.update("network", network, ADMIN, admin_state_up=not is_up)


class RouterLaws(SynchronousTestCase):
    """Whatever happens, in whatever pieces it is told, also twice."""

    @settings(max_examples=count(25, 300), deadline=None)
    @given(st.lists(ACTIONS, max_size=40))
    def test_hosts_know_what_a_comparison_would_tell_them(self, actions: list[tuple[str, int, int]]) -> None:
        """No more and no less."""
        world = World()
        deeds = Deeds(world)
        for what, number, which in actions:
            deeds.do(what, number, which)
        world.tell()
        for host in HOSTS:
            self.assertEqual(world.has(host), world.must_have(host), host)
        every = [each.id for host in HOSTS for each in world.must_have(host)]
        self.assertEqual(sorted(every), sorted(each["id"] for each in world.bed.listed("router")))
        world.bed.close()
