"""Lists: filters, order, batches."""

from __future__ import annotations

from tests.api.resources.bed import ADMIN, ALICE, View
from tests.api.resources.case import ResourceCase


def ids(views: list[View]) -> list[str]:
    """Return the ids."""
    return [view["id"] for view in views]


class FilterTests(ResourceCase):
    """Filters of lists, all of them in SQL."""

    def setUp(self) -> None:
        """Make two ports."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet(enable_dhcp=False)
        self.bed.add_host("h1")
        self.first = self.bed.create(
            "port", network_id=self.network_id, name="a", fixed_ips=[{"ip_address": "10.9.0.17"}]
        )["id"]
        self.second = self.bed.create(
            "port",
            ALICE.__class__("r", project_id="alice", roles=frozenset({"admin"})),
            network_id=self.network_id,
            name="b",
            fixed_ips=[{"ip_address": "10.9.0.171"}],
            binding__host_id="h1",
            admin_state_up=False,
            device_id="vm",
        )["id"]

    def test_one_filter_finds_one(self) -> None:
        """By name, project, device, host, state, owner and address."""
        for filters in (
            {"name": ("b",)},
            {"project_id": ("alice",)},
            {"device_id": ("vm",)},
            {"binding__host_id": ("h1",)},
            {"binding__vif_type": ("ovs",)},
            {"admin_state_up": ("False",)},
            {"fixed_ips": ("ip_address=10.9.0.171",)},
            {"fixed_ips": ("ip_address_substr=.171",)},
            {"id": (self.second,)},
        ):
            self.assertEqual(ids(self.bed.listed("port", **filters)), [self.second], filters)

    def test_alternatives_are_ored_and_filters_anded(self) -> None:
        """As everywhere in the API."""
        both = sorted((self.first, self.second))
        self.assertEqual(sorted(ids(self.bed.listed("port", name=("a", "b")))), both)
        self.assertEqual(self.bed.listed("port", name=("a",), device_id=("vm",)), [])

    def test_address_filters(self) -> None:
        """Keys are ANDed on the same address, values of a key ORed."""
        subnet = f"subnet_id={self.subnet_id}"
        self.assertEqual(len(self.bed.listed("port", fixed_ips=(subnet,))), 2)
        self.assertEqual(ids(self.bed.listed("port", fixed_ips=(subnet, "ip_address=10.9.0.17"))), [self.first])
        self.assertEqual(len(self.bed.listed("port", fixed_ips=("ip_address_substr=9.0.17",))), 2)
        self.assertEqual(self.bed.listed("port", fixed_ips=("ip_address_substr=%",)), [])

    def test_empty_text_is_a_value(self) -> None:
        """device_id= finds ports without a device."""
        self.assertEqual(ids(self.bed.listed("port", device_id=("",))), [self.first])

    def test_thousands_of_ids(self) -> None:
        """More than a statement has room for, mostly unknown ones."""
        unknown = tuple(f"00000000-0000-0000-0000-{number:012x}" for number in range(40_000))
        found = self.bed.listed("port", id=(*unknown[:20_000], self.second, *unknown[20_000:], self.first))
        self.assertEqual(sorted(ids(found)), sorted((self.first, self.second)))

    def test_networks_and_subnets(self) -> None:
        """By their own attributes."""
        self.bed.create("network", name="x", shared=True)
        self.assertEqual(len(self.bed.listed("network", shared=("true",))), 1)
        self.assertEqual(
            ids(self.bed.listed("network", provider__network_type=("local",), name=("",))), [self.network_id]
        )
        self.assertEqual(ids(self.bed.listed("subnet", cidr=("10.9.0.0/24",))), [self.subnet_id])
        self.assertEqual(ids(self.bed.listed("subnet", gateway_ip=("10.9.0.1",), ip_version=("4",))), [self.subnet_id])
        self.assertEqual(self.bed.listed("subnet", enable_dhcp=("1",)), [])


class OrderTests(ResourceCase):
    """The order and the batches of lists."""

    def test_oldest_first_with_ties_by_id(self) -> None:
        """The order does not depend on the filter."""
        self.bed.now = "2026-11-20T10:00:02Z"
        late = self.bed.create("network")["id"]
        self.bed.now = "2026-11-20T10:00:01Z"
        early = sorted(self.bed.create("network")["id"] for _ in range(3))
        self.assertEqual(ids(self.bed.listed("network")), [*early, late])

    def test_subnets_of_a_network_are_in_order(self) -> None:
        """Oldest first, in the view of the network too."""
        network = self.bed.create("network")["id"]
        made: list[str] = []
        for second in (3, 2, 1):
            self.bed.now = f"2026-11-20T10:00:0{second}Z"
            cidr = f"10.{second}.0.0/24"
            made.insert(0, self.bed.create("subnet", network_id=network, cidr=cidr, ip_version=4)["id"])
        self.assertEqual(self.bed.show("network", network)["subnets"], made)
        self.assertEqual(self.bed.listed("network")[0]["subnets"], made)

    def test_batches_hold_everything_once(self) -> None:
        """1,201 ports come in batches, each with its addresses, as shown alone."""
        network_id, _ = self.bed.network_with_subnet("10.9.0.0/20", enable_dhcp=False)
        made = self.bed.create_many("port", [{"network_id": network_id}] * 1201)
        listed = self.bed.listed("port", ADMIN)
        self.assertEqual(ids(listed), sorted(ids(made)))
        self.assertEqual({view["id"]: view for view in listed}, {view["id"]: view for view in made})
