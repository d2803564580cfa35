"""Which hosts hear of QoS policies, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host, records_of_ports
from quantumd.compile.digest import differing_buckets, digest_buckets
from quantumd.model.bandwidth import Bandwidth
from quantumd.model.messages import HostReport
from quantumd.model.qos_records import QosLimit, QosPolicyRecord
from quantumd.model.records import KINDS, NetworkRecord, PortRecord, Record, key_of
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ADMIN
from tests.api.resources.case import ResourceCase

HOSTS = ("host-a", "host-b")
_LIMIT = "bandwidth_limit_rule"


class PoliciesCase(ResourceCase):
    """Two hosts that understand policies, a network with one, and one without."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        for host in HOSTS:
            self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", record_kinds=KINDS))
        self.gold, self.silver = self.policy(), self.policy()
        self.bed.create(_LIMIT, ADMIN, self.gold, max_kbps=100, max_burst_kbps=20)
        self.plain = self.bed.create("network", ADMIN)["id"]
        self.limited = self.bed.create("network", ADMIN, qos_policy_id=self.silver)["id"]

    def policy(self) -> str:
        """Return the id of a new policy."""
        return str(self.bed.create("policy", ADMIN)["id"])

    def port(self, network_id: str, host: str = "host-a", **said: Any) -> str:
        """Return the id of a new port that is bound to a host."""
        return str(self.bed.create("port", ADMIN, network_id=network_id, binding__host_id=host, **said)["id"])

    def told(self, change: Callable[[], object]) -> dict[tuple[str, str], Record]:
        """Make a change; return what l2 roles hear, by host and id."""
        before = last_position(self.bed.connection)
        change()
        updates = updates_for(self.bed.connection, read_after(self.bed.connection, before, 1000))
        return {(each.host, record.id): record for each in updates if each.role == "l2" for record in each.put}

    def heard(self, change: Callable[[], object]) -> set[tuple[str, str]]:
        """Make a change; return which hosts hear of which policies."""
        return {key for key, record in self.told(change).items() if isinstance(record, QosPolicyRecord)}

    def known(self, host: str = "host-a") -> dict[str, Record]:
        """Return what a host must know of policies, by id."""
        records = records_of_host(self.bed.connection, host, "l2", None)
        return {each.id: each for each in records if isinstance(each, QosPolicyRecord)}


class RecordTests(PoliciesCase):
    """What a host must know."""

    def test_ports_and_networks_name_their_own(self) -> None:
        """Which of them counts is the host's to see."""
        port_id = self.port(self.limited, qos_policy_id=self.gold)
        records = {key_of(each): each for each in records_of_host(self.bed.connection, "host-a", "l2", None)}
        port, network = records[PortRecord.kind, port_id], records[NetworkRecord.kind, self.limited]
        assert isinstance(port, PortRecord)
        assert isinstance(network, NetworkRecord)
        self.assertEqual((port.qos_policy, network.qos_policy), (self.gold, self.silver))

    def test_policies_of_ports_and_of_networks_are_known(self) -> None:
        """Where such ports are bound, and nowhere else."""
        self.port(self.limited, qos_policy_id=self.gold)
        self.assertEqual((set(self.known()), self.known("host-b")), ({self.gold, self.silver}, {}))

    def test_a_policy_is_told_in_numbers(self) -> None:
        """Limits by direction and unit, and the mark; guarantees are not for hosts."""
        self.bed.create(_LIMIT, ADMIN, self.gold, max_kbps=7, direction="ingress")
        self.bed.create("packet_rate_limit_rule", ADMIN, self.gold, max_kpps=3, max_burst_kpps=1)
        self.bed.create("dscp_marking_rule", ADMIN, self.gold, dscp_mark=26)
        self.bed.create("minimum_bandwidth_rule", ADMIN, self.gold, min_kbps=5)
        can = (Bandwidth("physnet1", 5, 0),)
        self.bed.hear(HostReport("host-a", "l2", "1", "ovs", "{}", record_kinds=KINDS, bandwidths=can))
        vlan = {"provider__network_type": "vlan", "provider__physical_network": "physnet1"}
        network = self.bed.create("network", ADMIN, **vlan, provider__segmentation_id=5)["id"]
        self.port(network, qos_policy_id=self.gold)
        record = self.known()[self.gold]
        assert isinstance(record, QosPolicyRecord)
        limits = (
            QosLimit("egress", "kbps", 100, 20),
            QosLimit("egress", "kpps", 3, 1),
            QosLimit("ingress", "kbps", 7, 0),
        )
        self.assertEqual((record.limits, record.dscp_mark), (limits, 26))

    def test_the_same_read_later_is_the_same(self) -> None:
        """Its version is the position at which it was read, which no digest covers."""
        self.port(self.plain, qos_policy_id=self.gold)
        before = digest_buckets(self.known().values())
        self.bed.create("network")
        self.assertEqual(differing_buckets(before, tuple(digest_buckets(self.known().values()).items())), ())

    def test_a_plugged_port_brings_them(self) -> None:
        """Its own and its network's."""
        port_id = self.port(self.limited, qos_policy_id=self.gold)
        records = records_of_ports(self.bed.connection, "host-a", [port_id])["l2"]
        self.assertEqual({each.id for each in records if isinstance(each, QosPolicyRecord)}, {self.gold, self.silver})


