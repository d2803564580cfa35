"""Metadata with real packets: curl in namespaces that stand for VMs, and one listener for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.host import Guest
from tests.bed.routed import RouterCase

IPV4 = "http://169.254.169.254"
IPV6 = "http://[fe80::a9fe:a9fe%25eth0]"


class MetadataCase(RouterCase):
    """Tests on one host that answers metadata by itself."""

    settings: ClassVar[Mapping[str, str]] = {"api.preview": "true", "metadata.enabled": "true"}

    def link_guest(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a VM that looks for metadata on its link."""
        guest = self.plugged(network, **attributes)
        guest.vm.run("ip", "route", "replace", "169.254.169.254/32", "dev", "eth0")
        return guest

    def ask(self, guest: Guest, path: str, *options: str, root: str = IPV4) -> str:
        """Return what curl prints."""
        return guest.vm.run("curl", "-sS", "--max-time", "20", *options, f"{root}{path}")

    def status(self, guest: Guest, path: str, *options: str, root: str = IPV4) -> str:
        """Return the status of an answer; 000 where there is none."""
        command = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "3", *options, f"{root}{path}")
        return guest.vm.run("sh", "-c", '"$@" || true', "sh", *command)


class OwnTests(MetadataCase):
    """What the host answers by itself."""

    def test_networks_with_the_same_addresses(self) -> None:
        """Each VM is told of itself, though they have the same address."""
        guests = []
        for name in ("red", "blue"):
            network = self.make_network("10.0.0.0/24", name=name)
            guests.append(self.link_guest(network, name=name, fixed_ips=[{"ip_address": "10.0.0.5"}]))
        for guest, name in zip(guests, ("red", "blue"), strict=True):
            self.assertEqual(self.ask(guest, "/latest/meta-data/hostname"), name)
            self.assertEqual(self.ask(guest, "/latest/meta-data/mac"), guest.mac)
            self.assertEqual(self.ask(guest, "/latest/meta-data/local-ipv4"), "10.0.0.5")
            self.assertEqual(json.loads(self.ask(guest, "/openstack/latest/meta_data.json"))["uuid"], guest.id)
