"""Conntrack helpers: what they say, what is refused, and that they go with their router."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantumd.model.context import Context
from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View

_FTP = {"protocol": "tcp", "port": 21, "helper": "ftp"}


class HelperTests(RouterCase):
    """The helpers of one router of Alice's."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.made = self.router()
        self.router_id = self.made["id"]

    def help(self, context: Context = ALICE, **said: Any) -> View:
        """Make a helper, of FTP if nothing else is said."""
        return self.bed.create("conntrack_helper", context, parent=self.router_id, **{**_FTP, **said})

    def listed(self, **filters: Any) -> list[View]:
        """Return the helpers as Alice sees them."""
        return self.bed.listed("conntrack_helper", ALICE, parent=self.router_id, **filters)

    def test_the_view_is_whole(self) -> None:
        """A helper is shown, found, changed and deleted; nothing else is said of it."""
        made = self.help()
        self.assertEqual(made, {"id": made["id"], **_FTP})
        tftp = self.help(protocol="udp", port=69, helper="tftp")
        self.assertEqual(self.listed(protocol=("udp",)), [tftp])
        changed = self.bed.update("conntrack_helper", made["id"], ALICE, parent=self.router_id, port=2121)
        self.assertEqual(changed, {**made, "port": 2121})
        self.assertEqual(self.bed.show("conntrack_helper", made["id"], ALICE, parent=self.router_id), changed)
        self.bed.delete("conntrack_helper", made["id"], ALICE, parent=self.router_id)
        self.assertEqual(self.listed(), [tftp])

    def test_the_router_shows_them(self) -> None:
        """In order, and a change is one of the router's."""
        self.assertEqual(self.made["conntrack_helpers"], [])
        self.help()
        self.help(port=20)
        router = self.bed.show("router", self.router_id, ALICE)
        self.assertEqual(router["conntrack_helpers"], [{**_FTP, "port": 20}, _FTP])
        self.assertGreater(router["revision_number"], self.made["revision_number"])

    def test_what_no_kernel_understands_is_refused(self) -> None:
        """A helper of no name known, or of another protocol; and a second one alike."""
        message = self.assert_refused(400, "ConntrackHelperNotAllowed", self.help, helper="http")
        self.assertEqual(message, "Conntrack Helper http is not allowed.")
        message = self.assert_refused(400, "InvalidProtocolForHelper", self.help, protocol="udp")
        self.assertEqual(message, "Conntrack Helper ftp does not support: udp. Supported protocols are: tcp")
        made, other = self.help(), self.help(port=20)
        self.assert_refused(400, "BadRequest", self.help)
        again: View = {"parent": self.router_id, "port": 21}
        message = self.assert_refused(
            400, "BadRequest", self.bed.update, "conntrack_helper", other["id"], ALICE, **again
        )
        self.assertIn("A duplicate conntrack helper entry", message)
        self.assertEqual(self.listed(port=("21",)), [made])
        self.assertEqual(self.bed.update("conntrack_helper", made["id"], ALICE, **again), made)

    def test_others_see_and_change_none(self) -> None:
        """Nor is another router, or none, the place to look."""
        made = self.help()
        self.assert_refused(403, "PolicyNotAuthorized", self.help, BOB)
        acts: tuple[Callable[..., Any], ...] = (self.bed.show, self.bed.delete)
        for kind, router_id in (("ConntrackHelperNotFound", self.router()["id"]), ("RouterNotFound", UNKNOWN)):
            for do in acts:
                self.assert_refused(404, kind, do, "conntrack_helper", made["id"], ALICE, parent=router_id)

    def test_they_go_with_their_router(self) -> None:
        """And somebody hears of each."""
        self.help()
        self.bed.delete("router", self.router_id, ADMIN)
        self.assertEqual(self.journalled()[-2:], [("conntrack_helper", "delete"), ("router", "delete")])
