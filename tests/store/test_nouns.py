"""Rows become nouns."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.nouns import DHCP_OWNER, Network, Port, Subnet
from quantumd.model.port import dhcp_device_id
from quantumd.model.records import FixedIp, HostRoute
from quantumd.store import nouns
from quantumd.store.memory import MemoryStore
from quantumd.store.transaction import Transaction
from tests.store.rows import add_address, add_network, add_port, add_subnet


class NounTests(SynchronousTestCase):
    """nouns."""

    def setUp(self) -> None:
        """Write two networks."""
        self.store = MemoryStore()
        self.successResultOf(self.store.write(self._fill))

    def _fill(self, transaction: Transaction) -> None:
        vlan = {"network_type": "vlan", "physical_network": "phys", "segmentation_id": 7, "record_version": 3}
        add_network(transaction, "n1", mtu=1400, **vlan)
        add_network(transaction, "n2")
        lists = {
            "dns_nameservers": '["9.9.9.9"]',
            "host_routes": '[{"destination":"10.9.0.0/16","nexthop":"10.0.0.9"}]',
        }
        add_subnet(transaction, "s2", "n1", cidr="fd00::/64", ip_version=6, created_at="2026-01-02T00:00:00Z")
        add_subnet(transaction, "s1", "n1", **lists)
        add_port(transaction, "p1", "n1", host_id="h1", status="ACTIVE", record_version=5)
        add_address(transaction, "p1", "s2", "fd00::5", ordinal=1)
        add_address(transaction, "p1", "s1", "10.0.0.5", ordinal=0)
        add_port(transaction, "p2", "n1", host_id="h2")
        add_port(transaction, "p3", "n1", host_id="h1")
        add_port(transaction, "d1", "n1", device_owner=DHCP_OWNER, device_id=dhcp_device_id("n1"))
        add_port(transaction, "p4", "n2")

    def test_networks(self) -> None:
        """Networks are given by id; an unknown id is left out."""
        found = self.successResultOf(self.store.read(lambda c: nouns.networks(c, ["n1", "nowhere"])))
        self.assertEqual(found, {"n1": Network("n1", "p1", True, 1400, "vlan", "phys", 7, 3)})

    def test_subnets_of_networks(self) -> None:
        """Subnets come oldest first, with their lists as values."""
        found = self.successResultOf(self.store.read(lambda c: nouns.subnets_of(c, ["n1", "n2"])))
        routes = (HostRoute("10.9.0.0/16", "10.0.0.9"),)
        first = Subnet("s1", "n1", 4, "10.0.0.0/24", "10.0.0.1", True, ("9.9.9.9",), routes)
        self.assertEqual(found["n1"][0], first)
        self.assertEqual([subnet.id for subnet in found["n1"]], ["s1", "s2"])
        self.assertNotIn("n2", found)

    def test_ports(self) -> None:
        """Ports have their addresses in the port's order."""
        found = self.successResultOf(self.store.read(lambda c: nouns.ports(c, ["p1"])))
        fixed_ips = (FixedIp("s1", "10.0.0.5"), FixedIp("s2", "fd00::5"))
        self.assertEqual(found, {"p1": Port("p1", "n1", "mac-p1", True, "ACTIVE", "", "h1", fixed_ips, 5)})

    def test_dhcp_ports(self) -> None:
        """The DHCP port of each network that has one."""
        found = self.successResultOf(self.store.read(lambda c: nouns.dhcp_ports_of(c, ["n1", "n2"])))
        self.assertEqual({network_id: port.id for network_id, port in found.items()}, {"n1": "d1"})

    def test_hosts_of_networks(self) -> None:
        """The hosts that ports are bound to; a network with unbound ports only is not named."""
        found = self.successResultOf(self.store.read(lambda c: nouns.hosts_of_network(c, ["n1", "n2"])))
        self.assertEqual(found, {"n1": frozenset({"h1", "h2"})})

    def test_more_ids_than_one_statement_takes(self) -> None:
        """Any number of ids may be asked for."""
        ids = [f"x{number}" for number in range(40_000)]
        found = self.successResultOf(self.store.read(lambda c: nouns.ports(c, [*ids, "p1"])))
        self.assertEqual(list(found), ["p1"])
