"""Which hosts hear of groups and sets of addresses, and of which pieces of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantumd.api.hosts.announce import touched_by
from quantumd.api.hosts.compiled import records_of_host, records_of_ports
from quantumd.api.hosts.touched_guards import guards_to_tell
from quantumd.compile.digest import differing_buckets, digest_buckets
from quantumd.model.messages import HostReport
from quantumd.model.records import PortRecord
from quantumd.model.security_records import (
    WHOLE,
    AddressPair,
    AddressSetRecord,
    SecurityGroupRecord,
    piece_id,
    piece_of,
)
from quantumd.store import nouns
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ADMIN
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b", "host-c")

Told = set[tuple[str, str]]
"""Hosts with the ids of the records that they hear of."""


class GuardsCase(ResourceCase):
    """A network of an administrator's, whose ports have their project's default group."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        for host in HOSTS:
            self.bed.hear(HostReport(host, "l2", "1", "ovs", '{"port_filter": true}'))
        self.network_id, self.subnet_id = self.bed.network_with_subnet(context=ADMIN)
        self.default = self.port("host-a")["security_groups"][0]

    def port(self, host: str = "", **said: Any) -> dict[str, Any]:
        """Make a port that is bound to a host."""
        return self.bed.create("port", network_id=self.network_id, binding__host_id=host, **said)

    def group(self, name: str = "g") -> str:
        """Return the id of a new group."""
        return str(self.bed.create("security_group", name=name)["id"])

    def rule(self, group_id: str, **said: Any) -> str:
        """Return the id of a new rule."""
        rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", **said}
        return str(self.bed.create("security_group_rule", security_group_id=group_id, **rule)["id"])

    def told(self, change: Callable[[], object]) -> Told:
        """Make a change; return which hosts hear of which groups and sets."""
        before = last_position(self.bed.connection)
        change()
        rows = read_after(self.bed.connection, before, 1000)
        touched = touched_by(rows)
        bound = [each for each in nouns.ports(self.bed.connection, touched.ports).values() if each.host_id]
        found = guards_to_tell(self.bed.connection, touched.guards, bound, touched.first_position)
        return {(host, record.id) for host, record in found}

    def known(self, host: str = "host-a") -> dict[str, Any]:
        """Return what a host must know of groups and sets, by id."""
        records = records_of_host(self.bed.connection, host, "l2", None)
        return {each.id: each for each in records if isinstance(each, SecurityGroupRecord | AddressSetRecord)}


class OlderHostTests(GuardsCase):
    """A host that says that it guards no ports, as those of versions before do: it would refuse what it is told."""

    def setUp(self) -> None:
        """A host of before."""
        super().setUp()
        self.bed.hear(HostReport("old", "l2", "1", "ovs", '{"port_filter": false}'))

    def test_it_is_told_of_no_groups(self) -> None:
        """Nor fetches any; others are told as ever."""
        self.assertEqual({host for host, _ in self.told(lambda: self.port("old"))}, {"host-a"})
        self.assertEqual({host for host, _ in self.told(lambda: self.rule(self.default))}, {"host-a"})
        self.assertEqual(self.known("old"), {})
        (port,) = (each for each in self.bed.listed("port", device_owner=("",)) if each["binding:host_id"] == "old")
        records = records_of_ports(self.bed.connection, "old", [port["id"]])["l2"]
        self.assertFalse(any(isinstance(each, SecurityGroupRecord | AddressSetRecord) for each in records))

    def test_when_it_is_upgraded_it_knows_them(self) -> None:
        """By its first comparison."""
        self.port("old")
        self.bed.hear(HostReport("old", "l2", "2", "ovs", '{"port_filter": true}'))
        self.assertIn(self.default, self.known("old"))


