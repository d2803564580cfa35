"""Address pairs of ports, and port security."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from tests.api.resources.bed import ALICE, BOB, View
from tests.api.resources.case import ResourceCase


class PairCase(ResourceCase):
    """Has a network with a subnet; ports may have three pairs."""

    settings = NetworkSettings(max_address_pairs=3)

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet()

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **body)


class PairTests(PairCase):
    """``allowed_address_pairs``."""

    def test_the_ports_mac_is_meant(self) -> None:
        """A pair without a MAC is for the port's own."""
        port = self.port(allowed_address_pairs=[{"ip_address": "10.9.0.200"}])
        self.assertEqual(
            port["allowed_address_pairs"], [{"mac_address": port["mac_address"], "ip_address": "10.9.0.200"}]
        )
        self.assertEqual(self.bed.show("port", port["id"]), port)

    def test_prefixes_and_macs_are_put_in_canonical_form(self) -> None:
        """As everywhere."""
        pair = {"mac_address": "FA-16-3E-00-00-01", "ip_address": "10.1.2.3/16"}
        found = self.port(allowed_address_pairs=[pair])["allowed_address_pairs"]
        self.assertEqual(found, [{"mac_address": "fa:16:3e:00:00:01", "ip_address": "10.1.0.0/16"}])

    def test_update_replaces_them(self) -> None:
        """Null and an empty list take all away; hosts hear of it."""
        port = self.port(allowed_address_pairs=[{"ip_address": "10.9.0.200"}])
        version = self.port_version(port["id"])
        changed = self.bed.update("port", port["id"], allowed_address_pairs=None)
        self.assertEqual((changed["allowed_address_pairs"], changed["revision_number"]), ([], 2))
        self.assertGreater(self.port_version(port["id"]), version)

    def test_same_pairs_are_no_change(self) -> None:
        """What a client sends back is no revision."""
        port = self.port(allowed_address_pairs=[{"ip_address": "10.9.0.200"}])
        same = self.bed.update("port", port["id"], allowed_address_pairs=port["allowed_address_pairs"])
        self.assertEqual(same["revision_number"], 1)

    def test_bad_pairs(self) -> None:
        """Each with the error of today."""
        cases: tuple[tuple[int, str, Any, str], ...] = (
            (400, "HTTPBadRequest", "10.0.0.1", "Allowed address pairs must be a list."),
            (400, "AllowedAddressPairsMissingIP", [{}], "AllowedAddressPair must contain ip_address"),
            (400, "HTTPBadRequest", [{"ip_address": "x"}], "'x' is not a valid IP address"),
            (400, "HTTPBadRequest", [{"ip_address": "x/8"}], "'x/8' is not a valid IP subnet"),
            (400, "HTTPBadRequest", [{"ip_address": "10.0.0.1", "a": 1}], "Unrecognized attribute(s) 'a'"),
            (
                400,
                "HTTPBadRequest",
                [{"ip_address": "224.0.0.18"}],
                "IP 224.0.0.18 is a multicast address, which is not supported.",
            ),
            (
                400,
                "HTTPBadRequest",
                [{"ip_address": "128.0.0.0/1"}],
                "Subnet 128.0.0.0/1 overlaps with multicast range 224.0.0.0/4, which is not supported.",
            ),
            (
                400,
                "HTTPBadRequest",
                [{"ip_address": "10.0.0.1", "mac_address": "01:00:5e:00:00:12"}],
                "MAC address 01:00:5e:00:00:12 is a multicast address, which is not supported.",
            ),
            (
                400,
                "AllowedAddressPairExhausted",
                [{"ip_address": f"10.0.0.{n}"} for n in range(4)],
                "The number of allowed address pair exceeds the maximum 3.",
            ),
            (
                400,
                "DuplicateAddressPairInRequest",
                [{"ip_address": "10.0.0.1"}] * 2,
                "Request contains duplicate address pair: mac_address None ip_address 10.0.0.1.",
            ),
        )
        for status, type_name, pairs, wanted in cases:
            message = self.assert_refused(status, type_name, self.port, allowed_address_pairs=pairs)
            self.assertEqual(message, wanted)

    def test_all_of_ipv4_may_be_allowed(self) -> None:
        """As routers in guests want it."""
        port = self.port(allowed_address_pairs=[{"ip_address": "0.0.0.0/0"}])
        self.assertEqual(port["allowed_address_pairs"][0]["ip_address"], "0.0.0.0/0")

    def test_only_the_owner_of_the_network(self) -> None:
        """On a shared network callers do not take addresses of others."""
        network = self.bed.create("network", shared=True)["id"]
        message = self.assert_refused(
            403,
            "PolicyNotAuthorized",
            self.bed.create,
            "port",
            ALICE,
            network_id=network,
            allowed_address_pairs=[{"ip_address": "10.0.0.1"}],
        )
        self.assertIn("create_port:allowed_address_pairs", message)


