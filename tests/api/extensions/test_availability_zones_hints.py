"""What networks may say of availability zones."""

from __future__ import annotations

from quantumd.api.extensions.availability_zones.zones import require_zones, zones_of_networks
from tests.api.extensions.test_agents_list import AgentCase


class HintTests(AgentCase):
    """``require_zones`` and ``zones_of_networks``."""

    def test_hints_name_zones_with_dhcp(self) -> None:
        """A zone in which nothing serves networks is refused."""
        self.report("a", "dhcp")
        require_zones(self.bed.connection, "network", ["nova"])
        require_zones(self.bed.connection, "router", [])
        message = self.assert_refused(
            404, "AvailabilityZoneNotFound", require_zones, self.bed.connection, "network", ["nova", "mars"]
        )
        self.assertEqual(message, "AvailabilityZone mars could not be found.")
        self.assert_refused(404, "AvailabilityZoneNotFound", require_zones, self.bed.connection, "router", ["nova"])

    def test_networks_are_in_the_zones_of_their_hosts(self) -> None:
        """A network is in the zones of the hosts that serve its ports."""
        self.report("a", "dhcp")
        zones = zones_of_networks(self.bed.connection, {"n1": ["a", "unknown"], "n2": []})
        self.assertEqual(zones, {"n1": ["nova"], "n2": []})
        self.assertEqual(zones_of_networks(self.bed.connection, {"n2": []}), {"n2": []})