class RecordTests(GuardsCase):
    """What a host must know."""

    def test_groups_of_its_ports_and_sets_that_their_rules_name(self) -> None:
        """And no others."""
        unused = self.group("unused")
        self.rule(unused, remote_group_id=self.group("named by the unused"))
        (port,) = self.bed.listed("port", device_owner=("",))
        self.assertEqual(set(self.known()), {self.default, piece_id(self.default, piece_of(port["id"]))})
        self.assertEqual(self.known("host-b"), {})

    def test_a_set_has_the_addresses_and_pairs_of_all_members(self) -> None:
        """Whatever host they are on, as prefixes."""
        pair = {"ip_address": "10.77.0.0/16", "mac_address": "fa:16:3e:00:00:77"}
        port = self.port(allowed_address_pairs=[pair])
        address = port["fixed_ips"][0]["ip_address"]
        record = self.known()[piece_id(self.default, piece_of(port["id"]))]
        self.assertLessEqual({f"{address}/32", "10.77.0.0/16"}, set(record.addresses))

    def test_an_address_group_is_one_piece(self) -> None:
        """With its prefixes."""
        group = self.bed.create("address_group", name="a", addresses=["10.1.0.0/16", "fd00::/64"])
        self.rule(self.default, remote_address_group_id=group["id"])
        record = self.known()[piece_id(group["id"], WHOLE)]
        self.assertEqual(record.addresses, ("10.1.0.0/16", "fd00::/64"))

    def test_a_rule_is_told_in_numbers(self) -> None:
        """Protocol, ports, and the prefix without bits of the host part."""
        name = self.rule(self.default, port_range_min=80, port_range_max=90, remote_ip_prefix="10.0.0.7/24")
        (rule,) = (each for each in self.known()[self.default].rules if each.id == name)
        self.assertEqual((rule.protocol, rule.first, rule.last, rule.cidr), (6, 80, 90, "10.0.0.0/24"))

    def test_a_port_says_how_it_is_guarded(self) -> None:
        """Security, groups and pairs, those without a MAC with its own."""
        port = self.port("host-a", allowed_address_pairs=[{"ip_address": "10.77.0.1"}])
        (record,) = (
            each
            for each in records_of_ports(self.bed.connection, "host-a", [port["id"]])["l2"]
            if isinstance(each, PortRecord)
        )
        self.assertEqual((record.port_security, record.security_groups), (True, (self.default,)))
        self.assertEqual(record.allowed_address_pairs, (AddressPair(port["mac_address"], "10.77.0.1/32"),))

    def test_the_same_read_later_is_the_same(self) -> None:
        """Its version is the position at which it was read, which no digest covers."""
        before = digest_buckets(self.known().values())
        self.bed.create("network")
        after = digest_buckets(self.known().values())
        self.assertEqual(differing_buckets(before, tuple(after.items())), ())

    def test_a_plugged_port_brings_its_groups_once(self) -> None:
        """Of groups that other ports of the host have, it has been told."""
        kinds = (SecurityGroupRecord, AddressSetRecord)
        for host, expected in (("host-a", False), ("host-b", True)):
            port = self.port(host)
            records = records_of_ports(self.bed.connection, host, [port["id"]])["l2"]
            self.assertEqual(any(isinstance(each, kinds) for each in records), expected, host)


class TellingTests(GuardsCase):
    """Who hears of a change."""

    def test_a_new_member_is_one_piece_for_hosts_that_name_its_set(self) -> None:
        """Others hear nothing."""
        self.port("host-c", security_groups=[self.group()])
        port: dict[str, Any] = {}
        told = self.told(lambda: port.update(self.port()))
        self.assertEqual(told, {("host-a", piece_id(self.default, piece_of(port["id"])))})

    def test_a_member_that_leaves_is_told(self) -> None:
        """Deleted, or with other groups."""
        for leave in (
            lambda port: self.bed.update("port", port, security_groups=[]),
            lambda port: self.bed.delete("port", port),
        ):
            port = self.port()["id"]
            told = self.told(lambda port=port, leave=leave: leave(port))  # type: ignore[misc]
            self.assertEqual(told, {("host-a", piece_id(self.default, piece_of(port)))})

    def test_a_rename_of_a_member_is_told_to_nobody(self) -> None:
        """Nor is a binding to a host that has the group already."""
        port = self.port("host-a")["id"]
        self.assertEqual(self.told(lambda: self.bed.update("port", port, name="n")), set())

    def test_a_rule_is_told_to_hosts_with_ports_of_the_group(self) -> None:
        """The group alone when it names no set, with all pieces of the set when it does."""
        self.port("host-b", security_groups=[self.group()])
        self.assertEqual(self.told(lambda: self.rule(self.default)), {("host-a", self.default)})
        other = self.group("other")
        member = self.port(security_groups=[other])["id"]
        told = self.told(lambda: self.rule(self.default, remote_group_id=other))
        named = {(host, record_id) for host, record_id in told if record_id.startswith(other)}
        self.assertEqual(named, {("host-a", piece_id(other, piece_of(member)))})

    def test_a_removed_rule_is_told(self) -> None:
        """To the same hosts."""
        name = self.rule(self.default)
        told = self.told(lambda: self.bed.delete("security_group_rule", name))
        self.assertEqual(told, {("host-a", self.default)})

    def test_an_address_group_is_told_to_hosts_that_name_it(self) -> None:
        """When its addresses change."""
        group = self.bed.create("address_group", name="a", addresses=[])
        self.rule(self.default, remote_address_group_id=group["id"])
        path = "address-groups/<resource_id>/add_addresses"
        told = self.told(
            lambda: self.bed.act("PUT", path, {"addresses": ["10.1.0.0/16"]}, ADMIN, resource_id=group["id"])
        )
        self.assertEqual(told, {("host-a", piece_id(group["id"], WHOLE))})

    def test_a_host_hears_of_a_group_with_its_first_port(self) -> None:
        """With all pieces of the sets that it names; of the next port's it knows."""
        before = set(self.known())
        told = self.told(lambda: self.port("host-b"))
        self.assertLessEqual({("host-b", record_id) for record_id in before}, told)
        told = self.told(lambda: self.port("host-b"))
        self.assertNotIn(("host-b", self.default), told)

    def test_two_first_ports_at_once_do_not_count_on_each_other(self) -> None:
        """Both come in one stretch of the journal."""
        told = self.told(lambda: (self.port("host-b"), self.port("host-b")))
        self.assertIn(("host-b", self.default), told)
