"""Which hosts hear of taps: what they are told amounts to what they would fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from attrs import evolve

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host
from quantumd.api.hosts.outbox import Outbox
from quantumd.api.hosts.taps import tell_of_end
from quantumd.compile.digest import digest_record
from quantumd.converge.records import Records
from quantumd.model.messages import HostReport, Update
from quantumd.model.records import KINDS
from quantumd.model.tap_records import TapRecord
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ALICE
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b", "host-c")


class TapCase(ResourceCase):
    """Three hosts with tunnels, of which one has none of IPv4 and one is of before taps; two ports of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for n, host in enumerate(HOSTS, start=1):
            self.hear(host, f"192.0.2.{n}")
        self.bed.hear(HostReport("old", "l2", "1", "ovs", "{}", tunnel_ip="192.0.2.9", tunnel_types=("vxlan",)))
        self.network = self.bed.create("network", ALICE)["id"]
        self.told: defaultdict[str, Records] = defaultdict(Records)
        self.ear, self.source = (self.port() for _ in range(2))

    def hear(self, host: str, tunnel_ip: str, *types: str) -> None:
        """Let a host say where its tunnels end."""
        report = HostReport(
            host, "l2", "1", "ovs", "{}", tunnel_ip=tunnel_ip, tunnel_types=types or ("vxlan", "geneve"),
            record_kinds=KINDS,
        )  # fmt: skip
        self.bed.hear(report)

    def port(self) -> str:
        """Make a port."""
        return str(self.bed.create("port", ALICE, network_id=self.network)["id"])

    def tap(self, direction: str = "BOTH") -> str:
        """Make a tap."""
        service = self.bed.create("tap_service", ALICE, port_id=self.ear)["id"]
        body = {"tap_service_id": service, "source_port": self.source, "direction": direction}
        return str(self.bed.create("tap_flow", ALICE, **body)["id"])

    def bind(self, port_id: str, host: str) -> None:
        """Bind a port to a host."""
        self.bed.update("port", port_id, binding__host_id=host)

    def after(self, change: Callable[[], Any]) -> Any:
        """Make a change, and let hosts hear of it; they know then what they would fetch."""
        before = last_position(self.bed.connection)
        made = change()
        self.take(updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)))
        for host in (*HOSTS, "old"):
            self.assertEqual(self.known(host), self.fetched(host), host)
        return made

    def take(self, updates: list[Update]) -> None:
        """Let hosts hear."""
        for update in updates:
            if update.role == "l2":
                self.told[update.host].apply(update)

    def known(self, host: str) -> set[TapRecord]:
        """Return what a host was told of taps, whenever it was read."""
        return {evolve(each, version=0) for each in self.told[host].of_kind(TapRecord.kind)}  # type: ignore[misc] # they are of that kind

    def fetched(self, host: str) -> set[TapRecord]:
        """Return what a host would fetch of taps."""
        found = records_of_host(self.bed.connection, host, "l2", None)
        return {evolve(each, version=0) for each in found if isinstance(each, TapRecord)}


class AnnounceTests(TapCase):
    """Whatever changes, those whom it concerns hear of it."""

    def test_a_tap_on_one_host(self) -> None:
        """It alone; until the tap is deleted."""
        for port_id in (self.ear, self.source):
            self.bind(port_id, "host-a")
        flow = self.after(self.tap)
        (record,) = self.known("host-a")
        self.assertEqual(record, TapRecord(flow, 0, self.source, self.ear, "BOTH", 1))
        self.assertEqual(self.known("host-b"), set())
        self.after(lambda: self.bed.delete("tap_flow", flow, ALICE))
        self.assertEqual(self.known("host-a"), set())

    def test_ports_that_come_and_go(self) -> None:
        """To a host, to another, to none; both hosts know where the copies go."""
        flow = self.after(self.tap)
        self.after(lambda: self.bind(self.source, "host-a"))
        (record,) = self.known("host-a")
        self.assertEqual((record.source_end, record.target_end), ("", ""))
        self.after(lambda: self.bind(self.ear, "host-b"))
        wanted = TapRecord(flow, 0, self.source, self.ear, "BOTH", 1, "vxlan", "192.0.2.1", "192.0.2.2")
        self.assertEqual((self.known("host-a"), self.known("host-b")), ({wanted}, {wanted}))
        self.after(lambda: self.bind(self.ear, "host-c"))
        self.assertEqual(self.known("host-b"), set())
        self.after(lambda: self.bind(self.source, "host-c"))
        self.assertEqual(self.known("host-a"), set())
        self.after(lambda: self.bind(self.source, ""))
        self.after(lambda: self.bind(self.ear, ""))
        self.assertEqual(self.known("host-c"), set())

    def test_deleted_ports_and_services(self) -> None:
        """Nothing is left."""
        for end in (self.delete_source, self.delete_ear, self.delete_service):
            self.ear, self.source = self.port(), self.port()
            self.bind(self.source, "host-a")
            self.bind(self.ear, "host-b")
            self.after(self.tap)
            self.assertEqual(len(self.known("host-a")), 1)
            self.after(end)
            self.assertEqual((self.known("host-a"), self.known("host-b")), (set(), set()))

    def delete_source(self) -> None:
        """The tapped port goes."""
        self.bed.delete("port", self.source, ALICE)

    def delete_ear(self) -> None:
        """The port that listens goes."""
        self.bed.delete("port", self.ear, ALICE)

    def delete_service(self) -> None:
        """The service goes."""
        (service,) = self.bed.listed("tap_service", port_id=(self.ear,))
        self.bed.delete("tap_service", service["id"], ALICE)

    def test_hosts_of_before_hear_nothing(self) -> None:
        """They would refuse the whole message; the other host does."""
        self.bind(self.source, "old")
        self.bind(self.ear, "host-a")
        self.after(self.tap)
        self.assertEqual((self.known("old"), len(self.known("host-a"))), (set(), 1))


class EndTests(TapCase):
    """Where tunnels end."""

    def setUp(self) -> None:
        """A tap between two hosts."""
        super().setUp()
        self.bind(self.source, "host-a")
        self.bind(self.ear, "host-b")
        self.after(self.tap)

    def moved(self) -> tuple[str, str, str]:
        """Let hosts hear that the tunnels of host-b end elsewhere; return what both know of copies."""
        outbox = Outbox()
        tell_of_end(self.bed.connection, "host-b", outbox)
        self.take(outbox.updates(""))
        (first,), (second,) = self.known("host-a"), self.known("host-b")
        self.assertEqual((first, self.fetched("host-a")), (second, {first}))
        return first.tunnel_type, first.source_end, first.target_end

    def test_they_hear_when_tunnels_end_elsewhere(self) -> None:
        """Or have another type in common, or none, or cannot reach each other."""
        self.bed.create("network", ALICE)
        self.hear("host-b", "192.0.2.77", "geneve")
        self.assertEqual(self.moved(), ("geneve", "192.0.2.1", "192.0.2.77"))
        for tunnel_ip, kind in (("192.0.2.77", "gre"), ("2001:db8::1", "vxlan"), ("", "vxlan")):
            self.bed.create("network", ALICE)
            self.hear("host-b", tunnel_ip, kind)
            self.assertEqual(self.moved(), ("", "", ""))

    def test_a_digest_says_where_copies_go_and_not_when_it_was_read(self) -> None:
        """Or comparisons would never be equal."""
        (record,) = self.known("host-a")
        self.assertEqual(digest_record(record), digest_record(evolve(record, version=9)))
        self.assertNotEqual(digest_record(record), digest_record(evolve(record, target_end="192.0.2.8")))
