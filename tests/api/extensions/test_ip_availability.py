"""How many addresses networks have left."""

from __future__ import annotations

from typing import Any

import orjson

from quantumd.api.resource import Query
from tests.api.resources.bed import ADMIN
from tests.api.resources.case import ResourceCase

MEMBER = "network_ip_availability"


class AvailabilityTests(ResourceCase):
    """Lists and shows."""

    def test_numbers_of_a_network(self) -> None:
        """The pool without the gateway; the DHCP port's address and a port's are used."""
        network_id, subnet_id = self.bed.network_with_subnet()
        self.bed.create("port", network_id=network_id)
        self.bed.create("port", network_id=network_id, fixed_ips=[{"ip_address": "10.9.0.1"}])
        shown = self.bed.show(MEMBER, network_id)
        details = {
            "total_ips_in_subnet": 254,
            "total_ips_in_allocation_pool": 253,
            "used_ips_in_subnet": 3,
            "used_ips_in_allocation_pool": 2,
        }
        numbers = {"used_ips": 3, "total_ips": 253, "ip_availability_details": details}
        of_subnet = {"subnet_id": subnet_id, "subnet_name": "", "ip_version": 4, "cidr": "10.9.0.0/24", **numbers}
        whose = {"network_id": network_id, "network_name": "", "project_id": "operator"}
        self.assertEqual(shown, {**whose, "subnet_ip_availability": [of_subnet], **numbers})
        self.assertEqual(self.bed.listed(MEMBER), [shown])

    def test_network_without_subnets(self) -> None:
        """Has nothing to give."""
        network = self.bed.create("network", name="n")
        shown = self.bed.show(MEMBER, network["id"])
        self.assertEqual((shown["total_ips"], shown["used_ips"], shown["subnet_ip_availability"]), (0, 0, []))

    def test_filters(self) -> None:
        """By network, name, project, and IP version of the subnets."""
        four, _ = self.bed.network_with_subnet()
        six, _ = self.bed.network_with_subnet("2001:db8::/64", enable_dhcp=False)
        self.bed.update("network", four, name="x")
        cases: tuple[tuple[dict[str, Any], list[str]], ...] = (
            ({"network_id": (six,)}, [six]),
            ({"network_name": ("x",)}, [four]),
            ({"project_id": ("nobody",)}, []),
            ({"ip_version": ("4",)}, [four]),
            ({"ip_version": ("6",)}, [six]),
        )
        for filters, expected in cases:
            found = self.bed.listed(MEMBER, **filters)
            self.assertEqual([each["network_id"] for each in found], expected, filters)

    def test_only_the_chosen_version_is_counted(self) -> None:
        """Of a network that has both."""
        network_id, _ = self.bed.network_with_subnet()
        self.bed.create("subnet", network_id=network_id, cidr="2001:db8::/64", ip_version=6, enable_dhcp=False)
        (found,) = self.bed.listed(MEMBER, ip_version=("4",))
        self.assertEqual([each["ip_version"] for each in found["subnet_ip_availability"]], [4])

    def test_many_addresses_are_whole_numbers(self) -> None:
        """Also more than 64 bits of them."""
        network_id, _ = self.bed.network_with_subnet("2001:db8::/48", enable_dhcp=False)
        shown = orjson.dumps(self.bed.show(MEMBER, network_id))
        self.assertIn(b'"total_ips_in_subnet":1208925819614629174706176', shown)

    def test_details_are_left_out_when_nobody_asks(self) -> None:
        """They cost a count more."""
        self.bed.network_with_subnet()
        (found,) = self.bed.query(MEMBER, Query(fields=frozenset({"used_ips"})), ADMIN)
        self.assertNotIn("ip_availability_details", found)

    def test_unknown_network(self) -> None:
        """Is not found."""
        nowhere = "00000000-0000-0000-0000-000000000000"
        self.assert_refused(404, "NetworkNotFound", self.bed.show, MEMBER, nowhere)
