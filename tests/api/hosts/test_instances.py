"""Which hosts hear of what uses their ports: what they are told amounts to what they would fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from attrs import evolve

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host, records_of_ports
from quantumd.converge.records import Records
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.messages import HostReport
from quantumd.model.records import KINDS
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ALICE
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b")


class InstanceCase(ResourceCase):
    """Two hosts that answer their ports, and one that does not; a network of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for host in HOSTS:
            self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", record_kinds=KINDS))
        others = tuple(each for each in KINDS if each != InstanceRecord.kind)
        self.bed.hear(HostReport("quiet", "l2", "1", "ovs", "{}", record_kinds=others))
        self.network = self.bed.create("network", ALICE)["id"]
        self.told: defaultdict[str, Records] = defaultdict(Records)

    def port(self, host: str, **attributes: Any) -> str:
        """Make a port on a host, and let it hear of that."""
        return str(
            self.after(
                lambda: self.bed.create(
                    "port", network_id=self.network, device_owner="compute:nova", **attributes,
                    binding__host_id=host, project_id=ALICE.project_id,
                )
            )["id"]
        )  # fmt: skip

    def after(self, change: Callable[[], Any]) -> Any:
        """Make a change, and let hosts hear of it; they know then what they would fetch."""
        before = last_position(self.bed.connection)
        made = change()
        for update in updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)):
            if update.role == "l2":
                self.told[update.host].apply(update)
        for host in (*HOSTS, "quiet"):
            fetched = records_of_host(self.bed.connection, host, "l2", None)
            self.assertEqual(set(self.known(host)), set(_instances(fetched)), host)
        return made

    def known(self, host: str) -> list[InstanceRecord]:
        """Return what a host was told, whenever it was read."""
        return _instances(self.told[host].of_kind(InstanceRecord.kind))


def _instances(records: Any) -> list[InstanceRecord]:
    return [evolve(each, version=0) for each in records if isinstance(each, InstanceRecord)]


class InstanceTests(InstanceCase):
    """What hosts are told, and when."""

    def test_a_host_hears_of_its_ports(self) -> None:
        """And of no others; one that answers nobody hears nothing."""
        one = self.port("host-a", device_id="i1", name="web")
        self.port("host-b", device_id="i2")
        self.port("quiet", device_id="i3")
        (known,) = self.known("host-a")
        self.assertEqual((known.id, known.device_id, known.name, known.dns_name), (one, "i1", "web", ""))
        self.assertEqual(known.project_id, self.bed.show("port", one)["project_id"])
        self.assertEqual([each.device_id for each in self.known("host-b")], ["i2"])
        self.assertEqual(self.known("quiet"), [])

    def test_changes(self) -> None:
        """Of what is told, though other records of the port stay as they are."""
        port_id = self.port("host-a")
        for change in ({"device_id": "i2"}, {"name": "db"}):
            self.after(lambda change=change: self.bed.update("port", port_id, **change))  # type: ignore[misc] # its default
            (known,) = self.known("host-a")
            self.assertEqual({name: getattr(known, name) for name in change}, change)

    def test_other_changes(self) -> None:
        """Are nothing to tell."""
        port_id = self.port("host-a")
        before = last_position(self.bed.connection)
        self.bed.update("port", port_id, description="other")
        self.assertEqual(updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)), [])

    def test_a_move_and_an_end(self) -> None:
        """The host that it left is rid of it."""
        port_id = self.port("host-a")
        self.after(lambda: self.bed.update("port", port_id, binding__host_id="host-b"))
        self.assertEqual((len(self.known("host-a")), len(self.known("host-b"))), (0, 1))
        self.after(lambda: self.bed.delete("port", port_id))
        self.assertEqual(self.known("host-b"), [])

    def test_a_port_that_a_device_claims(self) -> None:
        """Comes with all that its host must know of it."""
        port_id = self.port("host-a", device_id="i1")
        found = records_of_ports(self.bed.connection, "host-a", [port_id])["l2"]
        self.assertEqual([each.device_id for each in _instances(found)], ["i1"])

    def test_ports_of_the_service(self) -> None:
        """Ask nobody."""
        self.after(
            lambda: self.bed.create(
                "port", network_id=self.network, device_owner="network:router_ha_interface",
                binding__host_id="host-a",
            )
        )  # fmt: skip
        self.assertEqual(self.known("host-a"), [])
