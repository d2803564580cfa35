"""DNS on hosts that run roles as processes of their own: each host answers for the names of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.needs import OVS, missing
from tests.bed.roles import RolesCase

DOMAIN = "cloud.example"


class HostsTests(RolesCase):
    """Two hosts that answer, and one that does not."""

    skip = RolesCase.skip or missing(*OVS, "dig", "udhcpc")
    host_names = ("host-a", "host-b", "host-c")
    gateways = ("host-a", "host-b")
    settings: ClassVar[Mapping[str, str]] = {"network.dns_domain": DOMAIN, "dns.enabled": "true"}
    own_settings: ClassVar[Mapping[str, Mapping[str, str]]] = {"host-c": {"dns.enabled": "false"}}

    def dig(self, guest: Guest, server: str, *words: str) -> str:
        """Return what a VM is told."""
        command = ("dig", f"@{server}", "+short", "+tries=1", "+time=2", *words)
        return guest.vm.run("sh", "-c", '"$@" || true', "sh", *command).strip()

    def server(self, network: Mapping[str, Any]) -> str:
        """Return the address at which a network has its server."""
        query = f"network_id={network['id']}&device_owner=network:dhcp"
        (port,) = self.appliance.request("GET", f"/v2.0/ports?{query}").body["ports"]
        return str(port["fixed_ips"][0]["ip_address"])

    def test_names_of_all_hosts(self) -> None:
        """Are known on each that answers, within a second of a change; and DHCP tells of the server only there."""
        listed = {each["alias"] for each in self.appliance.request("GET", "/v2.0/extensions").body["extensions"]}
        self.assertLessEqual({"dns-integration", "dns-domain-ports"}, listed)
        self.assertNotIn("subnet-dns-publish-fixed-ip", listed)
        network = self.make_network("10.0.0.0/24")
        guests = [self.plug_at(host, network) for host in self.hosts]
        server = self.server(network)
        leases = [udhcpc(guest.vm, self.directory).dns_servers for guest in guests]
        self.assertEqual(leases, [(server,), (server,), ()])
        for number, guest in enumerate(guests):
            self.update("port", guest.id, dns_name=f"vm-{number}")
        for asker in guests[:2]:
            for number, guest in enumerate(guests):
                self.wait_for(
                    "the name is known",
                    lambda asker=asker, number=number, guest=guest: (  # type: ignore[misc]
                        self.dig(asker, server, f"vm-{number}.{DOMAIN}") == guest.ip
                    ),
                    3,
                )
            self.assertEqual(self.dig(asker, server, "-x", guests[2].ip), f"vm-2.{DOMAIN}.")
        self.assertIn("no servers", self.dig(guests[2], server, "vm-0") or "no servers")

    def test_without_the_server(self) -> None:
        """Hosts answer on, also after a restart of quantumd-l2 while it is there."""
        network = self.make_network("10.0.0.0/24")
        guest, other = (self.plug_at(host, network) for host in self.hosts[:2])
        server = self.server(network)
        udhcpc(guest.vm, self.directory)
        name = f"host-{other.ip.replace('.', '-')}.{DOMAIN}"
        self.wait_for("it is answered", lambda: self.dig(guest, server, name) == other.ip)
        self.appliance.stop()
        self.assertEqual(self.dig(guest, server, name), other.ip)
        self.appliance.start()
        self.hosts[0].l2.stop()
        self.hosts[0].l2.launch()
        self.wait_for("it is answered again", lambda: self.dig(guest, server, name) == other.ip, 20)
