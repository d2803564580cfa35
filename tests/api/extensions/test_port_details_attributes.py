"""What ports say for others to read, extra DHCP options, and names."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from tests.api.resources.bed import ALICE, View
from tests.api.resources.case import ResourceCase


class DetailCase(ResourceCase):
    """Has a network with a subnet."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet()

    def port(self, **body: Any) -> View:
        """Make a port."""
        return self.bed.create("port", network_id=self.network_id, **body)


class DetailTests(DetailCase):
    """Attributes with few rules."""

    def test_what_a_port_has_that_says_nothing(self) -> None:
        """As in the answers of today."""
        port = self.port()
        wanted: View = {
            "propagate_uplink_status": True,
            "data_plane_status": None,
            "device_profile": None,
            "numa_affinity_policy": None,
            "hints": None,
            "trusted": None,
            "hardware_offload_type": None,
            "resource_request": None,
            "ip_allocation": "immediate",
            "tags": [],
        }
        self.assertEqual({name: port[name] for name in wanted}, wanted)

    def test_what_is_said_is_kept(self) -> None:
        """Across requests and in lists, and hosts are told nothing."""
        hints = {"openvswitch": {"other_config": {"tx-steering": "hash"}}}
        port = self.port(device_profile="fpga", hints=hints, numa_affinity_policy="socket")
        version = self.port_version(port["id"])
        changed = self.bed.update("port", port["id"], data_plane_status="DOWN", propagate_uplink_status=False)
        self.assertEqual(self.bed.show("port", port["id"]), changed)
        listed = next(each for each in self.bed.listed("port") if each["id"] == port["id"])
        self.assertEqual(listed, changed)
        self.assertEqual((changed["hints"], changed["device_profile"]), (hints, "fpga"))
        self.assertEqual((changed["data_plane_status"], changed["propagate_uplink_status"]), ("DOWN", False))
        self.assertEqual(self.port_version(port["id"]), version)

    def test_wrong_values(self) -> None:
        """Unknown policies, statuses and hints are refused."""
        cases: tuple[View, ...] = (
            {"numa_affinity_policy": "near"},
            {"hints": {"openvswitch": {"other_config": {"tx-steering": "fast"}}}},
            {"hints": {"ovn": {}}},
            {"hardware_offload_type": "magic"},
            {"device_profile": "x" * 256},
        )
        for wrong in cases:
            self.assert_refused(400, "HTTPBadRequest", self.port, **wrong)

    def test_numa_policy_of_a_bound_port_stays(self) -> None:
        """The guest was placed by it."""
        self.bed.add_host("host-1")
        port = self.port(binding__host_id="host-1")["id"]
        message = self.assert_refused(
            409, "PortBoundNUMAAffinityPolicy", self.bed.update, "port", port, numa_affinity_policy="legacy"
        )
        self.assertEqual(
            message,
            f"Unable to complete operation on port {port}, port is already bound to host host-1, "
            "numa_affinity_policy value given legacy.",
        )

    def test_nova_reads_the_profile(self) -> None:
        """Trust and offload are told there too."""
        port = self.port(trusted=True, hardware_offload_type="switchdev")
        self.assertEqual(port["binding:profile"], {"trusted": True, "capabilities": ["switchdev"]})
        changed = self.bed.update("port", port["id"], trusted=False)
        self.assertEqual((changed["trusted"], changed["binding:profile"]["trusted"]), (False, False))

    def test_tags_of_a_new_port(self) -> None:
        """A request for many may tag each."""
        made = self.bed.create_many(
            "port", [{"network_id": self.network_id, "tags": ["b", "a"]}, {"network_id": self.network_id}]
        )
        self.assertEqual([each["tags"] for each in made], [["a", "b"], []])
        self.assertEqual(self.bed.show("port", made[0]["id"])["tags"], ["a", "b"])
        self.bed.delete("port", made[0]["id"])


