"""Network segment ranges."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from tests.api.resources.bed import ALICE, BOB, View
from tests.api.resources.case import ResourceCase

MEMBER = "network_segment_range"
NUMBER = "provider:segmentation_id"


class RangeCase(ResourceCase):
    """One VLAN range and one of VNIs in the settings."""

    settings = NetworkSettings(
        tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:103",), vxlan_ranges=("1:16777215",)
    )

    def vlans(self, minimum: int, maximum: int, **body: Any) -> View:
        """Make a range."""
        given: dict[str, Any] = {"physical_network": "physnet1", "minimum": minimum, "maximum": maximum}
        return self.bed.create(MEMBER, network_type="vlan", **given, **body)

    def numbers(self, context: object, count: int) -> list[int]:
        """Make networks and return their VLANs."""
        return [
            self.bed.show("network", self.bed.create("network", context)["id"])[NUMBER]  # type: ignore[arg-type]
            for _ in range(count)
        ]


class RangeTests(RangeCase):
    """Life of a range."""

    def test_new_range(self) -> None:
        """It is everybody's, and shows what is free."""
        made = self.vlans(200, 202, name="r")
        self.assertEqual((made["shared"], made["default"], made["project_id"]), (True, False, None))
        self.assertEqual((made["available"], made["used"]), ([200, 201, 202], {}))
        self.assertEqual(self.bed.show(MEMBER, made["id"]), made)

    def test_used_ids_are_shown_with_their_projects(self) -> None:
        """And are not available."""
        made = self.vlans(200, 201, shared=False, project_id="alice")
        self.bed.create("network", ALICE)
        shown = self.bed.show(MEMBER, made["id"])
        self.assertEqual((shown["available"], shown["used"]), ([201], {"200": "alice"}))

    def test_projects_take_their_own_ids_first(self) -> None:
        """Then those of everybody."""
        self.vlans(200, 200, shared=False, project_id="alice")
        self.assertEqual(self.numbers(ALICE, 2), [200, 100])
        self.assertEqual(self.numbers(BOB, 1), [101])

    def test_what_is_kept_for_a_project_is_nobody_elses(self) -> None:
        """Also out of the range of the settings."""
        self.vlans(100, 101, shared=False, project_id="alice")
        self.assertEqual(self.numbers(BOB, 2), [102, 103])
        self.assert_refused(503, "NoNetworkAvailable", self.bed.create, "network", BOB)
        self.assertEqual(self.numbers(ALICE, 1), [100])

    def test_shared_range_adds_to_the_settings(self) -> None:
        """When those are used up."""
        self.vlans(200, 200)
        self.assertEqual(self.numbers(BOB, 5), [100, 101, 102, 103, 200])

    def test_overlapping_ranges_are_refused(self) -> None:
        """Naming what they overlap with; other physical networks and the settings do not count."""
        made = self.vlans(200, 210)
        message = self.assert_refused(409, "NetworkSegmentRangeOverlaps", self.vlans, 210, 220)
        self.assertEqual(message, f"Network segment range overlaps with range(s) with id {made['id']}")
        self.vlans(100, 101)
        self.bed.create(MEMBER, network_type="vxlan", minimum=200, maximum=210)
        other = self.bed.create(MEMBER, network_type="vxlan", minimum=211, maximum=220)
        self.assert_refused(409, "NetworkSegmentRangeOverlaps", self.bed.update, MEMBER, other["id"], minimum=210)

    def test_impossible_ranges(self) -> None:
        """Ids that do not exist, reversed bounds, VLANs of nowhere."""
        message = self.assert_refused(400, "NetworkVlanRangeError", self.vlans, 1, 4095)
        self.assertEqual(message, "Invalid network VLAN range: '1:4095' - '4095 is not a valid VLAN tag'.")
        self.assert_refused(400, "NetworkVlanRangeError", self.vlans, 9, 8)
        self.assert_refused(
            400, "NetworkTunnelRangeError", self.bed.create, MEMBER, network_type="geneve", minimum=1, maximum=2**24
        )
        self.assert_refused(400, "BadRequest", self.bed.create, MEMBER, network_type="vlan", minimum=1, maximum=2)

    def test_used_ids_stay_inside(self) -> None:
        """A range may grow, and shrink by what is free; it goes when nothing of it is held."""
        made = self.vlans(200, 205, shared=False, project_id="alice")
        network = self.bed.create("network", ALICE)
        self.assert_refused(
            409, "NetworkSegmentRangeReferencedByProject", self.bed.update, MEMBER, made["id"], minimum=201
        )
        self.assertEqual(self.bed.update(MEMBER, made["id"], maximum=201)["available"], [201])
        message = self.assert_refused(
            409, "NetworkSegmentRangeReferencedByProject", self.bed.delete, MEMBER, made["id"]
        )
        self.assertIn("is referenced by one or more project networks.", message)
        self.bed.delete("network", network["id"], ALICE)
        self.bed.delete(MEMBER, made["id"])
        self.assert_refused(404, "NetworkSegmentRangeNotFound", self.bed.show, MEMBER, made["id"])


class DefaultTests(RangeCase):
    """Ranges of the settings."""

    def test_they_are_listed(self) -> None:
        """As default ranges, each once."""
        self.bed.listed(MEMBER)
        found = self.bed.listed(MEMBER)
        self.assertEqual(
            {(each["network_type"], each["minimum"], each["default"]) for each in found},
            {("vlan", 100, True), ("vxlan", 1, True)},
        )

    def test_large_range_shows_its_first_free_ids(self) -> None:
        """16 million numbers would be no answer."""
        self.bed.create("network", provider__network_type="vxlan", provider__segmentation_id=2)
        large = next(each for each in self.bed.listed(MEMBER) if each["network_type"] == "vxlan")
        self.assertEqual((large["available"][:2], len(large["available"])), ([1, 3], 10_000))
        self.assertEqual(large["used"], {"2": "operator"})

    def test_they_are_changed_in_the_settings_only(self) -> None:
        """Neither changed nor deleted here."""
        default = self.bed.listed(MEMBER)[0]
        for work, more in ((self.bed.update, {"name": "x"}), (self.bed.delete, {})):
            message = self.assert_refused(
                400, "NetworkSegmentRangeDefaultReadOnly", work, MEMBER, default["id"], **more
            )
        self.assertIn("is a default segment range which could not be updated or deleted.", message)
