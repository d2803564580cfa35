"""Which hosts hear of names: what they are told amounts to what they would fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host
from quantumd.converge.records import Records
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.messages import HostReport
from quantumd.model.records import KINDS, Record
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ADMIN, ALICE
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b")
NAMES = (DnsNameRecord.kind, DnsZoneRecord.kind)


class NamesCase(ResourceCase):
    """Two hosts that answer for DNS servers, and one that does not; a network of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for host in HOSTS:
            self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", record_kinds=KINDS))
        others = tuple(each for each in KINDS if each not in NAMES)
        self.bed.hear(HostReport("quiet", "l2", "1", "ovs", "{}", record_kinds=others))
        self.network = self.bed.create("network", ALICE)["id"]
        self.bed.create("subnet", ALICE, network_id=self.network, cidr="10.0.0.0/24", ip_version=4, enable_dhcp=False)
        self.told: defaultdict[str, Records] = defaultdict(Records)

    def port(self, host: str = "", **attributes: Any) -> str:
        """Make a port on a host, or on none, and let hosts hear of that."""
        bound: dict[str, Any] = {"binding__host_id": host} if host else {}
        made = self.after(
            lambda: self.bed.create(
                "port", **{"network_id": self.network, "project_id": ALICE.project_id, **bound, **attributes}
            )
        )  # fmt: skip
        return str(made["id"])

    def after(self, change: Callable[[], Any]) -> Any:
        """Make a change, and let hosts hear of it; they know then what they would fetch."""
        before = last_position(self.bed.connection)
        made = change()
        for update in updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)):
            if update.role == "l2":
                self.told[update.host].apply(update)
        for host in (*HOSTS, "quiet"):
            fetched = records_of_host(self.bed.connection, host, "l2", None)
            self.assertEqual(self.known(host), _names(fetched), host)
        return made

    def known(self, host: str) -> set[Record]:
        """Return what a host was told of names."""
        return _names(record for kind in NAMES for record in self.told[host].of_kind(kind))

    def ports_known(self, host: str) -> dict[str, DnsNameRecord]:
        """Return the ports of which a host knows the names."""
        return {each.id: each for each in self.known(host) if isinstance(each, DnsNameRecord)}


def _names(records: Any) -> set[Record]:
    return {evolve(each, version=0) for each in records if each.kind in NAMES}


class NamesTests(NamesCase):
    """Who knows what."""

    def test_every_port_of_the_network(self) -> None:
        """Those of other hosts and of none, once a host has a port there; hosts that do not answer know nothing."""
        unbound, there = self.port(), self.port("host-b", fixed_ips=[{"ip_address": "10.0.0.9"}])
        self.assertEqual(self.ports_known("host-a"), {})
        here = self.port("host-a")
        self.port("quiet")
        for host in HOSTS:
            self.assertLessEqual({unbound, there, here}, set(self.ports_known(host)))
        self.assertEqual(self.ports_known("host-a")[there].addresses, ("10.0.0.9",))
        self.assertEqual(self.known("quiet"), set())

    def test_whose_they_are(self) -> None:
        """Of a port that another project has on the network, and of a floating IP, which has a full name."""
        self.port("host-a")
        own, other = self.port(dns_domain="own.example."), self.port(project_id="bob")
        known = self.ports_known("host-a")
        self.assertEqual((known[own].is_own, known[other].is_own), (True, False))
        self.after(lambda: self.bed.update("network", self.network, ADMIN, router__external=True))
        for project, is_own in ((ALICE.project_id, True), ("bob", False)):
            made = self.after(partial(self.named_floating_ip, project))
            (port,) = self.bed.listed("port", ADMIN, device_id=(made["id"],))
            told = self.ports_known("host-a")[port["id"]]
            self.assertEqual((told.name, told.domain, told.is_own), ("www.tenant.example.", "", is_own))
            self.assertEqual(told.addresses, (made["floating_ip_address"],))
            self.after(partial(self.bed.delete, "floatingip", made["id"], ADMIN))
            self.assertNotIn(port["id"], self.ports_known("host-a"))

    def named_floating_ip(self, project: str | None) -> dict[str, Any]:
        """Make one."""
        named = {"dns_name": "www", "dns_domain": "tenant.example."}
        return self.bed.create("floatingip", ADMIN, floating_network_id=self.network, project_id=project, **named)

    def test_the_zone(self) -> None:
        """A network's domain and prefixes, and their changes."""
        self.port("host-a")
        zone = DnsZoneRecord(self.network, 0, "", ("10.0.0.0/24",))
        self.assertIn(zone, self.known("host-a"))
        self.after(lambda: self.bed.update("network", self.network, dns_domain="blue.example."))
        self.assertIn(evolve(zone, domain="blue.example"), self.known("host-a"))
        subnet = {"network_id": self.network, "cidr": "10.0.1.0/24", "ip_version": 4, "enable_dhcp": False}
        made = self.after(lambda: self.bed.create("subnet", ALICE, **subnet))
        self.assertIn(evolve(zone, domain="blue.example", cidrs=("10.0.0.0/24", "10.0.1.0/24")), self.known("host-a"))
        self.after(lambda: self.bed.delete("subnet", made["id"]))
        self.assertIn(evolve(zone, domain="blue.example"), self.known("host-a"))

    def test_changes(self) -> None:
        """Of addresses and domains; other changes are told to nobody."""
        self.port("host-a")
        other = self.port(fixed_ips=[{"ip_address": "10.0.0.9"}])
        self.after(lambda: self.bed.update("port", other, dns_domain="own.example."))
        self.assertEqual(self.ports_known("host-a")[other].domain, "own.example")
        self.after(lambda: self.bed.update("port", other, fixed_ips=[{"ip_address": "10.0.0.10"}]))
        self.assertEqual(self.ports_known("host-a")[other].addresses, ("10.0.0.10",))
        self.after(lambda: self.bed.update("port", other, fixed_ips=[]))
        self.assertNotIn(other, self.ports_known("host-a"))
        before = last_position(self.bed.connection)
        self.bed.update("port", other, name="renamed")
        self.assertEqual(updates_for(self.bed.connection, read_after(self.bed.connection, before, 9)), [])

    def test_what_goes(self) -> None:
        """A port that is deleted, and all of a network when its last port left the host."""
        here, other = self.port("host-a"), self.port("host-b")
        self.after(lambda: self.bed.delete("port", other))
        self.assertEqual(set(self.ports_known("host-a")), {here})
        self.assertEqual(self.known("host-b"), set())
        self.after(lambda: self.bed.update("port", here, binding__host_id="host-b"))
        self.assertEqual(self.known("host-a"), set())
        self.assertEqual(set(self.ports_known("host-b")), {here})

    def test_a_host_that_comes_back(self) -> None:
        """Knows it all again."""
        here = self.port("host-a")
        stays = self.port()
        for host in ("host-b", "host-a"):
            self.after(lambda host=host: self.bed.update("port", here, binding__host_id=host))  # type: ignore[misc]
        self.assertEqual(set(self.ports_known("host-a")), {here, stays})
