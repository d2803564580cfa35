"""What leaves by a gateway and comes in by floating IPs, with real packets."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk
from tests.bed.wire import Wire


def _seen_as(guest: Guest, address: str) -> str:
    """Return by which address somebody knows a VM that speaks to him, '' while he does not answer."""
    with contextlib.suppress(OSError), Talk(guest, address) as talk:
        return talk.seen_as(1.0)
    return ""


class OutsideTests(RouterCase):
    """From inside to outside."""

    def test_what_leaves_has_the_address_of_the_gateway(self) -> None:
        """Nobody outside knows the inner one."""
        network, outside = self.make_network("10.0.0.0/24"), self.make_outside()
        router = self.make_router(network, outside=outside)
        guest, world = self.routed(network), self.open_guest(outside)
        own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        with Server(world), Talk(guest, world.ip) as talk:
            self.assertEqual(talk.seen_as(), own)

    def test_translation_that_is_switched_off_ends_what_it_translated(self) -> None:
        """And nothing that goes between networks inside."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        outside = self.make_outside()
        router = self.make_router(red, blue, outside=outside)
        own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        one, two, world = self.open_guest(red), self.open_guest(blue), self.open_guest(outside)
        with Server(world), Server(two), Talk(one, world.ip) as outwards, Talk(one, two.ip) as across:
            self.assertEqual((outwards.seen_as(), across.seen_as()), (own, one.ip))
            gateway = {"network_id": outside["id"], "enable_snat": False}
            self.update("router", router["id"], external_gateway_info=gateway)
            self.wait_for("it is over", lambda: not outwards.seen_as(1.0))
            self.assertEqual(across.seen_as(), one.ip)

    def test_a_gateway_and_its_floating_ips_are_announced(self) -> None:
        """On the link outside, by ARP: whoever knew the addresses by another MAC knows better at once."""
        network, outside = self.make_network("10.0.0.0/24"), self.make_outside()
        guest, world = self.plugged(network), self.open_guest(outside)
        with Wire(world.vm.namespace) as wire:
            router = self.make_router(network, outside=outside)
            own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
            self._await_announcement(wire, own, router)
            self._await_announcement(wire, self.make_floating(outside, guest)["floating_ip_address"], router)

    def _await_announcement(self, wire: Wire, address: str, router: Mapping[str, Any]) -> None:
        query = f"/v2.0/ports?device_id={router['id']}&device_owner=network:router_gateway"
        (gateway,) = self.appliance.request("GET", query).body["ports"]
        sender = bytes.fromhex(gateway["mac_address"].replace(":", "")) + IPv4Address(address).packed
        # To everybody; ARP; of who sends it.
        told = wire.await_frame(
            lambda data: data[:6] == b"\xff" * 6 and data[12:14] == b"\x08\x06" and data[22:32] == sender, 10.0
        )
        self.assertIsNotNone(told, address)

    def test_without_translation_the_address_stays(self) -> None:
        """The world must know the way back."""
        network, outside = self.make_network("10.0.0.0/24"), self.make_outside()
        router = self.make_router(network, outside=outside)
        own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        guest, world = self.routed(network), self.open_guest(outside)
        gateway = {"network_id": outside["id"], "enable_snat": False}
        self.update("router", router["id"], external_gateway_info=gateway)
        world.vm.run("ip", "route", "add", "10.0.0.0/24", "via", own)
        with Server(world):
            self.wait_for("it is not translated", lambda: _seen_as(guest, world.ip) == guest.ip)

    def test_tenants_with_the_same_addresses_both_reach_outside(self) -> None:
        """Each by its own router, at the same time, and floating IPs land on the right VM."""
        outside = self.make_outside()
        networks = [self.make_network("10.0.0.0/24") for _ in range(2)]
        for network in networks:
            self.make_router(network, outside=outside)
        fixed = {"fixed_ips": [{"ip_address": "10.0.0.50"}]}
        guests = [self.open_guest(network, **fixed) for network in networks]
        world = self.open_guest(outside)
        for guest in guests:
            self.assertTrue(guest.can_reach(world.ip))
        floating = [self.make_floating(outside, guest)["floating_ip_address"] for guest in guests]
        with Server(guests[0], 6000), Server(guests[1], 6001):
            for number, address in enumerate(floating):
                with Talk(world, address, 6000 + number) as talk:
                    self.assertEqual(talk.seen_as(), world.ip)
                self.assertRaises(OSError, Talk, world, address, 6001 - number)

    def test_a_second_subnet_outside(self) -> None:
        """Its hosts are on the link too, and floating IPs of it lead in and out, though the router has no other one."""
        network, outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.make_router(network, outside=outside)
        guest, world = self.open_guest(network), self.open_guest(outside)
        self.assertTrue(guest.can_reach(world.ip))
        said = {"network_id": outside["id"], "cidr": "198.18.0.0/24", "ip_version": 4, "enable_dhcp": False}
        second = self.appliance.create("subnet", **said)["id"]
        near = self.plugged(outside, port_security_enabled=False, fixed_ips=[{"subnet_id": second}])
        led = {"floating_network_id": outside["id"], "subnet_id": second, "port_id": guest.id}
        floating = self.appliance.create("floatingip", **led)
        self.await_floating(floating, "ACTIVE")
        with Server(guest), Talk(near, floating["floating_ip_address"]) as talk:
            self.assertEqual(talk.seen_as(), near.ip)
        with Server(near), Talk(guest, near.ip) as talk:
            self.assertEqual(talk.seen_as(), floating["floating_ip_address"])


