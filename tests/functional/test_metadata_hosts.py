"""Metadata on hosts that run roles as processes of their own: each host answers its VMs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.metadata_case import IPV4
from tests.bed.needs import OVS, missing
from tests.bed.roles import RolesCase


class HostsTests(RolesCase):
    """Two hosts, of which the first does not answer."""

    skip = RolesCase.skip or missing(*OVS, "curl", "udhcpc")
    host_names = ("host-a", "host-b")
    gateways = ("host-b",)
    settings: ClassVar[Mapping[str, str]] = {}
    own_settings: ClassVar[Mapping[str, Mapping[str, str]]] = {"host-b": {"metadata.enabled": "true"}}

    def hostname(self, guest: Guest) -> str:
        """Return what a VM is told that it is called; '' when it is told nothing."""
        command = ("curl", "-s", "--max-time", "2", f"{IPV4}/latest/meta-data/hostname")
        return guest.vm.run("sh", "-c", '"$@" || true', "sh", *command)

    def test_a_host_answers_its_own(self) -> None:
        """By the process quantumd-l2; and quantumd-dhcp tells the way there, and only where it leads somewhere."""
        network = self.make_network("10.0.0.0/24")
        answered, other = (self.plug_at(host, network) for host in reversed(self.hosts))
        lease = udhcpc(answered.vm, self.directory)
        self.assertIn("169.254.169.254/32", dict(lease.routes))
        expected = f"host-{answered.ip.replace('.', '-')}"
        self.wait_for("it is answered", lambda: self.hostname(answered) == expected)
        self.assertNotIn("169.254.169.254/32", dict(udhcpc(other.vm, self.directory).routes))
        self.update("port", answered.id, name="moved-on")
        self.wait_for("the host hears of its name", lambda: self.hostname(answered) == "moved-on", 5)

    def test_restarts_of_processes(self) -> None:
        """Of the server, which is not needed for an answer, and of quantumd-l2, which finds all as it was."""
        guest = self.boot(self.hosts[1], self.make_network("10.0.0.0/24"))
        self.wait_for("it is answered", lambda: self.hostname(guest) != "")
        self.appliance.stop()
        self.assertNotEqual(self.hostname(guest), "")
        self.appliance.start()
        self.hosts[1].l2.stop()
        self.hosts[1].l2.launch()
        self.wait_for("it is answered again", lambda: self.hostname(guest) != "", 20)
        self.assertNotIn("set right", self.hosts[1].l2.log())
