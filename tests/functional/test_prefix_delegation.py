"""Prefixes that Kea delegates to routers, and VMs that number themselves by them."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from tests.bed.figures import note
from tests.bed.host import Guest
from tests.bed.needs import OVS, missing
from tests.bed.provider import INTERNET, PROGRAM, Provider, addresses_of
from tests.bed.routed import RouterCase

OUTSIDE = "2001:db8:0:1::/64"
PROVIDERS = "2001:db8:0:1::1"
SLAAC = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
PROVISIONAL = "::/64"
PATIENCE_SECONDS = 20.0


class DelegationCase(RouterCase):
    """A provider on an external network."""

    skip = missing(*OVS, "ping", "nft", "conntrack", PROGRAM)
    valid_seconds = 3600
    has_dhcp = False
    """Whether quantumd answers DHCPv6 outside itself."""

    def setUp(self) -> None:
        """Make the outside, and the provider who delegates there."""
        super().setUp()
        self.outside = self.make_outside()
        outer = {"cidr": OUTSIDE, "ip_version": 6, "gateway_ip": PROVIDERS, "enable_dhcp": self.has_dhcp}
        self.appliance.create("subnet", network_id=self.outside["id"], **outer)
        guest = self.make_guest(self.outside, fixed_ips=[{"ip_address": PROVIDERS}], port_security_enabled=False)
        self.plug(guest)
        guest.configure(64)
        where = self.directory / "provider" / self.id().rpartition(".")[2]
        self.provider = Provider(guest, where, OUTSIDE, valid_seconds=self.valid_seconds)
        self.provider.be_internet()
        self.addCleanup(self.provider.stop)

    def tenant(self, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a network and its subnet whose prefix is to be delegated."""
        network = self.appliance.create("network")
        subnet = self.appliance.create(
            "subnet", network_id=network["id"], ip_version=6, subnetpool_id="prefix_delegation", **SLAAC, **more
        )
        return network, subnet

    def prefix_of(self, subnet: Mapping[str, Any]) -> str:
        """Return the prefix that a subnet has now."""
        return str(self.appliance.show("subnet", subnet["id"])["cidr"])

    def await_prefix(self, subnet: Mapping[str, Any], other_than: str = PROVISIONAL) -> str:
        """Wait until a subnet has another prefix, and return it."""
        begun = time.monotonic()
        self.wait_for(
            "there is a prefix", lambda: self.prefix_of(subnet) not in (PROVISIONAL, other_than), PATIENCE_SECONDS
        )
        note(f"{self.id().rpartition('.')[2]}: a prefix after {time.monotonic() - begun:.1f} s")
        return self.prefix_of(subnet)

    def gateway_address(self, router: Mapping[str, Any]) -> str:
        """Return the address of a router outside."""
        found = self.appliance.show("router", router["id"])["external_gateway_info"]["external_fixed_ips"]
        return next(str(each["ip_address"]) for each in found if ":" in each["ip_address"])

    def plain(self, network: Mapping[str, Any]) -> Guest:
        """Create a port and plug a VM that nothing is set in by hand."""
        guest = self.make_guest(network)
        self.plug(guest)
        return guest

    def address_of(self, guest: Guest) -> str:
        """Return the address that the API says a guest has now."""
        return str(self.appliance.show("port", guest.id)["fixed_ips"][0]["ip_address"])

    def await_own_address(self, guest: Guest) -> str:
        """Wait until the VM has made itself the address of its port, and return it."""
        self.wait_for(
            "the VM has the address of its port",
            lambda: self.address_of(guest) in addresses_of(guest.vm.namespace),
            PATIENCE_SECONDS,
        )
        return self.address_of(guest)


