"""Beside Nova: its own client code asks a real quantumd with a real Keystone; what Nova would be told is recorded."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.nova.events import CHANGED, DELETED, PLUGGED, UNPLUGGED
from quantumd.dhcp.message import MessageType
from tests.bed.appliance import Appliance
from tests.bed.compute_api import ComputeServer
from tests.bed.keystone import REGION, Keystone, User, missing_keystone, the_keystone
from tests.bed.needs import OVS, missing
from tests.bed.nova import Nova, NovaError, Server, missing_nova, os_vif
from tests.bed.openvswitch import PrivateOvs
from tests.bed.tap_guest import offered_address
from tests.dhcp.client import frame_of, request_payload

HOST = "host-a"
OTHER_HOST = "host-b"


@define(eq=False)
class Stage:
    """A quantumd with its switch, Nova's code, and a compute API that records; one for all tests here."""

    keystone: Keystone = field(factory=the_keystone)
    compute: ComputeServer = field(factory=ComputeServer)
    folder: Any = field(factory=lambda: tempfile.TemporaryDirectory(prefix="qd-nova-", ignore_cleanup_errors=True))
    service: User = field(init=False)
    appliance: Appliance = field(init=False)
    switch: PrivateOvs = field(init=False)
    nova: Nova = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start all of them."""
        home = Path(self.folder.name)
        self.compute.start()
        self.switch = PrivateOvs(home / "ovs")
        self.switch.start()
        self.service = self.keystone.make_user("service")
        settings = {"nova.enabled": "true", "nova.region": REGION, "log.level": "debug"}
        settings |= self.keystone.settings(self.service, home / "password")
        self.appliance = Appliance(home / "quantumd", self.switch.directory, settings)
        self.keystone.publish(self.appliance.url)
        self.keystone.publish_compute(self.compute.url)
        self.appliance.start("/")
        # Nova's own user binds ports, and reads those of all projects.
        self.nova = Nova(self.keystone, home, self.keystone.make_user("service", "admin"))
        self.nova.start()

    def close(self) -> None:
        """End all of them."""
        self.keystone.withdraw_compute()
        self.nova.close()
        self.appliance.close()
        self.switch.stop()
        self.compute.stop()
        self.folder.cleanup()


@cache
def the_stage() -> Stage:
    """Return the stage: started when it is first asked for."""
    return Stage()


def tearDownModule() -> None:
    """End the stage, if it was started."""
    if the_stage.cache_info().currsize:
        the_stage().close()


class Case(SynchronousTestCase):
    """Nova's code and what it works with."""

    skip = missing(*OVS) or missing_keystone() or missing_nova()

    def setUp(self) -> None:
        """A project with a network, and a server of a member's."""
        stage = the_stage()
        self.keystone, self.compute, self.appliance = stage.keystone, stage.compute, stage.appliance
        self.service, self.switch, self.nova = stage.service, stage.switch, stage.nova
        self.user: User = self.keystone.make_user("member")
        self.project_id = self.user.project.id if self.user.project else ""
        self.network = self.create("network", name="net", project_id=self.project_id)
        self.create(
            "subnet", network_id=self.network["id"], ip_version=4, cidr="10.9.0.0/24", project_id=self.project_id
        )
        self.server = self.nova.make_server(self.user, self.appliance.url, HOST)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request as the admin."""
        answer = self.appliance.request(method, path, body, {"X-Auth-Token": self.keystone.token(self.keystone.admin)})
        self.assertLess(answer.status, 300, answer.body)
        return answer.body

    def create(self, resource: str, **attributes: Any) -> dict[str, Any]:
        """Create a resource as the admin."""
        made: dict[str, Any] = self.ask("POST", f"/v2.0/{resource}s", {resource: attributes})[resource]
        return made

    def port(self, port_id: str) -> dict[str, Any]:
        """Show a port as the admin."""
        shown: dict[str, Any] = self.ask("GET", f"/v2.0/ports/{port_id}")["port"]
        return shown

    def ports(self) -> list[Any]:
        """List the ports of the server as the admin."""
        found: list[Any] = self.ask("GET", f"/v2.0/ports?device_id={self.server.id}")["ports"]
        return found

    def allocate(self, server: Server | None = None, **named: Any) -> list[Any]:
        """Let Nova give a server its ports; return its network information."""
        wanted = {"networks": [self.network["id"]], "ports": [], "host": HOST, "groups": ["default"], **named}
        info: list[Any] = self.nova.call("allocate", server or self.server, **wanted)
        return info

    def told(self, port_id: str) -> list[str]:
        """Return the names of the events about a port that Nova has acknowledged."""
        return [event["name"] for event in self.compute.api.acknowledged if event["tag"] == port_id]

    def await_told(self, port_id: str, *names: str) -> None:
        """Wait until exactly these events were told of a port."""
        self.wait_until(lambda: len(self.told(port_id)) >= len(names))
        self.assertEqual(self.told(port_id), list(names))

    def wait_until(self, is_so: Callable[[], bool], limit_seconds: float = 20.0) -> None:
        """Wait, at most for a while."""
        deadline = time.monotonic() + limit_seconds
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.02)

    def plug(self, vif: Any) -> str:
        """Let os-vif plug a device."""
        return os_vif("plug", vif, self.server, self.switch.db, self.switch.namespace)

    def unplug(self, vif: Any) -> str:
        """Let os-vif unplug it."""
        return os_vif("unplug", vif, self.server, self.switch.db, self.switch.namespace)


class BootTests(Case):
    """A server from boot to delete, by Nova's code and os-vif."""

    @pytest.mark.time_limit(300)
    def test_a_server_lives(self) -> None:
        """Ports are made and bound, os-vif plugs a device, Nova hears that it is plugged, unplugged and deleted."""
        (vif,) = self.allocate()
        self.assertEqual((vif["type"], vif["vnic_type"], vif["active"]), ("ovs", "normal", False))
        self.assertEqual((vif["network"]["bridge"], vif["devname"]), (self.switch.bridge, f"tap{vif['id']}"[:14]))
        self.assertEqual(addresses(vif), [each["ip_address"] for each in self.port(vif["id"])["fixed_ips"]])
        self.await_told(vif["id"], CHANGED)
        (wanted,) = self.nova.call("vifs", self.server)
        device = self.plug(wanted)
        self.assertEqual(device, vif["devname"])
        self.await_told(vif["id"], CHANGED, PLUGGED)
        (seen,) = self.nova.call("info", self.server)
        self.assertTrue(seen["active"])
        self.unplug(wanted)
        self.await_told(vif["id"], CHANGED, PLUGGED, UNPLUGGED)
        self.assertNotIn(device, self.switch.vsctl("list-ports", self.switch.bridge))
        self.nova.call("deallocate", self.server)
        self.assertEqual(self.ports(), [])
        self.await_told(vif["id"], CHANGED, PLUGGED, UNPLUGGED, DELETED)
        about = [event for event in self.compute.api.acknowledged if event["tag"] == vif["id"]]
        self.assertEqual({event["server_uuid"] for event in about}, {self.server.id})

    @pytest.mark.time_limit(300)
    def test_os_vif_acts_on_the_details(self) -> None:
        """The device is a tap with the port's MAC and MTU, on the bridge with its id; there is no Linux bridge."""
        (vif,) = self.allocate()
        self.assertEqual(
            vif["details"],
            {
                "bridge_name": self.switch.bridge,
                "datapath_type": "netdev",
                "ovs_hybrid_plug": False,
                "ovs_create_tap": True,
                "port_filter": True,
                "connectivity": "l2",
                "bound_drivers": {"0": "openvswitch"},
            },
        )
        (wanted,) = self.nova.call("vifs", self.server)
        device = self.plug(wanted)
        link = json.loads(self.switch.ip("-json", "-details", "link", "show", device))[0]
        self.assertEqual(
            (link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["type"], link["address"], link["mtu"]),
            ("tun", "tap", vif["address"], vif["network"]["meta"]["mtu"]),
        )
        ids = self.switch.vsctl("get", "Interface", device, "external_ids")
        for told in (f'iface-id="{vif["id"]}"', f'attached-mac="{vif["address"]}"', f'vm-uuid="{self.server.id}"'):
            self.assertIn(told, ids)
        self.assertNotIn("qbr", self.switch.ip("link", "show"))

    @pytest.mark.time_limit(300)
    def test_the_guest_gets_its_address(self) -> None:
        """What opens the device, as a hypervisor does, is answered by DHCP."""
        (vif,) = self.allocate()
        (wanted,) = self.nova.call("vifs", self.server)
        device = self.plug(wanted)
        self.await_told(vif["id"], CHANGED, PLUGGED)
        discover = frame_of(request_payload(MessageType.DISCOVER, mac=vif["address"]), source_mac=vif["address"])
        self.assertEqual([offered_address(self.switch.namespace, device, discover)], addresses(vif))

    @pytest.mark.time_limit(300)
    def test_a_port_of_the_users_stays(self) -> None:
        """A port that was there before the server is bound for it, and outlives it without a trace."""
        mine = self.create("port", network_id=self.network["id"], project_id=self.project_id)
        (vif,) = self.allocate(networks=[], ports=[mine["id"]])
        self.assertEqual((vif["id"], vif["preserve_on_delete"]), (mine["id"], True))
        self.nova.call("deallocate", self.server)
        left = self.port(mine["id"])
        self.assertEqual((left["device_id"], left["device_owner"], left["binding:vif_type"]), ("", "", "unbound"))
        self.await_told(mine["id"], CHANGED)

    @pytest.mark.time_limit(300)
    def test_one_port_is_taken_away(self) -> None:
        """The others of the server stay."""
        first, second = self.allocate(networks=[self.network["id"]] * 2)
        (left,) = self.nova.call("detach", self.server, port=first["id"])
        self.assertEqual([each["id"] for each in self.ports()], [second["id"]])
        self.assertEqual(left["id"], second["id"])
        self.await_told(first["id"], CHANGED, DELETED)

    @pytest.mark.time_limit(300)
    def test_addresses_change(self) -> None:
        """Nova adds an address; somebody else adds one, and Nova reads the port anew when it hears of it."""
        (vif,) = self.allocate()
        # Changes of a port that come close together are told once.
        self.await_told(vif["id"], CHANGED)
        (vif,) = self.nova.call("add_ip", self.server, network=self.network["id"])
        self.assertEqual(len(addresses(vif)), 2)
        self.await_told(vif["id"], CHANGED, CHANGED)
        more = [*self.port(vif["id"])["fixed_ips"], {"ip_address": "10.9.0.200"}]
        self.ask("PUT", f"/v2.0/ports/{vif['id']}", {"port": {"fixed_ips": more}})
        self.await_told(vif["id"], CHANGED, CHANGED, CHANGED)
        (vif,) = self.nova.call("info", self.server, port=vif["id"])
        self.assertIn("10.9.0.200", addresses(vif))
        self.ask("PUT", f"/v2.0/ports/{vif['id']}", {"port": {"name": "none of Nova's business"}})
        self.nova.call("index", self.server)
        self.nova.call("deallocate", self.server)
        self.await_told(vif["id"], CHANGED, CHANGED, CHANGED, DELETED)

    @pytest.mark.time_limit(300)
    def test_quotas_bound_servers(self) -> None:
        """Nova asks how many servers the ports that are left are enough for."""
        ask = {"networks": [self.network["id"]], "count": 3}
        self.assertEqual(self.nova.call("validate", self.server, **ask), 3)
        # One of them is that of DHCP.
        self.ask("PUT", f"/v2.0/quotas/{self.project_id}", {"quota": {"port": 3}})
        self.assertEqual(self.nova.call("validate", self.server, **ask), 2)

    @pytest.mark.time_limit(300)
    def test_a_host_that_nobody_knows(self) -> None:
        """Nova is told that the port could not be bound, and leaves nothing behind."""
        error = self.assertRaises(NovaError, self.allocate, host="nowhere")
        self.assertEqual(error.name, "PortBindingFailed")
        self.assertEqual(self.ports(), [])

    @pytest.mark.time_limit(300)
    def test_no_secret_is_logged(self) -> None:
        """Neither the password nor a token, at level debug."""
        (vif,) = self.allocate()
        self.await_told(vif["id"], CHANGED)
        log = self.appliance.log()
        self.assertIn("told Nova network-changed", log)
        tokens = {headers["X-Auth-Token"] for headers in self.compute.api.requests}
        secrets = {self.service.password, self.nova.service.password, *tokens}
        self.assertEqual([secret for secret in secrets if secret in log], [])


