"""Linux bridges carry ports: from a REST request to a lease and a ping, through the kernel. Needs root."""

from __future__ import annotations

from pathlib import Path

from tests.bed.bridges import BRIDGES, BridgedCase
from tests.bed.dhcp_client import udhcpc
from tests.bed.needs import missing


class FirstPingTests(BridgedCase):
    """One host, and what a user does with it."""

    skip = missing(*BRIDGES, "udhcpc")

    def test_two_vms_get_leases_and_ping_each_other(self) -> None:
        """Their ports are DOWN before their devices are there, and ACTIVE after that."""
        network = self.make_network("10.0.0.0/24")
        first, second = self.make_guest(network), self.make_guest(network)
        self.assertEqual((first.port["status"], second.port["status"]), ("DOWN", "DOWN"))
        self.plug(first, second)
        directory = Path(self.mktemp())
        for guest in (first, second):
            lease = udhcpc(guest.vm, directory)
            self.assertEqual((lease.ip_address, lease.router, lease.mtu_bytes), (guest.ip, "10.0.0.1", 1500))
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))