class OptionTests(DetailCase):
    """``extra_dhcp_opts``."""

    def option(self, name: str, value: str | None, version: int = 4) -> View:
        """Return an option."""
        return {"opt_name": name, "opt_value": value, "ip_version": version}

    def test_ipv4_is_meant(self) -> None:
        """An option that does not say is for IPv4."""
        port = self.port(extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400"}])
        self.assertEqual(port["extra_dhcp_opts"], [self.option("mtu", "1400")])

    def test_update_changes_what_it_names(self) -> None:
        """Others stay, a value of null takes away, and IPv6 is another option."""
        port = self.port(extra_dhcp_opts=[self.option("a", "1"), self.option("b", "2"), self.option("b", "6", 6)])
        changes = [self.option("b", None), self.option("a", "3"), self.option("c", "4")]
        changed = self.bed.update("port", port["id"], extra_dhcp_opts=changes)
        wanted = [self.option("a", "3"), self.option("b", "6", 6), self.option("c", "4")]
        self.assertEqual(changed["extra_dhcp_opts"], wanted)
        self.assertEqual(self.bed.update("port", port["id"], extra_dhcp_opts=None)["extra_dhcp_opts"], wanted)

    def test_blank_values(self) -> None:
        """Only a router and routes may be switched off by one."""
        self.port(extra_dhcp_opts=[self.option("router", "")])
        for wrong in (self.option("mtu", ""), self.option("", "1"), self.option("mtu", "1\n2"), {"opt_name": "mtu"}):
            self.assert_refused(400, "HTTPBadRequest", self.port, extra_dhcp_opts=[wrong])


class NameTests(DetailCase):
    """``dns_name``, ``dns_domain`` and what addresses are called."""

    settings = NetworkSettings(dns_domain="cloud.example")

    def test_addresses_without_a_name(self) -> None:
        """They are called by their numbers."""
        port = self.port(fixed_ips=[{"ip_address": "10.9.0.5"}])
        wanted = [{"ip_address": "10.9.0.5", "hostname": "host-10-9-0-5", "fqdn": "host-10-9-0-5.cloud.example."}]
        self.assertEqual(port["dns_assignment"], wanted)
        self.assertEqual(self.bed.show("port", port["id"])["dns_assignment"], wanted)

    def test_addresses_follow_the_name(self) -> None:
        """And new addresses do too."""
        port = self.port(dns_name="Web", dns_domain="other.example.")
        self.assertEqual((port["dns_name"], port["dns_domain"]), ("web", "other.example."))
        changed = self.bed.update("port", port["id"], fixed_ips=[{"ip_address": "10.9.0.6"}])
        self.assertEqual(
            changed["dns_assignment"], [{"ip_address": "10.9.0.6", "hostname": "web", "fqdn": "web.cloud.example."}]
        )
        listed = next(each for each in self.bed.listed("port") if each["id"] == port["id"])
        self.assertEqual(listed["dns_assignment"], changed["dns_assignment"])

    def test_full_name_in_the_domain(self) -> None:
        """It is taken as it is; one elsewhere is refused."""
        port = self.port(dns_name="web.cloud.example.")
        self.assertEqual(port["dns_assignment"][0]["fqdn"], "web.cloud.example.")
        self.assert_refused(400, "HTTPBadRequest", self.port, dns_name="web.elsewhere.example.")

    def test_names_that_are_none(self) -> None:
        """RFC 1123 says what a name is."""
        for wrong in ("-a", "a-", "a..b", "a_b", "a.1", "x" * 64):
            self.assert_refused(400, "HTTPBadRequest", self.port, dns_name=wrong)


class UnnamedTests(DetailCase):
    """The domain as it comes."""

    def test_ports_are_not_named(self) -> None:
        """While nobody sets a domain a name is taken and forgotten, as today."""
        port = self.port(dns_name="web", fixed_ips=[{"ip_address": "10.9.0.5"}])
        self.assertEqual(port["dns_name"], "")
        self.assertEqual(port["dns_assignment"][0]["fqdn"], "host-10-9-0-5.openstacklocal.")


class VisibilityTests(DetailCase):
    """Who sees and sets what."""

    def test_what_is_for_nova_is_for_administrators(self) -> None:
        """A project neither sees nor sets hints and trust."""
        texts = self.bed.policy.texts
        names = ("hints", "trusted", "resource_request")
        self.assertEqual({texts[f"get_port:{name}"] for name in names}, {"rule:admin_only"})
        network = self.bed.create("network", ALICE)["id"]
        self.assert_refused(
            403, "PolicyNotAuthorized", self.bed.create, "port", ALICE, network_id=network, trusted=True
        )

    def _ports(self) -> list[Any]:
        return [each for each in self.bed.served.resources if each.member == "port"]