class TellingTests(PoliciesCase):
    """Who hears of a change."""

    def test_a_port_with_a_policy_brings_it(self) -> None:
        """Bound with it, or given it later; one without brings none."""
        self.assertEqual(self.heard(lambda: self.port(self.plain)), set())
        ids: list[str] = []
        self.assertEqual(
            self.heard(lambda: ids.append(self.port(self.plain, qos_policy_id=self.gold))), {("host-a", self.gold)}
        )
        given = self.heard(lambda: self.bed.update("port", ids[0], qos_policy_id=self.silver))
        self.assertEqual(given, {("host-a", self.silver)})

    def test_a_port_of_a_network_with_a_policy_brings_it(self) -> None:
        """The first one of a host, and each after it."""
        for host in (*HOSTS, *HOSTS):
            self.assertEqual(self.heard(lambda host=host: self.port(self.limited, host)), {(host, self.silver)})  # type: ignore[misc]

    def test_a_port_whose_policy_is_another_is_another_record(self) -> None:
        """With a newer version."""
        port_id = self.port(self.plain)
        version = self.port_version(port_id)
        told = self.told(lambda: self.bed.update("port", port_id, qos_policy_id=self.gold))
        self.assertEqual(told["host-a", port_id].version, self.port_version(port_id))
        self.assertGreater(self.port_version(port_id), version)

    def test_a_network_whose_policy_is_another_is_told(self) -> None:
        """To the hosts of its ports, with a newer version, and with the policy."""
        self.port(self.plain)
        version = self.network_version(self.plain)
        told = self.told(lambda: self.bed.update("network", self.plain, qos_policy_id=self.gold))
        self.assertEqual(set(told), {("host-a", self.plain), ("host-a", self.gold)})
        self.assertGreater(self.network_version(self.plain), version)

    def test_a_changed_rule_is_told_to_hosts_with_the_policy(self) -> None:
        """Made, changed under either name and taken away; the policy alone, whatever number of ports have it."""
        self.port(self.plain, qos_policy_id=self.gold)
        self.port(self.limited, "host-b")
        for policy_id, host in ((self.gold, "host-a"), (self.silver, "host-b")):
            ids: list[str] = []
            changes: tuple[Callable[[], Any], ...] = (
                lambda p=policy_id, ids=ids: ids.append(  # type: ignore[misc]
                    self.bed.create(_LIMIT, ADMIN, p, max_kbps=9, direction="ingress")["id"]
                ),
                lambda p=policy_id, ids=ids: self.bed.update(_LIMIT, ids[0], ADMIN, p, max_kbps=8),  # type: ignore[misc]
                lambda ids=ids: self.bed.update(f"alias_{_LIMIT}", ids[0], max_kbps=7),  # type: ignore[misc]
                lambda p=policy_id, ids=ids: self.bed.delete(_LIMIT, ids[0], ADMIN, p),  # type: ignore[misc]
            )
            for change in changes:
                self.assertEqual(set(self.told(change)), {(host, policy_id)})

    def test_a_renamed_policy_is_told_to_nobody(self) -> None:
        """Nor is one that nobody has."""
        self.port(self.plain, qos_policy_id=self.gold)
        self.assertEqual(self.told(lambda: self.bed.update("policy", self.gold, name="n")), {})
        self.assertEqual(self.told(lambda: self.bed.create(_LIMIT, ADMIN, self.silver, max_kbps=9)), {})


class OlderHostTests(PoliciesCase):
    """A host that does not say that it understands policies would refuse what it is told."""

    def setUp(self) -> None:
        """One of before."""
        super().setUp()
        self.bed.hear(HostReport("old", "l2", "1", "ovs", "{}"))

    def test_it_is_told_of_none(self) -> None:
        """Of its ports it is told as ever; when it is upgraded it fetches them."""
        ids: list[str] = []
        told = self.told(lambda: ids.append(self.port(self.limited, "old", qos_policy_id=self.gold)))
        self.assertEqual(set(told), {("old", ids[0]), ("old", self.limited)})
        self.assertEqual(self.heard(lambda: self.bed.create(_LIMIT, ADMIN, self.silver, max_kbps=9)), set())
        self.assertEqual(self.known("old"), {})
        records = records_of_ports(self.bed.connection, "old", ids)["l2"]
        self.assertFalse(any(isinstance(each, QosPolicyRecord) for each in records))
        self.bed.hear(HostReport("old", "l2", "2", "ovs", "{}", record_kinds=KINDS))
        self.assertEqual(set(self.known("old")), {self.gold, self.silver})
