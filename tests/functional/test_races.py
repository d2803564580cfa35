"""Fifty clients at once that want the same, or take away what others begin to use: nothing is left half done."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.databases import lacking, new_database

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as _TestCase
else:
    _TestCase = object

CLIENTS = 50
ALICE = "a11ce000000040008000000000000001"
BOB = "b0b00000000040008000000000000002"
_SECONDS = 60.0
_SETTINGS = {
    "api.preview": "true",
    "network.tenant_network_types": '["vxlan"]',
    "network.vxlan_ranges": '["1000:1999"]',
    "network.vlan_ranges": '["physnet1:100:199"]',
    "l2.bridge_mappings": '["physnet1:br-ex"]',
    "l2.bandwidth_kbps": '["physnet1:1000:1000"]',
}


@frozen
class Ask:
    """One request; as a member of ``project`` unless that is empty."""

    method: str
    path: str
    body: Any = None
    project: str = ""
    condition: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the request says besides."""
        who = {"X-Project-Id": self.project, "X-Roles": "member"} if self.project else {}
        when = {"If-Match": self.condition} if self.condition else {}
        return {"Content-Type": "application/json", **who, **when}


@frozen
class Told:
    """What one was answered with."""

    ask: Ask
    status: int
    body: Any


class RaceRules(_TestCase):
    """One process or several with memory edges, and clients that begin at the same moment."""

    processes: Sequence[Appliance] = ()

    def setUp(self) -> None:
        """Start what the child says."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-races-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.processes = self.launch(Path(folder.name))
        for process in self.processes:
            process.await_answer()
        self.addCleanup(self.expect_no_failure)

    def launch(self, directory: Path) -> Sequence[Appliance]:
        """Start the processes."""
        raise TypeError("a child says what is started")

    def start(self, directory: Path, **settings: str) -> Appliance:
        """Start one."""
        named = {name.replace("__", "."): value for name, value in settings.items()}
        process = Appliance(directory, settings={**_SETTINGS, **named})
        self.addCleanup(process.close)
        process.launch()
        return process

    def expect_no_failure(self) -> None:
        """Whatever happened, no process failed, and everything fits together."""
        self.expect_whole()
        for process in self.processes:
            self.assertNotIn(" critical ", process.log())

    def at_once(self, asks: Sequence[Ask]) -> list[Told]:
        """Send each on a connection of its own, all at the same moment; none is answered by a 5xx."""
        begin = threading.Barrier(len(asks))

        def send(number: int) -> Told:
            process = self.processes[number % len(self.processes)]
            return _send(HTTPConnection(process.host, process.port, timeout=_SECONDS), asks[number], begin)

        with ThreadPoolExecutor(len(asks)) as threads:
            told = list(threads.map(send, range(len(asks))))
        self.assertEqual([each for each in told if each.status >= 500], [])
        return told

    def same(self, ask: Ask, winners: int = 1) -> list[Told]:
        """Send the same fifty times; so many win, the others are refused."""
        told = self.at_once([ask] * CLIENTS)
        self.assertEqual(sum(each.status < 300 for each in told), winners, _statuses(told))
        self.assertEqual({each.status for each in told if each.status >= 300} - {400, 404, 409, 412}, set())
        return told

    def ask(self, method: str, path: str, body: Any = None, project: str = "") -> Any:
        """Send one request that must be granted; return the body of the answer."""
        headers = Ask(method, path, body, project).headers
        answer = self.processes[0].request(method, f"/v2.0/{path}", body, headers)
        self.assertLess(answer.status, 300, answer.body)
        return answer.body

    def make(self, path: str, member: str, project: str = "", **body: Any) -> Any:
        """Create one; ``__`` in a name stands for ``:``."""
        named = {name.replace("__", ":"): value for name, value in body.items()}
        return self.ask("POST", path, {member: named}, project)[member]

    def listed(self, path: str, project: str = "") -> list[Any]:
        """Return a list."""
        found: list[Any] = self.ask("GET", path, project=project)[path.partition("?")[0].replace("-", "_")]
        return found

    def network(self, project: str = "", cidr: str = "10.0.0.0/24") -> tuple[str, str]:
        """Create a network with a subnet; return their ids."""
        network_id = self.make("networks", "network", project)["id"]
        subnet = self.make("subnets", "subnet", project, network_id=network_id, cidr=cidr, ip_version=4)
        return network_id, subnet["id"]

    def expect_whole(self) -> None:
        """Nothing names what is not there, no address or MAC is there twice."""
        networks = {each["id"]: each for each in self.listed("networks")}
        subnets = {each["id"]: each for each in self.listed("subnets")}
        groups = {each["id"] for each in self.listed("security-groups")}
        self.assertEqual({each["network_id"] for each in subnets.values()} - {*networks}, set())
        named = {subnet_id for each in networks.values() for subnet_id in each["subnets"]}
        self.assertEqual(named, {*subnets})
        taken: Counter[Any] = Counter()
        for port in self.listed("ports"):
            self.assertIn(port["network_id"], networks)
            self.assertLessEqual({*port["security_groups"]}, groups)
            taken[port["network_id"], port["mac_address"]] += 1
            for item in port["fixed_ips"]:
                cidr = ip_network(subnets[item["subnet_id"]]["cidr"])
                self.assertIn(ip_address(item["ip_address"]), cidr)
                taken[item["subnet_id"], item["ip_address"]] += 1
        self.assertEqual([each for each, times in taken.items() if times > 1], [])


def _send(connection: HTTPConnection, ask: Ask, begin: threading.Barrier) -> Told:
    try:
        connection.connect()
        begin.wait(_SECONDS)
        connection.request(ask.method, f"/v2.0/{ask.path}", json.dumps(ask.body) if ask.body else None, ask.headers)
        response = connection.getresponse()
        raw = response.read()
        return Told(ask, response.status, json.loads(raw) if raw else None)
    finally:
        connection.close()


def _statuses(told: Sequence[Told]) -> Mapping[Any, int]:
    return Counter((each.ask.method, each.status, _type_of(each)) for each in told)


def _type_of(told: Told) -> str:
    return str(told.body["NeutronError"]["type"]) if told.status >= 400 else ""


class SameThingRules(RaceRules):
    """All want the same."""

    def test_a_quota_is_not_overrun(self) -> None:
        """By networks, by ports of one bulk request each, by groups and their rules."""
        limits = {"network": 7, "port": 20, "security_group": 5, "subnetpool": 3}
        self.ask("PUT", f"quotas/{ALICE}", {"quota": limits})
        self.same(Ask("POST", "networks", {"network": {}}, ALICE), winners=7)
        port = {"network_id": self.listed("networks", ALICE)[0]["id"]}
        self.same(Ask("POST", "ports", {"ports": [port, port, port]}, ALICE), winners=6)
        # The default group is one of them.
        self.same(Ask("POST", "security-groups", {"security_group": {"name": "x"}}, ALICE), winners=4)
        pool = {"name": "x", "prefixes": ["10.0.0.0/8"]}
        self.same(Ask("POST", "subnetpools", {"subnetpool": pool}, ALICE), winners=3)

    def test_bandwidth_is_not_guaranteed_twice(self) -> None:
        """To new ports, one or two of a request, and to those that are bound."""
        policy_id = self.make("qos/policies", "policy", name="gold")["id"]
        self.make(f"qos/policies/{policy_id}/minimum_bandwidth_rules", "minimum_bandwidth_rule", min_kbps=150)
        vlan = {"provider__network_type": "vlan", "provider__physical_network": "physnet1"}
        network_id = self.make("networks", "network", **vlan)["id"]
        port = {"network_id": network_id, "qos_policy_id": policy_id}
        here = {"binding:host_id": "host-a"}
        self.same(Ask("POST", "ports", {"ports": [{**port, **here}] * 2}), winners=3)
        for each in self.listed("ports"):
            self.ask("DELETE", f"ports/{each['id']}")
        self.same(Ask("POST", "ports", {"port": {**port, **here}}), winners=6)
        for each in self.listed("ports"):
            self.ask("DELETE", f"ports/{each['id']}")
        ports = self.ask("POST", "ports", {"ports": [port] * CLIENTS})["ports"]
        told = self.at_once([Ask("PUT", f"ports/{each['id']}", {"port": here}) for each in ports])
        self.assertEqual(sum(each.status == 200 for each in told), 6, _statuses(told))
        self.assertEqual(len(self.listed("ports?binding:host_id=host-a")), 6)

    def test_an_id_of_copies_is_given_once(self) -> None:
        """Whichever mirror it is."""
        network_id, _ = self.network()
        port_id = self.make("ports", "port", network_id=network_id)["id"]
        mirror = {"directions": {"IN": 7, "OUT": 7}, "remote_ip": "192.0.2.7", "mirror_type": "gre"}
        self.same(Ask("POST", "taas/tap_mirrors", {"tap_mirror": {**mirror, "port_id": port_id}}))

    def test_an_address_is_given_once(self) -> None:
        """To a new port, or to one that is there."""
        network_id, subnet_id = self.network()
        wanted = [{"subnet_id": subnet_id, "ip_address": "10.0.0.77"}]
        self.same(Ask("POST", "ports", {"port": {"network_id": network_id, "fixed_ips": wanted}}))
        ports = self.ask("POST", "ports", {"ports": [{"network_id": network_id}] * CLIENTS})["ports"]
        other = {"port": {"fixed_ips": [{"subnet_id": subnet_id, "ip_address": "10.0.0.99"}]}}
        told = self.at_once([Ask("PUT", f"ports/{each['id']}", other) for each in ports])
        holders = [each for each in self.listed("ports") if _has(each, "10.0.0.99")]
        self.assertEqual((len(holders), sum(each.status == 200 for each in told)), (1, 1), _statuses(told))

    def test_a_mac_is_given_once(self) -> None:
        """On one network."""
        network_id, _ = self.network()
        self.same(Ask("POST", "ports", {"port": {"network_id": network_id, "mac_address": "fa:16:3e:00:00:07"}}))

    def test_a_prefix_is_used_once(self) -> None:
        """By subnets of one network."""
        network_id = self.make("networks", "network")["id"]
        body = {"network_id": network_id, "cidr": "10.1.0.0/24", "ip_version": 4}
        self.same(Ask("POST", "subnets", {"subnet": body}))

    def test_a_segment_is_used_once(self) -> None:
        """By a number that is named, and by those that are given."""
        named = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
        self.same(Ask("POST", "networks", {"network": {**named, "provider:segmentation_id": 777}}))
        told = self.same(Ask("POST", "networks", {"network": {}}), winners=CLIENTS)
        self.assertEqual(len({each.body["network"]["provider:segmentation_id"] for each in told}), CLIENTS)

    def test_a_pool_gives_a_prefix_once(self) -> None:
        """Until none is left, and one that is named."""
        pool: dict[str, Any] = {"prefixes": ["10.9.0.0/24"], "default_prefixlen": 28, "name": "x"}
        pool_id = self.make("subnetpools", "subnetpool", **pool)["id"]
        networks = self.ask("POST", "networks", {"networks": [{}] * CLIENTS})["networks"]
        body = {"subnetpool_id": pool_id, "ip_version": 4}
        asks = [Ask("POST", "subnets", {"subnet": {**body, "network_id": each["id"]}}) for each in networks]
        told = self.at_once(asks)
        cidrs = {each.body["subnet"]["cidr"] for each in told if each.status == 201}
        self.assertEqual((len(cidrs), _counted(told)), (16, {201: 16, 409: CLIENTS - 16}), _statuses(told))

    def test_a_default_group_is_made_once(self) -> None:
        """By those who list groups and those who make ports."""
        network_id, _ = self.network(ALICE)
        asks = [Ask("GET", "security-groups", project=ALICE), Ask("GET", "security-group-rules", project=ALICE)]
        asks += [Ask("POST", "ports", {"port": {"network_id": network_id}}, ALICE)]
        asks += [Ask("POST", "security-groups", {"security_group": {"name": "web"}}, ALICE)]
        self.ask("PUT", f"quotas/{ALICE}", {"quota": {"security_group": -1}})
        told = self.at_once([asks[number % 4] for number in range(CLIENTS)])
        self.assertLessEqual({each.status for each in told}, {200, 201}, _statuses(told))
        groups = self.listed("security-groups", ALICE)
        self.assertEqual([each["name"] for each in groups].count("default"), 1)

    def test_a_revision_is_changed_once(self) -> None:
        """By those who ask for that one."""
        network = self.make("networks", "network")
        path, condition = f"networks/{network['id']}", f"revision_number={network['revision_number']}"
        asks = [Ask("PUT", path, {"network": {"name": f"n{each}"}}, "", condition) for each in range(CLIENTS)]
        self.assertEqual(_counted(self.at_once(asks)), {200: 1, 412: CLIENTS - 1})

    def test_a_port_is_part_of_one_trunk(self) -> None:
        """Whoever is first."""
        network_id, _ = self.network()
        *ports, wanted = self.ask("POST", "ports", {"ports": [{"network_id": network_id}] * 21})["ports"]
        sub_port = {"port_id": wanted["id"], "segmentation_type": "vlan", "segmentation_id": 7}
        bodies = [{"trunk": {"port_id": each["id"], "sub_ports": [sub_port]}} for each in ports]
        told = self.at_once([Ask("POST", "trunks", body) for body in bodies])
        self.assertEqual(_counted(told), {201: 1, 409: 19}, _statuses(told))
        self.assertEqual(len(self.listed("trunks")), 1)

    def test_tags_come_and_go(self) -> None:
        """The same one, added and removed by all."""
        path = f"networks/{self.make('networks', 'network')['id']}"
        told = self.at_once([Ask("PUT" if each % 2 else "DELETE", f"{path}/tags/red") for each in range(CLIENTS)])
        self.assertLessEqual({each.status for each in told}, {201, 204, 404}, _statuses(told))
        self.assertLessEqual(len(self.ask("GET", path)["network"]["tags"]), 1)
        self.at_once([Ask("PUT", f"{path}/tags/t{each}") for each in range(CLIENTS)])
        self.assertLessEqual({f"t{each}" for each in range(CLIENTS)}, {*self.ask("GET", path)["network"]["tags"]})


def _has(port: Mapping[str, Any], address: str) -> bool:
    return any(item["ip_address"] == address for item in port["fixed_ips"])


def _counted(told: Sequence[Told]) -> Mapping[int, int]:
    return Counter(each.status for each in told)


class TakenAwayRules(RaceRules):
    """Something goes while others begin to use it: either it stays, or they are refused."""

    def against(self, delete: str, *uses: Ask) -> bool:
        """Delete by some clients while the others use; return whether it is gone."""
        asks = [*(uses[each % len(uses)] for each in range(CLIENTS - 10)), *[Ask("DELETE", delete)] * 5]
        asks = [*asks[:10], Ask("DELETE", delete), *asks[10:30], Ask("DELETE", delete), *asks[30:]]
        told = self.at_once(asks)
        self.assertLessEqual({each.status for each in told}, {200, 201, 204, 400, 403, 404, 409}, _statuses(told))
        gone = [each for each in told if each.status == 204]
        self.assertLessEqual(len(gone), 1, _statuses(told))
        return bool(gone)

    def test_a_network_that_goes(self) -> None:
        """While ports and subnets are made on it."""
        network_id, _ = self.network()
        ports = [Ask("POST", "ports", {"port": {"network_id": network_id}})]
        body = {"network_id": network_id, "ip_version": 4}
        subnets = [Ask("POST", "subnets", {"subnet": {**body, "cidr": f"10.1.{each}.0/24"}}) for each in range(5)]
        is_gone = self.against(f"networks/{network_id}", *subnets, *ports)
        left = [each for each in self.listed("ports") if each["network_id"] == network_id]
        self.assertEqual(bool(left), not is_gone)

    def test_a_subnet_that_goes(self) -> None:
        """While ports take addresses of it."""
        network_id, subnet_id = self.network()
        wanted = {"network_id": network_id, "fixed_ips": [{"subnet_id": subnet_id}]}
        self.against(f"subnets/{subnet_id}", Ask("POST", "ports", {"port": wanted}))

    def test_a_group_that_goes(self) -> None:
        """While ports take it and rules name it."""
        network_id, _ = self.network()
        group_id = self.make("security-groups", "security_group", name="web")["id"]
        other_id = self.make("security-groups", "security_group", name="other")["id"]
        port_id = self.make("ports", "port", network_id=network_id)["id"]
        rule = {"security_group_id": other_id, "direction": "ingress", "remote_group_id": group_id}
        self.against(
            f"security-groups/{group_id}",
            Ask("POST", "security-group-rules", {"security_group_rule": rule}),
            Ask("PUT", f"ports/{port_id}", {"port": {"security_groups": [group_id]}}),
            Ask("PUT", f"ports/{port_id}", {"port": {"security_groups": []}}),
            Ask("POST", "ports", {"port": {"network_id": network_id, "security_groups": [group_id]}}),
        )
        groups = {each["id"] for each in self.listed("security-groups")}
        named = {each["remote_group_id"] for each in self.listed("security-group-rules")} - {None}
        self.assertLessEqual(named, groups)

    def test_a_policy_that_goes(self) -> None:
        """While ports take it."""
        network_id, _ = self.network()
        policy_id = self.make("qos/policies", "policy", name="slow")["id"]
        use = Ask("POST", "ports", {"port": {"network_id": network_id, "qos_policy_id": policy_id}})
        is_gone = self.against(f"qos/policies/{policy_id}", use)
        users = [each for each in self.listed("ports") if each["qos_policy_id"] == policy_id]
        self.assertEqual(bool(users), not is_gone)

    def test_a_pool_that_goes(self) -> None:
        """While subnets come from it."""
        pool_id = self.make("subnetpools", "subnetpool", name="x", prefixes=["10.9.0.0/16"], default_prefixlen=26)["id"]
        network_id = self.make("networks", "network")["id"]
        body = {"network_id": network_id, "subnetpool_id": pool_id, "ip_version": 4}
        is_gone = self.against(f"subnetpools/{pool_id}", Ask("POST", "subnets", {"subnet": body}))
        self.assertEqual(bool(self.listed("subnets")), not is_gone)

    def test_a_scope_that_goes(self) -> None:
        """While pools are put into it."""
        scope_id = self.make("address-scopes", "address_scope", name="x", ip_version=4)["id"]
        pools = [
            {"name": "x", "prefixes": [f"10.{each}.0.0/16"], "address_scope_id": scope_id} for each in range(CLIENTS)
        ]
        uses = [Ask("POST", "subnetpools", {"subnetpool": each}) for each in pools]
        is_gone = self.against(f"address-scopes/{scope_id}", *uses)
        self.assertEqual(bool(self.listed("subnetpools")), not is_gone)

    def test_a_permission_that_goes(self) -> None:
        """While another project makes ports by it."""
        network_id, _ = self.network(ALICE)
        shared = {"object_type": "network", "object_id": network_id, "action": "access_as_shared"}
        entry_id = self.make("rbac-policies", "rbac_policy", ALICE, **shared, target_tenant=BOB)["id"]
        use = Ask("POST", "ports", {"port": {"network_id": network_id}}, BOB)
        is_gone = self.against(f"rbac-policies/{entry_id}", use)
        self.assertEqual(bool(self.listed("ports", BOB)), not is_gone)

    def test_a_trunk_that_goes(self) -> None:
        """While sub-ports are added to it."""
        network_id, _ = self.network()
        parent, *ports = self.ask("POST", "ports", {"ports": [{"network_id": network_id}] * CLIENTS})["ports"]
        trunk_id = self.make("trunks", "trunk", port_id=parent["id"])["id"]
        uses = [
            Ask("PUT", f"trunks/{trunk_id}/add_subports", {"sub_ports": [_sub_port(each["id"], number)]})
            for number, each in enumerate(ports, 1)
        ]
        is_gone = self.against(f"trunks/{trunk_id}", *uses)
        held = [each for each in self.listed("ports") if each["device_owner"] == "trunk:subport"]
        self.assertTrue(not is_gone or not held, held)


def _sub_port(port_id: str, number: int) -> dict[str, Any]:
    return {"port_id": port_id, "segmentation_type": "vlan", "segmentation_id": number}


class _OnSqlite(RaceRules):
    def launch(self, directory: Path) -> Sequence[Appliance]:
        return (self.start(directory / "host-a"),)


class _OnPostgresql(RaceRules):
    def launch(self, directory: Path) -> Sequence[Appliance]:
        url = new_database("postgresql")
        names = ("host-a", "host-b")
        return [self.start(directory / each, host__name=each, database__url=url) for each in names]


class SqliteSameThingTests(_OnSqlite, SameThingRules, SynchronousTestCase):
    """One process on SQLite."""


class SqliteTakenAwayTests(_OnSqlite, TakenAwayRules, SynchronousTestCase):
    """One process on SQLite."""


@pytest.mark.time_limit(300)
class PostgresqlSameThingTests(_OnPostgresql, SameThingRules, SynchronousTestCase):
    """Two processes on PostgreSQL."""

    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class PostgresqlTakenAwayTests(_OnPostgresql, TakenAwayRules, SynchronousTestCase):
    """Two processes on PostgreSQL."""

    skip = lacking("postgresql")
