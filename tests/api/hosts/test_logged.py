"""Which hosts hear of which logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host, records_of_ports
from quantumd.compile.digest import digest_buckets
from quantumd.model.logging_records import PacketLog, PortLogsRecord
from quantumd.model.messages import HostReport
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ADMIN
from tests.api.resources.case import ResourceCase

KIND = PortLogsRecord.kind

Told = dict[tuple[str, str], tuple[str, ...] | None]
"""Host and port → the logs that it hears of, None when it hears that there are none."""


class LoggedCase(ResourceCase):
    """Two hosts that understand logs and an old one, with a port each."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for host in ("host-a", "host-b"):
            self.bed.hear(HostReport(host, "l2", "1", "ovs", '{"port_filter": true}', record_kinds=(KIND,)))
        self.bed.hear(HostReport("old", "l2", "1", "ovs", '{"port_filter": true}'))
        self.network_id, _ = self.bed.network_with_subnet(context=ADMIN)
        self.group = str(self.bed.create("security_group", name="g")["id"])
        self.mine, self.other, self.unseen = (self.port(host) for host in ("host-a", "host-b", "old"))

    def port(self, host: str, **said: Any) -> str:
        """Return the id of a new port of the group."""
        named = {"network_id": self.network_id, "security_groups": [self.group], "binding__host_id": host, **said}
        return str(self.bed.create("port", **named)["id"])

    def log(self, **said: Any) -> str:
        """Return the id of a new log."""
        return str(self.bed.create("log", resource_type="security_group", **said)["id"])

    def told(self, change: Callable[[], object]) -> Told:
        """Make a change; return what hosts hear of logs."""
        before = last_position(self.bed.connection)
        change()
        found: Told = {}
        for update in updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)):
            for record in update.put:
                if isinstance(record, PortLogsRecord):
                    found[update.host, record.id] = tuple(log.event for log in record.logs)
            found.update(((update.host, gone.id), None) for gone in update.gone if gone.kind == KIND)
        return found

    def known(self, host: str) -> dict[str, tuple[PacketLog, ...]]:
        """Return what a host must know of logs, by port; a comparison and a fetch say the same."""
        records = records_of_host(self.bed.connection, host, "l2", None)
        found = [record for record in records if isinstance(record, PortLogsRecord)]
        for record in found:
            buckets = frozenset(digest_buckets([record]))
            self.assertIn(record, records_of_host(self.bed.connection, host, "l2", buckets))
        return {record.id: record.logs for record in found}


class AboutTests(LoggedCase):
    """Which ports a log is about."""

    def test_a_group(self) -> None:
        """All ports that have it, on hosts that understand."""
        told = self.told(lambda: self.log(resource_id=self.group, event="DROP"))
        self.assertEqual(told, {("host-a", self.mine): ("DROP",), ("host-b", self.other): ("DROP",)})
        self.assertEqual(set(self.known("host-a")), {self.mine})
        self.assertEqual(self.known("old"), {})

    def test_a_port(self) -> None:
        """That one alone."""
        self.assertEqual(self.told(lambda: self.log(target_id=self.mine)), {("host-a", self.mine): ("ALL",)})
        self.assertEqual(self.known("host-b"), {})

    def test_a_port_and_its_group(self) -> None:
        """That one, as long as it has the group."""
        self.log(target_id=self.mine, resource_id=self.group)
        self.assertEqual(set(self.known("host-a")), {self.mine})
        told = self.told(lambda: self.bed.update("port", self.mine, security_groups=[]))
        self.assertEqual(told, {("host-a", self.mine): None})
        self.assertEqual(self.known("host-a"), {})

    def test_neither(self) -> None:
        """All ports of its project."""
        stranger = self.port("host-a", project_id="bob")
        log_id = self.log(event="ACCEPT", project_id="bob")
        self.assertEqual(self.known("host-a"), {stranger: (PacketLog(log_id, "bob", "ACCEPT"),)})
        self.assertEqual(self.known("host-b"), {})


class ChangeTests(LoggedCase):
    """What hosts hear when."""

    def setUp(self) -> None:
        """A log of the group."""
        super().setUp()
        self.log_id = self.log(resource_id=self.group)

    def test_a_log_that_is_switched_off_or_deleted(self) -> None:
        """Ends where it was in force; a new name is told to nobody."""
        self.assertEqual(self.told(lambda: self.bed.update("log", self.log_id, name="n")), {})
        ended = {("host-a", self.mine): None, ("host-b", self.other): None}
        self.assertEqual(self.told(lambda: self.bed.update("log", self.log_id, enabled=False)), ended)
        self.assertEqual(self.known("host-a"), {})
        self.bed.update("log", self.log_id, enabled=True)
        self.assertEqual(set(self.known("host-a")), {self.mine})
        self.assertEqual(self.told(lambda: self.bed.delete("log", self.log_id)), ended)

    def test_a_new_port(self) -> None:
        """Comes with its logs, in an answer to its host too."""
        told = self.told(lambda: self.port("host-b"))
        ((host, port_id),) = told
        self.assertEqual((host, told[host, port_id]), ("host-b", ("ALL",)))
        answered = records_of_ports(self.bed.connection, "host-b", [port_id])["l2"]
        self.assertIn(port_id, [each.id for each in answered if isinstance(each, PortLogsRecord)])

    def test_a_port_that_moves_or_goes(self) -> None:
        """Takes its logs along."""
        moved = self.told(lambda: self.bed.update("port", self.mine, binding__host_id="host-b"))
        self.assertEqual(moved, {("host-a", self.mine): None, ("host-b", self.mine): ("ALL",)})
        self.assertEqual(self.told(lambda: self.bed.delete("port", self.other)), {("host-b", self.other): None})

    def test_a_port_that_gets_the_group(self) -> None:
        """And one that loses it."""
        lonely = self.port("host-a", security_groups=[])
        told = self.told(lambda: self.bed.update("port", lonely, security_groups=[self.group]))
        self.assertEqual(told, {("host-a", lonely): ("ALL",)})
        told = self.told(lambda: self.bed.update("port", lonely, security_groups=[]))
        self.assertEqual(told, {("host-a", lonely): None})

    def test_when_a_host_is_upgraded_it_knows_them(self) -> None:
        """By its first comparison."""
        self.bed.hear(HostReport("old", "l2", "2", "ovs", '{"port_filter": true}', record_kinds=(KIND, "l2.other")))
        self.assertEqual(set(self.known("old")), {self.unseen})

    def test_what_was_read_later_differs_by_no_digest(self) -> None:
        """The version is the position of reading."""
        (first,) = (each for each in records_of_host(self.bed.connection, "host-a", "l2", None) if each.kind == KIND)
        self.port("host-b")
        (second,) = (each for each in records_of_host(self.bed.connection, "host-a", "l2", None) if each.kind == KIND)
        self.assertLess(first.version, second.version)
        self.assertEqual(digest_buckets([first]), digest_buckets([evolve(second, version=0)]))
