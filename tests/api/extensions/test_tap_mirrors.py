"""Tap mirrors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from quantumd.model.messages import HostReport
from quantumd.store.tables.taps import tap_mirror_ids
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))
COLLECTOR = "192.0.2.77"


class MirrorCase(ResourceCase):
    """Has a port of Alice's."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        network = self.bed.create("network", ALICE)["id"]
        self.port = self.bed.create("port", ALICE, network_id=network)["id"]

    def mirror(self, context: Any = ADMIN, **said: Any) -> View:
        """Make a mirror for Alice."""
        body = {
            "project_id": "alice",
            "port_id": self.port,
            "directions": {"IN": 99},
            "remote_ip": COLLECTOR,
            "mirror_type": "gre",
            **said,
        }
        return self.bed.create("tap_mirror", context, **body)


class MirrorTests(MirrorCase):
    """What clients are answered."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a mirror is there, and it is journalled; its names can be changed."""
        made = self.mirror(name="ids", description="d", directions={"IN": 99, "OUT": 100})
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "name": "ids",
                "description": "d",
                "project_id": "alice",
                "port_id": self.port,
                "directions": {"IN": 99, "OUT": 100},
                "remote_ip": COLLECTOR,
                "mirror_type": "gre",
            },
        )
        self.assertEqual(self.bed.show("tap_mirror", made["id"], ALICE), made)
        self.assertEqual(self.journalled()[-1], ("tap_mirror", "create"))
        self.assertEqual(self.bed.update("tap_mirror", made["id"], name="other"), {**made, "name": "other"})

    def test_who_administers_makes_mirrors(self) -> None:
        """Their project sees them, others do not."""
        self.assert_refused(403, "PolicyNotAuthorized", self.mirror, ALICE)
        made = self.mirror()
        self.assertEqual(self.bed.listed("tap_mirror", ALICE), [made])
        self.assertEqual(self.bed.listed("tap_mirror", BOB), [])
        message = self.assert_refused(404, "TapMirrorNotFound", self.bed.show, "tap_mirror", made["id"], BOB)
        self.assertEqual(message, f"Tap Mirror {made['id']} does not exist")
        self.assertEqual(self.bed.listed("tap_mirror", ADMIN), [made])

    def test_its_port_must_be_the_projects(self) -> None:
        """Whose the mirror is."""
        self.assert_refused(404, "PortNotFound", self.mirror, port_id=UNKNOWN)
        self.assert_refused(403, "PortDoesNotBelongToProject", self.mirror, project_id="bob")

    def test_an_id_belongs_to_one_mirror(self) -> None:
        """In whatever direction; a mirror may use one for both. When it goes its ids are free."""
        made = self.mirror(directions={"IN": 99, "OUT": 99})
        message = self.assert_refused(409, "TapMirrorTunnelConflict", self.mirror, directions={"OUT": 99})
        self.assertEqual(message, "Tap Mirror with tunnel_id 99 already exists")
        self.mirror(directions={"OUT": 98})
        self.bed.delete("tap_mirror", made["id"])
        self.mirror(directions={"BOTH": 99})

    def test_ids_fit_where_they_travel(self) -> None:
        """ERSPAN has 10 bits for them, GRE 32."""
        sessions = {"mirror_type": "erspanv1", "directions": {"IN": 1024}}
        message = self.assert_refused(400, "InvalidTapMirrorDirections", self.mirror, **sessions)
        self.assertEqual(message, "1024 is no id of erspanv1: they end at 1023.")
        self.mirror(mirror_type="erspanv1", directions={"IN": 1023})
        self.mirror(directions={"IN": 4294967295})

    def test_both_says_all(self) -> None:
        """Beside it nothing can be said."""
        self.assert_refused(400, "InvalidTapMirrorDirections", self.mirror, directions={"BOTH": 1, "IN": 2})

    def test_copies_do_not_go_where_tunnels_of_networks_end(self) -> None:
        """Nor to addresses that mean nobody, or everybody."""
        self.bed.hear(HostReport("host-1", "l2", "1", "ovs", "{}", tunnel_ip="192.0.2.1", tunnel_types=("gre",)))
        self.assert_refused(409, "TapMirrorRemoteIsHost", self.mirror, remote_ip="192.0.2.1")
        for nobody in ("127.0.0.1", "224.0.0.5", "255.255.255.255", "::", "fe80::1", "::ffff:192.0.2.1"):
            self.assert_refused(400, "InvalidTapMirrorRemote", self.mirror, remote_ip=nobody)

    def test_a_mirror_goes_with_its_port(self) -> None:
        """And its ids."""
        self.mirror()
        self.bed.delete("port", self.port, ALICE)
        self.assertEqual(self.bed.listed("tap_mirror"), [])
        self.assertEqual(self.bed.connection.execute(select(func.count()).select_from(tap_mirror_ids)).scalar(), 0)
        self.assertIn(("tap_mirror", "delete"), self.journalled())