class DelegationTests(DelegationCase):
    """From nothing to the outside, and back."""

    def stand(self, **more: Any) -> tuple[dict[str, Any], dict[str, Any], Guest, str]:
        """Return a subnet, a router between it and the outside, a VM, and the prefix; all is open."""
        network, subnet = self.tenant(**more)
        guest = self.plain(network)
        router = self.make_router(network, outside=self.outside)
        prefix = self.await_prefix(subnet)
        self.provider.send(prefix, self.gateway_address(router))
        self.await_own_address(guest)
        self.assertTrue(guest.can_reach(INTERNET, tries=50))
        return subnet, router, guest, prefix

    def test_a_vm_reaches_the_outside_by_a_delegated_prefix(self) -> None:
        """Subnet, gateway, pools, ports and the VM itself follow."""
        self.provider.start()
        network, subnet = self.tenant()
        self.assertEqual((subnet["cidr"], subnet["gateway_ip"]), (PROVISIONAL, "::1"))
        guest = self.plain(network)
        self.assertEqual(self.address_of(guest)[:2], "::")
        router = self.make_router(network, outside=self.outside)
        prefix = self.await_prefix(subnet)
        begin = prefix.removesuffix("/64")
        now = self.appliance.show("subnet", subnet["id"])
        self.assertEqual(now["gateway_ip"], f"{begin}1")
        self.assertEqual(now["allocation_pools"][0]["start"], f"{begin}2")
        self.assertIn(prefix, self.provider.leases())
        self.provider.send(prefix, self.gateway_address(router))
        self.assertTrue(self.await_own_address(guest).startswith(begin.removesuffix(":")))
        self.assertTrue(guest.can_reach(INTERNET, tries=50))
        self.assertIn(begin, self.inside_router(router, "ip", "-6", "address"))

    def test_two_tenants_have_prefixes_of_their_own(self) -> None:
        """On one external network; they reach each other by it, as anybody does."""
        self.provider.start()
        *_, one, first = self.stand()
        *_, other, second = self.stand()
        self.assertNotEqual(first, second)
        self.assertEqual({first, second}, set(self.provider.leases()))
        metrics = self.appliance.metrics()
        self.assertEqual(metrics['quantumd_delegated_prefixes{state="held"}'], 2)
        self.assertEqual(metrics['quantumd_delegated_prefixes{state="awaited"}'], 0)
        self.assertEqual(len(set(self.provider.leases().values())), 2)
        # Security groups let others in by no rule.
        for guest in (one, other):
            self.update("port", guest.id, port_security_enabled=False, security_groups=[])
        self.assertTrue(one.can_reach(self.address_of(other)))

    def test_one_router_has_a_prefix_for_each_subnet(self) -> None:
        """And IPv4 beside them."""
        self.provider.start()
        subnet, router, _, prefix = self.stand()
        _, second = self.tenant()
        self.change_interface(router, "add", subnet_id=second["id"])
        self.assertNotEqual(self.await_prefix(second), prefix)
        self.assertEqual(self.prefix_of(subnet), prefix)
        self.assertEqual(len(self.provider.leases()), 2)

    def test_what_is_longer_than_needed_is_used_from_its_beginning(self) -> None:
        """Providers give sites more than one network."""
        self.provider.length = 60
        self.provider.start()
        *_, prefix = self.stand()
        self.assertTrue(prefix.endswith("0::/64"), prefix)
        self.assertEqual(list(self.provider.leases()), [prefix.replace("/64", "/60")])

    def test_an_interface_that_goes_gives_its_prefix_back(self) -> None:
        """At once; the subnet has none then, and the VM begins nothing more with it."""
        self.provider.start()
        subnet, router, guest, _ = self.stand()
        self.change_interface(router, "remove", subnet_id=subnet["id"])
        self.assertEqual(self.prefix_of(subnet), PROVISIONAL)
        self.assertEqual(self.address_of(guest)[:2], "::")
        self.wait_for("it is given back", lambda: not self.provider.leases())
        self.change_interface(router, "add", subnet_id=subnet["id"])
        again = self.await_prefix(subnet)
        self.provider.send(again, self.gateway_address(router))
        self.await_own_address(guest)
        self.assertTrue(guest.can_reach(INTERNET, tries=50))

    def test_a_gateway_that_goes_gives_all_prefixes_back(self) -> None:
        """Before its device goes; VMs are told that their addresses are no good for anything new."""
        self.provider.start()
        subnet, router, guest, _ = self.stand()
        self.update("router", router["id"], external_gateway_info={})
        self.assertEqual(self.prefix_of(subnet), PROVISIONAL)
        self.wait_for("it is given back", lambda: not self.provider.leases())
        self.wait_for("the VM's address is deprecated", lambda: not addresses_of(guest.vm.namespace))
        self.update("router", router["id"], external_gateway_info={"network_id": self.outside["id"]})
        self.await_prefix(subnet)

    def test_a_router_that_is_disabled_keeps_its_prefix(self) -> None:
        """Nobody is numbered anew for a pause."""
        self.provider.start()
        subnet, router, guest, prefix = self.stand()
        self.update("router", router["id"], admin_state_up=False)
        self.wait_for("it is gone", lambda: not guest.can_reach(INTERNET, tries=1))
        self.update("router", router["id"], admin_state_up=True)
        self.assertTrue(guest.can_reach(INTERNET, tries=50))
        self.assertEqual((self.prefix_of(subnet), list(self.provider.leases())), (prefix, [prefix]))

    def test_a_restart_of_quantumd_numbers_nobody_anew(self) -> None:
        """Stopped or killed: it goes on with the lease, asks nothing, and no packet is lost."""
        self.provider.start()
        subnet, _, guest, prefix = self.stand()
        asked = self.provider.log().count("DHCP6_PACKET_RECEIVED")
        for end in (self.appliance.stop, self.appliance.kill):
            with Pings(guest, INTERNET) as pings:
                end()
                self.appliance.start("/readyz")
                time.sleep(1)
            note(f"restart: {pings.lost} of {pings.sent} pings by a delegated prefix lost")
            self.assertEqual(pings.lost, 0)
            self.assertEqual(self.prefix_of(subnet), prefix)
        self.assertEqual(self.provider.log().count("DHCP6_PACKET_RECEIVED"), asked)

    def test_a_host_that_has_lost_its_notes_asks_for_the_same_prefix(self) -> None:
        """The server knows which one it is."""
        self.provider.start()
        subnet, _, guest, prefix = self.stand()
        self.appliance.stop()
        (self.appliance.directory / "delegated-prefixes.json").unlink()
        with Pings(guest, INTERNET) as pings:
            self.appliance.start("/readyz")
            self.wait_for("it asks who has it", lambda: "REBIND" in self.provider.log())
            self.wait_for(
                "it knows its lease again",
                lambda: (self.appliance.directory / "delegated-prefixes.json").exists(),
            )
        self.assertEqual((pings.lost, self.prefix_of(subnet)), (0, prefix))