class FloatingTests(RouterCase):
    """In by floating IPs."""

    def setUp(self) -> None:
        """A router with a network of two VMs, and the world."""
        super().setUp()
        self.network, self.outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(self.network, outside=self.outside)
        self.guest, self.other = self.open_guest(self.network), self.open_guest(self.network)
        self.world = self.open_guest(self.outside)

    def test_both_ways_by_the_floating_ip(self) -> None:
        """The VM sees who comes; the world sees the floating IP."""
        address = self.make_floating(self.outside, self.guest)["floating_ip_address"]
        with Server(self.guest), Talk(self.world, address) as talk:
            self.assertEqual(talk.seen_as(), self.world.ip)
        with Server(self.world), Talk(self.guest, self.world.ip) as talk:
            self.assertEqual(talk.seen_as(), address)

    def test_from_inside_to_a_floating_ip(self) -> None:
        """The neighbour's, and its own; the answers come from where they were asked."""
        mine = self.make_floating(self.outside, self.guest)["floating_ip_address"]
        with Server(self.guest):
            with Talk(self.other, mine) as talk:
                own = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
                self.assertEqual(talk.seen_as(), own)
            theirs = self.make_floating(self.outside, self.other)["floating_ip_address"]
            with Talk(self.other, mine) as talk:
                self.assertEqual(talk.seen_as(), theirs)
            with Talk(self.guest, mine) as talk:
                self.assertEqual(talk.seen_as(), mine)

    def test_a_floating_ip_that_is_taken_away_ends_its_connections_and_no_others(self) -> None:
        """In and out; those of other floating IPs and of the gateway's address go on."""
        mine = self.make_floating(self.outside, self.guest)
        theirs = self.make_floating(self.outside, self.other)
        third = self.open_guest(self.network)
        with (
            Server(self.guest),
            Server(self.other),
            Server(self.world),
            Talk(self.world, mine["floating_ip_address"]) as coming,
            Talk(self.guest, self.world.ip) as leaving,
            Talk(self.world, theirs["floating_ip_address"]) as neighbours,
            Talk(third, self.world.ip) as translated,
        ):
            for talk in (coming, leaving, neighbours, translated):
                self.assertTrue(talk.seen_as())
            self.update("floatingip", mine["id"], port_id=None)
            self.await_floating(mine, "DOWN")
            self.wait_for("it leads nowhere", lambda: not self.world.can_reach(mine["floating_ip_address"], tries=1))
            self.assertEqual((coming.seen_as(1.0), leaving.seen_as(1.0)), ("", ""))
            self.assertTrue(neighbours.seen_as())
            self.assertTrue(translated.seen_as())

    def test_a_floating_ip_moves(self) -> None:
        """From one VM to the other; who is connected to the first is not suddenly connected to the second."""
        floating = self.make_floating(self.outside, self.guest)
        address = floating["floating_ip_address"]
        with Server(self.guest), Server(self.other, 6000), Talk(self.world, address) as before:
            self.assertTrue(before.seen_as())
            self.update("floatingip", floating["id"], port_id=self.other.id)
            self.await_floating(floating, "ACTIVE")
            self.assertEqual(before.seen_as(1.0), "")
            with Talk(self.world, address, 6000) as talk:
                self.assertEqual(talk.seen_as(), self.world.ip)

    def test_a_floating_ip_moves_to_another_router(self) -> None:
        """Neighbours outside find it there; VMs of the first leave by its gateway again."""
        floating = self.make_floating(self.outside, self.guest)
        address = floating["floating_ip_address"]
        elsewhere = self.make_network("10.0.1.0/24")
        router = self.make_router(elsewhere, outside=self.outside)
        far = self.open_guest(elsewhere)
        own = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        with Server(self.guest), Server(far), Server(self.world), Talk(self.world, address) as before:
            self.assertTrue(before.seen_as())
            moved = self.update("floatingip", floating["id"], port_id=far.id)
            self.assertEqual(moved["router_id"], router["id"])
            self.await_floating(floating, "ACTIVE")
            self.wait_for("it is over", lambda: not before.seen_as(1.0))
            # Who learned within a second by which MAC it was hears no announcement of another one (arp(7), locktime);
            # the first router sends on what still comes to it. Announcements are repeated after 1 s and 3 s.
            self.wait_for("the world has heard", lambda: _seen_as(self.world, address) == self.world.ip, 4.0)
            with Talk(far, self.world.ip) as leaving:
                self.assertEqual(leaving.seen_as(), address)
            with Talk(self.guest, self.world.ip) as translated:
                self.assertEqual(translated.seen_as(), own)

    def test_a_connection_that_leaves_by_the_gateway_survives_a_new_floating_ip(self) -> None:
        """What was there before goes on as it was; what comes after has the new address."""
        with Server(self.world), Talk(self.guest, self.world.ip) as before:
            own = before.seen_as()
            address = self.make_floating(self.outside, self.guest)["floating_ip_address"]
            self.assertEqual(before.seen_as(), own)
            with Talk(self.guest, self.world.ip) as after:
                self.assertEqual(after.seen_as(), address)

    def test_nothing_answers_at_a_floating_ip_that_leads_nowhere(self) -> None:
        """Not the router either."""
        address = self.make_floating(self.outside)["floating_ip_address"]
        self.assertFalse(self.world.can_reach(address, tries=2))

    def test_the_status_is_that_of_the_packets(self) -> None:
        """DOWN, ACTIVE, DOWN."""
        floating = self.make_floating(self.outside)
        self.assertEqual(floating["status"], "DOWN")
        self.update("floatingip", floating["id"], port_id=self.guest.id)
        self.await_floating(floating, "ACTIVE")
        self.assertTrue(self.world.can_reach(floating["floating_ip_address"], tries=1))
        self.update("floatingip", floating["id"], port_id=None)
        self.assertEqual(self.appliance.show("floatingip", floating["id"])["status"], "DOWN")

    def test_a_disabled_gateway(self) -> None:
        """Nothing comes in, and the status says so, until it is enabled again."""
        floating = self.make_floating(self.outside, self.guest)
        address = floating["floating_ip_address"]
        query = f"/v2.0/ports?device_id={self.router['id']}&device_owner=network:router_gateway"
        (gateway,) = self.appliance.request("GET", query).body["ports"]
        for is_up, status in ((False, "DOWN"), (True, "ACTIVE")):
            self.update("port", gateway["id"], admin_state_up=is_up)
            self.await_floating(floating, status)
            self.wait_for("it is so", lambda is_up=is_up: self.world.can_reach(address, tries=1) == is_up)  # type: ignore[misc]
