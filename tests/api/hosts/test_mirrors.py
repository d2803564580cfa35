"""Which hosts hear of tap mirrors: what they are told amounts to what they would fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host
from quantumd.api.hosts.mirrors import tell_of_end
from quantumd.api.hosts.outbox import Outbox
from quantumd.converge.records import Records
from quantumd.model.messages import HostReport, Update
from quantumd.model.records import KINDS
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ALICE
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b")
COLLECTOR = "192.0.2.77"


class MirrorCase(ResourceCase):
    """Two hosts, and one that is of before mirrors; a port of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for host in HOSTS:
            self.hear(host)
        self.bed.hear(HostReport("old", "l2", "1", "ovs", "{}"))
        network = self.bed.create("network", ALICE)["id"]
        self.port = self.bed.create("port", ALICE, network_id=network)["id"]
        self.told: defaultdict[str, Records] = defaultdict(Records)

    def hear(self, host: str, tunnel_ip: str = "") -> None:
        """Let a host say where its tunnels end."""
        types = ("gre",) if tunnel_ip else ()
        report = HostReport(
            host, "l2", "1", "ovs", "{}", tunnel_ip=tunnel_ip, tunnel_types=types, record_kinds=KINDS
        )  # fmt: skip
        self.bed.hear(report)

    def mirror(self, **directions: int) -> str:
        """Make a mirror."""
        body = {"port_id": self.port, "directions": directions, "remote_ip": COLLECTOR, "mirror_type": "gre"}
        return str(self.bed.create("tap_mirror", project_id="alice", **body)["id"])

    def bind(self, host: str) -> None:
        """Bind the port to a host."""
        self.bed.update("port", self.port, binding__host_id=host)

    def after(self, change: Callable[[], Any]) -> Any:
        """Make a change, and let hosts hear of it; they know then what they would fetch."""
        before = last_position(self.bed.connection)
        made = change()
        self.take(updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000)))
        self.assert_told()
        return made

    def take(self, updates: list[Update]) -> None:
        """Let hosts hear."""
        for update in updates:
            if update.role == "l2":
                self.told[update.host].apply(update)

    def assert_told(self) -> None:
        """Hosts know what they would fetch."""
        for host in (*HOSTS, "old"):
            self.assertEqual(self.known(host), self.fetched(host), host)

    def known(self, host: str) -> set[TapMirrorRecord]:
        """Return what a host was told of mirrors, whenever it was read."""
        return {evolve(each, version=0) for each in self.told[host].of_kind(TapMirrorRecord.kind)}  # type: ignore[misc] # they are of that kind

    def fetched(self, host: str) -> set[TapMirrorRecord]:
        """Return what a host would fetch of mirrors."""
        found = records_of_host(self.bed.connection, host, "l2", None)
        return {evolve(each, version=0) for each in found if isinstance(each, TapMirrorRecord)}


class AnnounceTests(MirrorCase):
    """Whatever changes, those whom it concerns hear of it."""

    def test_a_mirror_follows_its_port(self) -> None:
        """To a host, to another, to one that does not know mirrors, to none."""
        made = self.after(lambda: self.mirror(IN=5, OUT=6))
        wanted = {TapMirrorRecord(made, 0, self.port, "gre", COLLECTOR, 5, 6)}
        for host, known in (
            ("host-a", {"host-a": wanted}),
            ("host-b", {"host-b": wanted}),
            ("old", {}),
            ("host-a", {"host-a": wanted}),
            ("", {}),
        ):
            self.after(partial(self.bind, host))
            self.assertEqual({name: self.known(name) for name in HOSTS if self.known(name)}, known)

    def test_mirrors_come_and_go(self) -> None:
        """While the port is bound; with the port."""
        self.bind("host-a")
        made = self.after(lambda: self.mirror(BOTH=7))
        self.assertEqual(self.known("host-a"), {TapMirrorRecord(made, 0, self.port, "gre", COLLECTOR, 7, 7)})
        self.after(lambda: self.bed.update("tap_mirror", made, name="x"))
        self.after(lambda: self.bed.delete("tap_mirror", made))
        self.assertEqual(self.known("host-a"), set())
        self.after(lambda: self.mirror(OUT=8))
        self.assertEqual(len(self.known("host-a")), 1)
        self.after(lambda: self.bed.delete("port", self.port, ALICE))
        self.assertEqual(self.known("host-a"), set())

    def test_a_host_that_comes_to_the_address_of_a_mirror_ends_it(self) -> None:
        """Until its tunnels end elsewhere."""
        self.bind("host-a")
        self.after(lambda: self.mirror(BOTH=7))
        for tunnel_ip, count in ((COLLECTOR, 0), ("192.0.2.1", 1)):
            self.hear("host-b", tunnel_ip)
            outbox = Outbox()
            tell_of_end(self.bed.connection, outbox)
            # No position has passed, so what is known is of the same version.
            self.told.clear()
            self.take(outbox.updates(""))
            self.assert_told()
            self.assertEqual(len(self.known("host-a")), count)
