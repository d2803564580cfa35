"""From a REST request to a lease and a ping, through a real Open vSwitch. Needs root."""

from __future__ import annotations

from pathlib import Path

from tests.bed.dhcp_client import Lease, dhclient, udhcpc
from tests.bed.host import HostCase
from tests.bed.needs import OVS, missing

SUBNET = {"dns_nameservers": ["9.9.9.9"], "host_routes": [{"destination": "10.8.0.0/16", "nexthop": "10.0.0.9"}]}


class FirstPingTests(HostCase):
    """One host, and what a user does with it."""

    skip = missing(*OVS, "ping", "udhcpc", "dhclient")

    def expect_lease(self, lease: Lease, address: str) -> None:
        """All that the network says is in the lease."""
        expected = {
            "ip_address": address,
            "prefix_length": 24,
            "server": "10.0.0.2",
            "lease_seconds": 86_400,
            "router": "10.0.0.1",
            "routes": (("10.8.0.0/16", "10.0.0.9"), ("0.0.0.0/0", "10.0.0.1")),
            "dns_servers": ("9.9.9.9",),
            "mtu_bytes": 1500,
            "domain": "openstacklocal",
            "host_name": f"host-{address.replace('.', '-')}",
        }
        self.assertEqual({name: getattr(lease, name) for name in expected}, expected)

    def test_two_vms_get_leases_and_ping_each_other(self) -> None:
        """With udhcpc in one and dhclient in the other; ports are DOWN before and ACTIVE after they are plugged."""
        network = self.make_network("10.0.0.0/24", subnet=SUBNET)
        first, second = self.make_guest(network), self.make_guest(network)
        self.assertEqual((first.port["status"], second.port["status"]), ("DOWN", "DOWN"))
        self.plug(first, second)
        directory = Path(self.mktemp())
        self.expect_lease(udhcpc(first.vm, directory), first.ip)
        self.expect_lease(dhclient(second.vm, directory), second.ip)
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))

    def test_unplugging_makes_a_port_down_and_plugging_it_again_active(self) -> None:
        """By what the switch says, without a word to the API."""
        network = self.make_network("10.0.0.0/24")
        guest, other = self.plugged(network), self.plugged(network)
        self.ovs.unplug(guest.vm)
        self.appliance.await_status(guest.id, "DOWN")
        self.assertEqual(self.status_of(other), "ACTIVE")
        self.assertFalse(self.flows_with(guest.mac))
        self.plug(guest)
        self.assertTrue(guest.can_reach(other.ip))

    def test_static_ipv6_addresses_reach_each_other(self) -> None:
        """A subnet without modes: addresses are set by hand, neighbours are found through the network's flood."""
        network = self.make_network("2001:db8::/64")
        first, second = self.plugged(network), self.plugged(network)
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))

    def test_a_port_with_both_versions_has_both(self) -> None:
        """One address of each subnet; the IPv4 one is leased."""
        network = self.make_network("10.0.0.0/24", "2001:db8::/64")
        guest = self.make_guest(network)
        versions = sorted(":" in item["ip_address"] for item in guest.port["fixed_ips"])
        self.assertEqual(versions, [False, True])
        self.plug(guest)
        ipv4 = next(item["ip_address"] for item in guest.port["fixed_ips"] if ":" not in item["ip_address"])
        self.assertEqual(udhcpc(guest.vm, Path(self.mktemp())).ip_address, ipv4)

    def test_a_plugged_port_is_bound_to_this_host(self) -> None:
        """As Nova would have had it bound."""
        guest = self.make_guest(self.make_network("10.0.0.0/24"))
        self.assertEqual((guest.port["binding:host_id"], guest.port["binding:vif_type"]), ("", "unbound"))
        self.plug(guest)
        port = self.appliance.show("port", guest.id)
        self.assertEqual((port["binding:host_id"], port["binding:vif_type"]), ("host-a", "ovs"))
        details = port["binding:vif_details"]
        self.assertEqual((details["bridge_name"], details["datapath_type"]), ("br-int", "netdev"))

    def test_nova_binds_a_port_before_it_plugs_it(self) -> None:
        """PUT with binding:host_id answers how to plug; the port is DOWN until it is."""
        guest = self.make_guest(self.make_network("10.0.0.0/24"))
        bound = self.update("port", guest.id, **{"binding:host_id": "host-a", "device_owner": "compute:nova"})
        self.assertEqual((bound["binding:vif_type"], bound["status"]), ("ovs", "DOWN"))
        self.plug(guest)

    def test_the_dhcp_port_of_the_network_is_distributed_and_answers_pings(self) -> None:
        """One port in the API, an address of the subnet, answered by flows on this host."""
        network = self.make_network("10.0.0.0/24")
        guest = self.plugged(network)
        path = f"/v2.0/ports?device_owner=network:dhcp&network_id={network['id']}"
        (port,) = self.appliance.request("GET", path).body["ports"]
        self.assertEqual((port["binding:vif_type"], port["status"]), ("distributed", "ACTIVE"))
        self.assertTrue(guest.can_reach(port["fixed_ips"][0]["ip_address"]))


