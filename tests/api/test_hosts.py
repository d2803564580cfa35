"""What the server keeps of what hosts say of themselves."""

from __future__ import annotations

from attrs import evolve
from sqlalchemy import select
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.service import ADDRESS, HostsService
from quantumd.bus.memory import MemoryBus
from quantumd.model.messages import Ack, HostReport
from quantumd.store.memory import MemoryStore
from quantumd.store.tables import hosts
from quantumd.store.tables.networks import host_physical_networks
from quantumd.store.tables.services import agents

HELLO = HostReport("host-a", "l2", "1", "ovs", "{}", ("physnet1", "physnet2"))


class HelloTests(SynchronousTestCase):
    """A host's role says what it is."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.bus = MemoryBus(self.clock)
        self.store = MemoryStore()
        HostsService(self.bus, self.store, False, "nova").startService()

    def say(self, hello: HostReport) -> None:
        answer = self.bus.call(ADDRESS, hello, 5)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(answer), Ack())

    def physical_networks(self) -> list[str]:
        statement = select(host_physical_networks.c.physical_network).order_by("physical_network")
        found = self.successResultOf(self.store.read(lambda connection: connection.execute(statement).scalars().all()))
        return list(found)

    def test_hosts_have_the_physical_networks_they_say(self) -> None:
        """What a host says last holds: a bridge that is gone is forgotten."""
        self.say(HELLO)
        self.assertEqual(self.physical_networks(), ["physnet1", "physnet2"])
        self.say(evolve(HELLO, physical_networks=("physnet2", "physnet3")))
        self.assertEqual(self.physical_networks(), ["physnet2", "physnet3"])

    def test_roles_without_bridges_take_nothing_away(self) -> None:
        """The DHCP role does not say which physical networks there are, so what the l2 role said stays."""
        self.say(HELLO)
        self.say(HostReport("host-a", "dhcp", "1"))
        self.assertEqual(self.physical_networks(), ["physnet1", "physnet2"])

    def tunnels(self) -> tuple[str | None, str | None]:
        statement = select(hosts.c.tunnel_ip, hosts.c.tunnel_types).where(hosts.c.role == "l2")
        found = self.successResultOf(self.store.read(lambda connection: connection.execute(statement).one()))
        return found.tunnel_ip, found.tunnel_types

    def test_hosts_have_the_tunnels_they_say(self) -> None:
        """In the form that addresses have everywhere; what is no address, or no type, is not kept."""
        for said, types, kept in (
            ("2001:DB8:0::1", ("vxlan", "gre"), ("2001:db8::1", "gre,vxlan")),
            ("192.0.2.1", ("vxlan", "stt" * 100), ("192.0.2.1", "vxlan")),
            ("fe80::1%eth0", ("vxlan",), (None, None)),
            ("x" * 1000, ("vxlan",), (None, None)),
            ("", (), (None, None)),
        ):
            self.say(evolve(HELLO, tunnel_ip=said, tunnel_types=types))
            self.assertEqual(self.tunnels(), kept)

    def test_operators_see_its_tunnels_too(self) -> None:
        """By the names that other L2 agents tell them under."""
        self.say(evolve(HELLO, tunnel_ip="192.0.2.1", tunnel_types=("vxlan",)))
        statement = select(agents.c.configurations).where(agents.c.role == "l2")
        told = self.successResultOf(self.store.read(lambda connection: connection.execute(statement).scalar_one()))
        self.assertIn('"tunneling_ip":"192.0.2.1","tunnel_types":["vxlan"]', told)

    def test_operators_see_them_among_the_agent_s_configurations(self) -> None:
        """As they see how ports of the host are plugged."""
        self.say(HELLO)
        statement = select(agents.c.configurations).where(agents.c.role == "l2")
        told = self.successResultOf(self.store.read(lambda connection: connection.execute(statement).scalar_one()))
        self.assertIn('"physical_networks":["physnet1","physnet2"]', told)
