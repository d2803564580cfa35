"""DHCPv6 through a real Open vSwitch, by ISC's client. Needs root."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.bed.dhcp_client6 import Dhclient6, dhclient6
from tests.bed.host import Guest, HostCase
from tests.bed.needs import OVS, missing

LEASE_SECONDS = 20
STATEFUL = {"ipv6_address_mode": "dhcpv6-stateful", "dns_nameservers": ["fd00::53"]}
STATELESS = {"ipv6_address_mode": "dhcpv6-stateless", "dns_nameservers": ["fd00::53"]}


class LeaseTests(HostCase):
    """Networks without a router."""

    skip = missing(*OVS, "ping", "dhclient")
    settings: ClassVar = {"dhcp.lease_seconds": str(LEASE_SECONDS)}

    def setUp(self) -> None:
        """A place for what clients write."""
        super().setUp()
        self.files = Path(self.mktemp())

    def guest_on(self, *cidrs: str, mode: dict[str, Any] = STATEFUL, **attributes: Any) -> Guest:
        """Return a plugged VM without addresses, on a network of its own."""
        guest = self.make_guest(self.make_network(*cidrs, subnet=mode), **attributes)
        self.plug(guest)
        return guest

    def client(self, guest: Guest, *more: str) -> Dhclient6:
        """Return a running client, which ends with the test."""
        client = Dhclient6(guest.vm, self.files, more)
        self.addCleanup(client.stop)
        client.start()
        return client

    def test_a_client_gets_the_address_of_its_port(self) -> None:
        """And is told name servers and domain; its port drops by default, and the lease comes all the same."""
        guest = self.guest_on("fd00:1::/64")
        lease = dhclient6(guest.vm, self.files)
        self.assertEqual(
            (lease.ip_address, lease.preferred_seconds, lease.valid_seconds), (guest.ip, LEASE_SECONDS, LEASE_SECONDS)
        )
        self.assertEqual((lease.dns_servers, lease.search), (("fd00::53",), ("openstacklocal.",)))
        self.assertEqual(self.status_of(guest), "ACTIVE")
