"""Tests of DNS: VMs that ask with dig, a host that answers for their networks, and the world's servers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.dns_upstream import PORT, WELL, DnsUpstream
from tests.bed.host import Guest
from tests.bed.needs import OVS, missing
from tests.bed.routed import RouterCase

DOMAIN = "cloud.example"
NAMING: Mapping[str, str] = {
    "dns.enabled": "true",
    "dns.upstream": f'["127.0.0.1:{PORT}"]',
    "dns.timeout_seconds": "0.5",
    "network.dns_domain": DOMAIN,
    "quota.security_group": "-1",
}


class DnsCase(RouterCase):
    """Tests on one host that answers for the DNS servers of its networks."""

    skip = missing(*OVS, "ping", "nft", "conntrack", "dig")
    settings: ClassVar[Mapping[str, str]] = NAMING
    upstream: ClassVar[DnsUpstream]

    @classmethod
    def prepare_switch(cls) -> None:
        """Start the world's server."""
        cls.appliance.settings = dict(cls.settings)
        cls.upstream = DnsUpstream(cls.ovs.namespace)
        cls.upstream.start()
        cls.addClassCleanup(lambda: cls.upstream.stop())

    def setUp(self) -> None:
        """The world is well."""
        super().setUp()
        self.upstream.mood = WELL
        self.upstream.asked.clear()

    def server_of(self, network: Mapping[str, Any]) -> str:
        """Return the address at which a network has its DNS server."""
        (port,) = self.dhcp_ports(network)
        return str(port["fixed_ips"][0]["ip_address"])

    def dhcp_ports(self, network: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the DHCP ports of a network."""
        query = f"network_id={network['id']}&device_owner=network:dhcp"
        found: list[dict[str, Any]] = self.appliance.request("GET", f"/v2.0/ports?{query}").body["ports"]
        return found

    def dig(self, guest: Guest, *words: str, server: str = "10.0.0.2", short: bool = True) -> str:
        """Return what dig says; '' when there was no answer or nothing in it."""
        options = ("+short",) if short else ()
        command = ("dig", f"@{server}", "+tries=1", "+time=4", *options, *words)
        return guest.vm.run("sh", "-c", '"$@" || true', "sh", *command).strip()
