"""The same services by role: API, switch and DHCP in processes of their own, over a real RabbitMQ. Needs root."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import pytest

from quantumd.version import VERSION
from tests.bed.cluster import Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.load import EchoStream
from tests.bed.needs import CHECKOUT
from tests.bed.roles import RolesCase


class OneHostCase(RolesCase):
    """One host, and a network."""

    def setUp(self) -> None:
        super().setUp()
        self.network = self.make_network("10.0.0.0/24")


class BootTests(OneHostCase):
    """The boot flow, over three processes."""

    def test_a_vm_gets_its_lease_and_reaches_another(self) -> None:
        """Real packets: the switch is driven by one process, DHCP answered by another, both told by a third."""
        guest = self.make_guest(self.network)
        self.plug(guest)
        lease = udhcpc(guest.vm, self.directory)
        self.assertEqual(lease.ip_address, guest.ip)
        other = self.plugged(self.network)
        guest.configure(24)
        self.assertTrue(guest.can_reach(other.ip))
        self.ovs.unplug(other.vm)
        self.appliance.await_status(other.id, "DOWN")

    def test_the_api_tells_of_the_roles(self) -> None:
        """Alive, each as an agent of its host."""
        self.assertEqual([(each["alive"], each["host"]) for each in self.agents()], [(True, "host-a")] * 2)


class LossTests(OneHostCase):
    """What the roles do without each other, and without the broker."""

    @pytest.mark.time_limit(240)
    def test_nothing_is_lost_while_the_broker_is_away(self) -> None:
        """Packets flow, leases are given; what is changed meanwhile is realised when it is back."""
        guest, other = self.plugged(self.network), self.plugged(self.network)
        # A client of DHCP takes its address away first, so it is none of those two.
        client = self.make_guest(self.network)
        self.plug(client)
        with EchoStream(200, source=guest, target=other) as echoes:
            self.broker.kill()
            self.assertEqual(udhcpc(client.vm, self.directory).ip_address, client.ip)
            third = self.make_guest(self.network)
            self.ovs.plug(third.vm)
            self.update("port", other.id, admin_state_up=False)
            time.sleep(2)
            self.update("port", other.id, admin_state_up=True)
            self.broker.start()
            self.appliance.await_status(third.id, limit_seconds=30)
            self.appliance.await_status(other.id, limit_seconds=30)
        self.assertEqual(echoes.lost, 0)
        self.assertTrue(guest.can_reach(other.ip))

    @pytest.mark.time_limit(240)
    def test_each_process_is_restarted_under_traffic(self) -> None:
        """One at a time; no packet is lost, and everything is as it was."""
        guest, other = self.plugged(self.network), self.plugged(self.network)
        with EchoStream(500, source=guest, target=other) as echoes:
            for process in self.hosts[0].processes:
                process.stop()
                process.launch()
                time.sleep(2)
            self.appliance.restart("/readyz")
        self.assertEqual(echoes.lost, 0)
        third = self.make_guest(self.network)
        self.plug(third)
        self.assertEqual(udhcpc(third.vm, self.directory).ip_address, third.ip)


class SilentHostTests(RolesCase):
    """The roles of a host are gone, and the API process, on the same host, is not."""

    controllers = ("host-a",)
    settings: ClassVar = {"agents.down_seconds": "3"}

    def alive(self) -> list[bool]:
        """Whether each agent is alive."""
        return [each["alive"] for each in self.agents()]

    def test_a_port_is_not_bound_to_a_host_whose_roles_are_gone(self) -> None:
        """That an API process runs there makes it no host for ports."""
        network = self.make_network("10.3.0.0/24")
        for process in self.hosts[0].processes:
            process.kill()
        try:
            time.sleep(4)
            port = self.appliance.create("port", network_id=network["id"], **{"binding:host_id": "host-a"})
            self.assertEqual(port["binding:vif_type"], "binding_failed")
            self.assertEqual(self.alive(), [False, False])
        finally:
            for process in self.hosts[0].processes:
                process.launch()
        self.wait_for("the roles", lambda: self.alive() == [True, True], 30)

    def test_a_host_that_lives_never_seems_silent(self) -> None:
        """It reports as often as the server wants, and a second more or less does not matter."""
        ends_at = time.monotonic() + 10
        while time.monotonic() < ends_at:
            self.assertEqual(self.alive(), [True, True])
            time.sleep(0.1)

    def test_a_host_that_could_not_report_does_not_seem_silent(self) -> None:
        """Nobody listened for longer than hosts live without a report; from the first answer on all are alive."""
        self.appliance.stop()
        time.sleep(6)
        self.appliance.start()
        ends_at = time.monotonic() + 6
        while time.monotonic() < ends_at:
            self.assertEqual(self.alive(), [True, True])
            time.sleep(0.1)


class TwoHostTests(RolesCase):
    """Two hosts whose physical networks are wired together."""

    host_names = ("host-a", "host-b")
    settings: ClassVar = {
        "l2.bridge_mappings": '["physnet1:br-ex"]',
        "network.vlan_ranges": '["physnet1:100:199"]',
    }

    @classmethod
    def prepare_switch(cls) -> None:
        """A cable from one host to the other."""
        cls.cluster.wire()

    def test_vms_of_a_vlan_network_reach_each_other_across_hosts(self) -> None:
        """Each host answers the DHCP of its own VMs."""
        self.check(**{"provider:network_type": "vlan", "provider:physical_network": "physnet1"})

    def test_vms_of_a_flat_network_reach_each_other_across_hosts(self) -> None:
        """Without a tag on the cable."""
        self.check(**{"provider:network_type": "flat", "provider:physical_network": "physnet1"})

    def check(self, **provider: Any) -> None:
        network = self.make_network("10.1.0.0/24", **provider)
        one, other = (self.boot(host, network) for host in self.hosts)
        self.assertTrue(one.can_reach(other.ip))
        self.assertTrue(other.can_reach(one.ip))

    def test_a_change_is_told_to_the_hosts_that_it_concerns_only(self) -> None:
        """The other one does nothing."""
        here, there = self.hosts
        marks = {process.pid: len(process.log()) for host in self.hosts for process in host.processes}
        self.plug(self.make_guest(self.make_network("10.2.0.0/24")))
        time.sleep(0.5)
        for process in there.processes:
            self.assertNotIn("records changed", process.log()[marks[process.pid] :])
        self.assertTrue(any("records changed" in process.log()[marks[process.pid] :] for process in here.processes))


OLDER = CHECKOUT / "tests" / "functional" / "older_host"


class UpgradeTests(RolesCase):
    """The controller has been upgraded, and one of the hosts has not."""

    host_names = ("host-a", "host-b")
    settings: ClassVar = {
        "l2.bridge_mappings": '["physnet1:br-ex"]',
        "network.vlan_ranges": '["physnet1:100:199"]',
    }
    python_path: ClassVar = {"host-b": (OLDER,)}

    @classmethod
    def prepare_switch(cls) -> None:
        """A cable from one host to the other."""
        cls.cluster.wire()

    def versions(self) -> set[tuple[str, str]]:
        """What each host says that it runs."""
        return {(each["host"], each["configurations"]["quantumd_version"]) for each in self.agents()}

    @pytest.mark.time_limit(240)
    def test_an_older_host_goes_on_and_is_upgraded_without_loss(self) -> None:
        """It gets its ports and answers DHCP as the others do; then its processes are replaced under traffic.

        What the older version does not know it is not told: limits hold there from the upgrade on.
        """
        self.assertEqual(self.versions(), {("host-a", VERSION), ("host-b", "0.0.9")})
        provider: dict[str, Any] = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
        policy_id = self.limit()
        network = self.make_network("10.1.0.0/24", qos_policy_id=policy_id, **provider)
        one, other = (self.boot(host, network) for host in self.hosts)
        self.assertTrue(one.can_reach(other.ip))
        self.assertEqual([self.is_limited(host) for host in self.hosts], [True, False])
        with EchoStream(200, source=one, target=other) as echoes:
            for process in self.hosts[1].processes:
                process.stop()
                process.python_path = ()
                process.launch()
                time.sleep(3)
        self.assertEqual(echoes.lost, 0)
        upgraded = {(host.name, VERSION) for host in self.hosts}
        self.wait_for("reports of the upgraded host", lambda: self.versions() == upgraded, 30)
        self.boot(self.hosts[1], network)
        self.wait_for("limits on the upgraded host", lambda: self.is_limited(self.hosts[1]), 70)

    def limit(self) -> str:
        """Make a QoS policy that limits what ports send; return its id."""
        made = self.appliance.request("POST", "/v2.0/qos/policies", {"policy": {"name": "p"}})
        self.assertEqual(made.status, 201, made.body)
        policy_id = str(made.body["policy"]["id"])
        rule = {"bandwidth_limit_rule": {"max_kbps": 50_000}}
        path = f"/v2.0/qos/policies/{policy_id}/bandwidth_limit_rules"
        self.assertEqual(self.appliance.request("POST", path, rule).status, 201)
        return policy_id

    def is_limited(self, host: Host) -> bool:
        """Whether a host has a meter with the limit."""
        return "rate=50000" in host.ovs.ofctl("dump-meters")