class ServedTests(DelegationCase):
    """On an external network where quantumd gives VMs their addresses itself."""

    has_dhcp = True

    def test_the_provider_is_asked_all_the_same(self) -> None:
        """Routers ask others, and are not answered by their own host."""
        self.provider.start()
        network, subnet = self.tenant()
        self.make_router(network, outside=self.outside)
        self.assertIn(self.await_prefix(subnet), self.provider.leases())


class TimeTests(DelegationCase):
    """With leases of 36 seconds, renewed after 12 and rebound after 24."""

    valid_seconds = 36

    def setUp(self) -> None:
        """Have a VM that reaches the outside."""
        super().setUp()
        self.provider.start()
        network, self.subnet = self.tenant()
        self.guest = self.plain(network)
        self.router = self.make_router(network, outside=self.outside)
        self.prefix = self.await_prefix(self.subnet)
        self.provider.send(self.prefix, self.gateway_address(self.router))
        self.await_own_address(self.guest)
        self.assertTrue(self.guest.can_reach(INTERNET, tries=50))

    def test_a_lease_is_renewed_and_a_server_may_be_away_for_a_while(self) -> None:
        """Beyond the first lease nothing has changed, also while nobody answered."""
        with Pings(self.guest, INTERNET) as pings:
            self.wait_for("it is renewed", lambda: "RENEW" in self.provider.log(), 20)
            self.provider.stop()
            time.sleep(15)
            self.provider.start()
            self.wait_for("it is bound again", lambda: self.provider.log().count("PD_LEASE_RENEW") > 0, 30)
            time.sleep(15)
        self.assertEqual((pings.lost, self.prefix_of(self.subnet)), (0, self.prefix))

    def test_another_prefix_numbers_the_network_anew(self) -> None:
        """The old one is good for nothing new, and the VM has the new one at once."""
        self.provider.stop()
        self.provider.forget()
        self.provider.pool = "2001:db8:200::/40"
        self.provider.start()
        other = self.await_prefix(self.subnet, other_than=self.prefix)
        self.assertTrue(other.startswith("2001:db8:2"), other)
        self.provider.send(other, self.gateway_address(self.router))
        own = self.await_own_address(self.guest)
        self.assertEqual(addresses_of(self.guest.vm.namespace), [own])
        self.assertTrue(self.guest.can_reach(INTERNET, tries=50))

    def test_a_lease_that_nobody_renews_ends(self) -> None:
        """And begins anew when there is a server again."""
        self.provider.stop()
        self.wait_for("there is no prefix", lambda: self.prefix_of(self.subnet) == PROVISIONAL, 45)
        self.wait_for("the VM's address is deprecated", lambda: not addresses_of(self.guest.vm.namespace))
        self.provider.start()
        self.wait_for("there is a prefix again", lambda: self.prefix_of(self.subnet) != PROVISIONAL, 40)


class Pings:
    """Pings of a guest, ten a second, while a block runs."""

    def __init__(self, guest: Guest, target: str) -> None:
        self._command: tuple[str, ...] = (
            "ip",
            "netns",
            "exec",
            guest.vm.namespace,
            "ping",
            "-n",
            "-q",
            "-i",
            "0.1",
            target,
        )
        self.sent = self.received = 0

    @property
    def lost(self) -> int:
        """How many got no answer."""
        return self.sent - self.received

    def __enter__(self) -> Pings:
        """Begin."""
        self._process: subprocess.Popen[str] = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        """End when the last answer had its time."""
        time.sleep(0.3)
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=10)[0]
        found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        if found is None:
            raise AssertionError(said)
        self.sent, self.received = int(found[1]), int(found[2])
