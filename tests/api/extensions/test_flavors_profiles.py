"""Flavors and service profiles."""

from __future__ import annotations

from quantumd.api.extensions.flavors.flavors import Flavors
from quantumd.api.extensions.service_providers.providers import Provider
from tests.api.resources.bed import ADMIN, ALICE, seeded_chance
from tests.api.resources.case import ResourceCase

_OF = "flavors/<flavor_id>/service_profiles"


class FlavorTests(ResourceCase):
    """Flavors, profiles, and the ones of the others."""

    def profile(self, **more: object) -> str:
        """Create a profile and return its id."""
        profile_id: str = self.bed.create("service_profile", **{"metainfo": "{}", **more})["id"]  # type: ignore[arg-type]
        return profile_id

    def flavor(self, **more: object) -> str:
        """Create a flavor and return its id."""
        body = {"name": "fast", "service_type": "L3_ROUTER_NAT", **more}
        flavor_id: str = self.bed.create("flavor", **body)["id"]  # type: ignore[arg-type]
        return flavor_id

    def associate(self, flavor_id: str, profile_id: str) -> object:
        """Give the flavor the profile."""
        return self.bed.act("POST", _OF, {"service_profile": {"id": profile_id}}, flavor_id=flavor_id)

    def dissociate(self, flavor_id: str, profile_id: str) -> None:
        """Take the profile from the flavor."""
        self.bed.act("DELETE", f"{_OF}/<profile_id>", None, flavor_id=flavor_id, profile_id=profile_id)

    def test_a_flavor_is_shown_to_everybody(self) -> None:
        """Users choose from flavors, so they see them."""
        flavor_id = self.flavor(description="quick")
        self.assertEqual(
            self.bed.show("flavor", flavor_id, ALICE),
            {
                "id": flavor_id,
                "name": "fast",
                "description": "quick",
                "service_type": "L3_ROUTER_NAT",
                "enabled": True,
                "service_profiles": [],
            },
        )
        self.assertEqual(len(self.bed.listed("flavor", ALICE, name=("fast",))), 1)

    def test_flavors_and_profiles_are_changed(self) -> None:
        """What was set is shown."""
        flavor_id, profile_id = self.flavor(), self.profile()
        self.assertEqual(self.bed.update("flavor", flavor_id, name="slow", enabled=False)["name"], "slow")
        self.assertFalse(self.bed.show("flavor", flavor_id)["enabled"])
        self.assertEqual(self.bed.update("service_profile", profile_id, description="x")["description"], "x")
        self.assertEqual(self.bed.listed("service_profile", enabled=("true",))[0]["description"], "x")

    def test_unknown_services_are_refused(self) -> None:
        """A flavor is of a kind of service that there is."""
        message = self.assert_refused(400, "InvalidServiceType", self.flavor, service_type="COFFEE")
        self.assertEqual(message, "Invalid service type: COFFEE.")

    def test_profiles_say_something(self) -> None:
        """A profile has a driver that there is, or metainfo."""
        message = self.assert_refused(400, "ServiceProfileEmpty", self.profile, metainfo="")
        self.assertEqual(message, "Service Profile needs either a driver or metainfo.")
        message = self.assert_refused(404, "ServiceProfileDriverNotFound", self.profile, driver="warp")
        self.assertEqual(message, "Service Profile driver warp could not be found.")

    def test_profiles_are_given_and_taken(self) -> None:
        """A flavor shows its profiles; one it has is not given again, one it has not cannot be taken."""
        flavor_id, profile_id = self.flavor(), self.profile()
        self.assertEqual(self.associate(flavor_id, profile_id), {"service_profile": {"id": profile_id}})
        self.assertEqual(self.bed.show("flavor", flavor_id)["service_profiles"], [profile_id])
        self.assert_refused(409, "FlavorServiceProfileBindingExists", self.associate, flavor_id, profile_id)
        self.dissociate(flavor_id, profile_id)
        self.assertEqual(self.bed.show("flavor", flavor_id)["service_profiles"], [])
        self.assert_refused(404, "FlavorServiceProfileBindingNotFound", self.dissociate, flavor_id, profile_id)

    def test_profiles_can_be_named_with_the_flavor(self) -> None:
        """A create or update request may name the profiles."""
        one, other = self.profile(), self.profile()
        flavor_id = self.flavor(service_profiles=[one])
        self.assertEqual(self.bed.show("flavor", flavor_id)["service_profiles"], [one])
        self.bed.update("flavor", flavor_id, service_profiles=[other])
        self.assertEqual(self.bed.show("flavor", flavor_id)["service_profiles"], [other])

    def test_profiles_in_use_stay(self) -> None:
        """A profile that a flavor has is neither changed nor deleted; the flavor takes it along when it goes."""
        profile_id = self.profile()
        flavor_id = self.flavor(service_profiles=[profile_id])
        self.assert_refused(409, "ServiceProfileInUse", self.bed.delete, "service_profile", profile_id)
        self.assert_refused(409, "ServiceProfileInUse", self.bed.update, "service_profile", profile_id, description="x")
        self.bed.delete("flavor", flavor_id)
        self.bed.delete("service_profile", profile_id)
        self.assertEqual(self.bed.listed("service_profile"), [])

    def test_what_is_not_there_is_not_found(self) -> None:
        """Flavors and profiles must exist."""
        self.assert_refused(404, "FlavorNotFound", self.associate, "nowhere", self.profile())
        self.assert_refused(404, "ServiceProfileNotFound", self.associate, self.flavor(), "nowhere")

    def test_members_see_no_profiles(self) -> None:
        """What stands behind a flavor is the operator's business."""
        profile_id = self.profile()
        self.assertEqual(self.bed.listed("service_profile", ALICE), [])
        self.assert_refused(404, "ServiceProfileNotFound", self.bed.show, "service_profile", profile_id, ALICE)

    def test_members_associate_nothing(self) -> None:
        """Flavors are made by administrators."""
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.act, "POST", _OF, {}, ALICE, flavor_id=self.flavor())

    def test_bodies_name_a_profile(self) -> None:
        """A body without a profile is a clear 400."""
        self.assert_refused(400, "HTTPBadRequest", self.bed.act, "POST", _OF, {}, flavor_id=self.flavor())

    def test_the_next_provider_is_that_of_the_first_enabled_profile(self) -> None:
        """A flavor's profile leads to the provider with its driver."""
        flavors = Flavors(seeded_chance(), (Provider("L3_ROUTER_NAT", "single", "warp"),))
        flavor_id = self.flavor()

        def asked() -> object:
            return flavors.next_providers(self.bed.connection, ADMIN, {"flavor_id": flavor_id}, [])

        self.assert_refused(404, "FlavorServiceProfileBindingNotFound", asked)
        self.associate(flavor_id, self.profile())
        self.assert_refused(404, "ServiceProfileDriverNotFound", asked)