class PortSecurityTests(PairCase):
    """``port_security_enabled``."""

    def test_it_is_the_networks(self) -> None:
        """A port that says nothing follows its network, one that says something does not."""
        network = self.bed.create("network", port_security_enabled=False)["id"]
        self.assertFalse(self.bed.create("port", network_id=network)["port_security_enabled"])
        port = self.bed.create("port", network_id=network, port_security_enabled=True)
        self.assertTrue(self.bed.show("port", port["id"])["port_security_enabled"])

    def test_ports_of_the_service_have_none(self) -> None:
        """What routers and DHCP send is not checked."""
        self.assertFalse(self.port(device_owner="network:floatingip")["port_security_enabled"])

    def test_no_pairs_without_it(self) -> None:
        """Neither on create nor on update, in whichever order."""
        pairs = [{"ip_address": "10.9.0.200"}]
        wrong = {"port_security_enabled": False, "allowed_address_pairs": pairs}
        self.assert_refused(409, "AddressPairAndPortSecurityRequired", self.port, **wrong)
        port = self.port(allowed_address_pairs=pairs)["id"]
        self.assert_refused(
            409,
            "AddressPairAndPortSecurityRequired",
            self.bed.update,
            "port",
            port,
            port_security_enabled=False,
            security_groups=[],
        )

    def test_no_groups_without_it(self) -> None:
        """A port has to be rid of its groups first, or in the same request."""
        port = self.port()
        groups = port["security_groups"]
        refused = (409, "PortSecurityPortHasSecurityGroup", self.bed.update, "port", port["id"])
        self.assert_refused(*refused, port_security_enabled=False)
        self.bed.update("port", port["id"], port_security_enabled=False, security_groups=[])
        self.assert_refused(
            400,
            "PortSecurityAndIPRequiredForSecurityGroups",
            self.bed.update,
            "port",
            port["id"],
            security_groups=groups,
        )
        self.bed.update("port", port["id"], port_security_enabled=True, security_groups=groups)

    def test_new_port_without_it_has_no_group(self) -> None:
        """And may not name one."""
        group = self.port()["security_groups"]
        self.assertEqual(self.port(port_security_enabled=False)["security_groups"], [])
        self.assert_refused(
            400,
            "PortSecurityAndIPRequiredForSecurityGroups",
            self.port,
            port_security_enabled=False,
            security_groups=group,
        )

    def test_only_the_owner_of_the_network(self) -> None:
        """Others keep it as the network has it."""
        network = self.bed.create("network", ALICE)["id"]
        shared = self.bed.create("network", shared=True)["id"]
        self.assertFalse(
            self.bed.create("port", ALICE, network_id=network, port_security_enabled=False)["port_security_enabled"]
        )
        self.assert_refused(
            403,
            "PolicyNotAuthorized",
            self.bed.create,
            "port",
            BOB,
            network_id=shared,
            port_security_enabled=False,
        )