class PortChangeTests(HostCase):
    """What is changed while VMs are plugged, packets obey."""

    def setUp(self) -> None:
        """Two VMs that reach each other."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24")
        self.guest, self.other = self.plugged(self.network), self.plugged(self.network)
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def expect_silence(self) -> None:
        """Neither reaches the other."""
        self.assertFalse(self.guest.can_reach(self.other.ip, tries=1))
        self.assertFalse(self.other.can_reach(self.guest.ip, tries=1))

    def test_a_deleted_port_is_dead_though_it_is_plugged(self) -> None:
        """Its flows and its meter go; its device is still on the bridge."""
        number = self.ofport(self.guest)
        self.assertTrue(self.flows_with(f"in_port={number},"))
        self.delete("port", self.guest.id)
        self.wait_for("its flows go", lambda: not self.flows_with(f"in_port={number},"))
        self.assertFalse(self.flows_with(self.guest.mac))
        self.assertNotIn(f"meter={number} ", self.ovs.ofctl("dump-meters"))
        self.expect_silence()

    def test_a_disabled_port_is_down_and_carries_nothing_until_it_is_enabled(self) -> None:
        """admin_state_up false and true."""
        self.assertEqual(self.update("port", self.guest.id, admin_state_up=False)["status"], "DOWN")
        self.wait_for("its flows go", lambda: not self.flows_with(self.guest.mac))
        self.expect_silence()
        self.assertEqual(self.status_of(self.guest), "DOWN")
        self.update("port", self.guest.id, admin_state_up=True)
        self.appliance.await_status(self.guest.id)
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def test_a_disabled_network_carries_nothing_until_it_is_enabled(self) -> None:
        """All of its ports are DOWN meanwhile."""
        self.update("network", self.network["id"], admin_state_up=False)
        self.assertEqual((self.status_of(self.guest), self.status_of(self.other)), ("DOWN", "DOWN"))
        self.wait_for("its flows go", lambda: not self.flows_with(self.guest.mac))
        self.expect_silence()
        self.update("network", self.network["id"], admin_state_up=True)
        for guest in (self.guest, self.other):
            self.appliance.await_status(guest.id)
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def test_a_port_moved_to_an_unknown_host_carries_nothing_here(self) -> None:
        """It is DOWN, its binding has failed; moved back it works again."""
        moved = self.update("port", self.guest.id, **{"binding:host_id": "nowhere"})
        self.assertEqual((moved["status"], moved["binding:vif_type"]), ("DOWN", "binding_failed"))
        self.wait_for("its flows go", lambda: not self.flows_with(self.guest.mac))
        self.expect_silence()
        self.update("port", self.guest.id, **{"binding:host_id": "host-a"})
        self.appliance.await_status(self.guest.id)
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def test_a_device_with_an_unknown_iface_id_stays_dead(self) -> None:
        """No flow is made for it, and nothing that it sends arrives."""
        before = len(self.flows_with("actions"))
        vm = self.ovs.make_vm("00000000-0000-4000-8000-000000000bad", "fa:16:3e:00:0b:ad")
        self.ovs.plug(vm)
        ports = self.appliance.request("GET", "/v2.0/ports").body["ports"]
        taken = {item["ip_address"] for port in ports for item in port["fixed_ips"]}
        free = next(f"10.0.0.{last}" for last in range(250, 1, -1) if f"10.0.0.{last}" not in taken)
        vm.run("ip", "address", "add", f"{free}/24", "dev", "eth0")
        self.wait_for("the switch has it", lambda: bool(self.flows_with("actions")))
        self.assertFalse(self.other.can_reach(free, tries=2))
        self.assertEqual(len(self.flows_with("actions")), before)

    def test_a_new_mac_of_an_unbound_port_is_obeyed_when_it_is_plugged(self) -> None:
        """The VM has the new one, and its flows too."""
        port = self.appliance.create("port", network_id=self.network["id"])
        changed = self.update("port", port["id"], mac_address="fa:16:3e:aa:bb:cc")
        vm = self.ovs.make_vm(port["id"], changed["mac_address"])
        self.ovs.plug(vm)
        self.appliance.await_status(port["id"])
        vm.run("ip", "address", "add", f"{port['fixed_ips'][0]['ip_address']}/24", "dev", "eth0")
        self.assertTrue(self.other.can_reach(port["fixed_ips"][0]["ip_address"]))
        self.assertFalse(self.flows_with(port["mac_address"]))

    def test_a_new_address_of_a_plugged_port_is_leased(self) -> None:
        """The port stays ACTIVE, and a client that asks again is given the new address."""
        fixed = [{"ip_address": "10.0.0.77"}]
        self.assertEqual(self.update("port", self.guest.id, fixed_ips=fixed)["status"], "ACTIVE")
        self.guest.vm.run("ip", "address", "flush", "dev", "eth0")
        directory = Path(self.mktemp())
        self.wait_for("it is leased", lambda: udhcpc(self.guest.vm, directory).ip_address == "10.0.0.77")

    def test_a_port_whose_device_is_missing_stays_down(self) -> None:
        """The bridge lists it, the machine has no such device; it becomes ACTIVE when the device is there."""
        guest = self.make_guest(self.network)
        self.ovs.vsctl(
            "add-port", "br-int", "tapmissing", "--", "set", "interface", "tapmissing",
            f"external_ids:iface-id={guest.id}",
        )  # fmt: skip
        self.addCleanup(self.ovs.vsctl, "del-port", "br-int", "tapmissing")
        self.assertEqual(self.ovs.vsctl("get", "interface", "tapmissing", "ofport").strip(), "-1")
        self.assertEqual(self.status_of(guest), "DOWN")
        self.plug(guest)
