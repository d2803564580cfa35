"""Which hosts are told of the addresses of ports that are gone."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.announce import updates_for
from quantumd.model.messages import Gone
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import Bed

VLAN: dict[str, Any] = {
    "provider__network_type": "vlan",
    "provider__physical_network": "physnet1",
    "provider__segmentation_id": 5,
}
VXLAN: dict[str, Any] = {"provider__network_type": "vxlan", "provider__segmentation_id": 5}


class EndedTests(SynchronousTestCase):
    """A port on each of three hosts, the last of which is deleted."""

    def setUp(self) -> None:
        self.bed = Bed()
        self.addCleanup(self.bed.close)

    def told(self, network_id: str, host: str = "c") -> dict[str, tuple[Gone, ...]]:
        """Return what hosts are told that they had no record of, when a port on a host is deleted."""
        ports = [
            self.bed.create("port", network_id=network_id, binding__host_id=each, security_groups=[])
            for each in ("a", "b", host)
        ]
        before = last_position(self.bed.connection)
        self.bed.delete("port", ports[-1]["id"])
        updates = updates_for(self.bed.connection, read_after(self.bed.connection, before, 10))
        return {
            each.host: tuple(gone for gone in each.gone if gone.addresses)
            for each in updates
            if each.role == "l2" and any(gone.addresses for gone in each.gone)
        }

    def test_hosts_that_carry_its_vlan(self) -> None:
        """With its addresses; its own host knows them."""
        network = self.bed.create("network", **VLAN)
        self.bed.create("subnet", network_id=network["id"], cidr="10.0.0.0/24", ip_version=4)
        told = self.told(network["id"])
        self.assertEqual(sorted(told), ["a", "b"])
        (gone,) = told["a"]
        self.assertEqual((gone.kind, gone.is_deleted, gone.network_id), ("l2.port", True, network["id"]))
        self.assertEqual((len(gone.addresses), gone.version), (1, last_position(self.bed.connection)))

    def test_networks_in_tunnels_need_it_not(self) -> None:
        """Nor a port that no host has, nor one that is on a local network."""
        local: dict[str, Any] = {"provider__network_type": "local"}
        for provider in (VXLAN, local):
            self.assertEqual(self.told(self.bed.create("network", **provider)["id"]), {})
        self.assertEqual(self.told(self.bed.create("network", **VLAN)["id"], ""), {})
