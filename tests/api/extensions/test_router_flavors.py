"""Flavors of routers: chosen when they are made, by whoever may, and kept while they are there."""

from __future__ import annotations

from typing import Any

from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, View


class FlavorTests(RouterCase):
    """A flavor that quantumd's routers provide."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.profile = self.bed.create("service_profile", driver="quantumd.l3", metainfo="")["id"]
        self.flavor = self.flavored(service_profiles=[self.profile])

    def flavored(self, **said: Any) -> str:
        """Make a flavor."""
        body: View = {"name": "fast", "service_type": "L3_ROUTER_NAT", **said}
        return str(self.bed.create("flavor", **body)["id"])

    def test_a_router_shows_its_flavor(self) -> None:
        """Members choose it though they see no profiles; the flavor stays while it is chosen."""
        made = self.router(flavor_id=self.flavor)
        self.assertEqual((made["flavor_id"], self.shown(made)["flavor_id"]), (self.flavor, self.flavor))
        self.assert_refused(409, "FlavorInUse", self.bed.delete, "flavor", self.flavor)
        self.bed.delete("router", made["id"], ALICE)
        self.bed.delete("flavor", self.flavor)

    def test_what_provides_no_router_is_refused(self) -> None:
        """One that is not there, is disabled, is of another service, has no profile, or a disabled one."""
        self.assert_refused(404, "FlavorNotFound", self.router, flavor_id=UNKNOWN)
        off = self.flavored(enabled=False, service_profiles=[self.profile])
        self.assert_refused(503, "FlavorDisabled", self.router, flavor_id=off)
        other = self.flavored(service_type="QOS", service_profiles=[self.profile])
        self.assert_refused(400, "BadRequest", self.router, flavor_id=other)
        self.assert_refused(404, "FlavorServiceProfileBindingNotFound", self.router, flavor_id=self.flavored())
        disabled = self.bed.create("service_profile", driver="quantumd.l3", metainfo="", enabled=False)["id"]
        bad = self.flavored(service_profiles=[disabled])
        self.assert_refused(503, "ServiceProfileDisabled", self.router, flavor_id=bad)
        self.assertEqual(self.bed.listed("router", ADMIN), [])