class MoveTests(Case):
    """A server moves to another host; packets follow when hosts are connected by tunnels."""

    def setUp(self) -> None:
        """A second host, which once reported, and a server with a device on the first."""
        super().setUp()
        with closing(sqlite3.connect(self.appliance.directory / "quantumd.sqlite", timeout=10)) as database:
            database.execute(
                "INSERT OR IGNORE INTO hosts (host, role, quantumd_version, vif_type, vif_details, reported_at)"
                " SELECT ?, role, quantumd_version, vif_type, vif_details, reported_at FROM hosts"
                " WHERE host = ? AND role = 'l2'",
                (OTHER_HOST, HOST),
            )
            database.commit()
        (self.vif,) = self.allocate()
        (wanted,) = self.nova.call("vifs", self.server)
        self.plug(wanted)
        self.await_told(self.vif["id"], CHANGED, PLUGGED)

    def bindings(self) -> dict[str, str]:
        """Return the status of each of the port's bindings, by host."""
        found = self.ask("GET", f"/v2.0/ports/{self.vif['id']}/bindings")["bindings"]
        return {each["host"]: each["status"] for each in found}

    @pytest.mark.time_limit(300)
    def test_it_moves_while_it_runs(self) -> None:
        """Bound to both hosts, activated on the second, then bound to that one only."""
        told = self.nova.call("bind", self.server, host=OTHER_HOST)[self.vif["id"]]
        self.assertEqual((told["vif_type"], told["status"]), ("ovs", "INACTIVE"))
        self.assertEqual(told["vif_details"]["bridge_name"], self.switch.bridge)
        self.assertEqual(self.bindings(), {HOST: "ACTIVE", OTHER_HOST: "INACTIVE"})
        self.assertEqual(self.port(self.vif["id"])["status"], "ACTIVE")
        self.nova.call("migrate_start", self.server, to=OTHER_HOST)
        self.assertEqual(self.bindings(), {HOST: "INACTIVE", OTHER_HOST: "ACTIVE"})
        self.wait_until(lambda: UNPLUGGED in self.told(self.vif["id"]))
        self.assertEqual(self.told(self.vif["id"])[:3], [CHANGED, PLUGGED, UNPLUGGED])
        self.nova.call("migrate_finish", self.server, to=OTHER_HOST)
        self.assertEqual(self.bindings(), {OTHER_HOST: "ACTIVE"})

    @pytest.mark.time_limit(300)
    def test_a_move_fails(self) -> None:
        """The binding to the destination goes; nothing has happened to the guest."""
        self.nova.call("bind", self.server, host=OTHER_HOST)
        self.nova.call("unbind", self.server, port=self.vif["id"], host=OTHER_HOST)
        self.nova.call("unbind", self.server, port=self.vif["id"], host=OTHER_HOST)
        self.assertEqual(self.bindings(), {HOST: "ACTIVE"})
        self.assertEqual(self.told(self.vif["id"]), [CHANGED, PLUGGED])

    @pytest.mark.time_limit(300)
    def test_a_destination_that_nobody_knows(self) -> None:
        """The move is refused before it begins."""
        error = self.assertRaises(NovaError, self.nova.call, "bind", self.server, host="nowhere")
        self.assertEqual(error.name, "PortBindingFailed")
        self.assertEqual(self.bindings(), {HOST: "ACTIVE"})

    @pytest.mark.time_limit(300)
    def test_it_is_rebuilt_elsewhere(self) -> None:
        """An evacuation binds the port to another host, without the first."""
        self.nova.call("setup_on_host", self.server, host=OTHER_HOST)
        moved = self.port(self.vif["id"])
        self.assertEqual((moved["binding:host_id"], moved["binding:vif_type"]), (OTHER_HOST, "ovs"))
        self.assertEqual((moved["status"], moved["device_owner"]), ("DOWN", "compute:nova"))
        self.nova.call("cleanup_on_host", self.server, host=HOST)
        self.assertEqual(self.bindings(), {OTHER_HOST: "ACTIVE"})


def addresses(vif: Any) -> list[str]:
    """Return the addresses of one of a server's devices, as Nova has them."""
    return [ip["address"] for subnet in vif["network"]["subnets"] for ip in subnet["ips"]]
