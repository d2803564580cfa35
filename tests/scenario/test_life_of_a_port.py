"""From the API to packets and back, in one process and in memory."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from sqlalchemy import create_engine, delete, insert, select, update

from quantumd.store.tables import hosts, ip_allocations, ports, subnets
from quantumd.store.tables.services import agents
from tests.scenario.case import ScenarioCase
from tests.scenario.frames import (
    BROADCAST,
    arp_request,
    dhcp_discover,
    dhcp_solicit,
    link_local,
    plain,
    read_dhcp,
    read_dhcp6,
)


class LifeOfAPortTests(ScenarioCase):
    """A user, an appliance, VMs."""

    async def test_port_is_active_when_packets_obey_it(self) -> None:
        """A plugged port turns ACTIVE, and then its VM reaches its neighbour; unplugged it is DOWN."""
        await self.start()
        network = await self.create("network", name="n")
        await self.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
        one, two = [await self.plugged(network) for _ in range(2)]
        self.assertEqual(self.reached(one, plain(one, two)), {self.number(two)})
        self.world.unplug(one["id"])
        await self.await_status(one, "DOWN")

    async def test_plugged_port_is_bound_to_this_host(self) -> None:
        """On an appliance nobody needs to bind a port: plugging does."""
        await self.start()
        network = await self.create("network")
        port = await self.plugged(network)
        self.assertEqual((port["binding:host_id"], port["binding:vif_type"]), ("host-a", "ovs"))
        self.assertEqual(port["binding:vif_details"]["bridge_name"], "br-int")

    async def test_discover_is_offered_the_ports_address(self) -> None:
        """A DHCP client behind an ACTIVE port is offered the address that the API shows."""
        await self.start()
        network = await self.create("network")
        await self.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
        port = await self.plugged(network)
        heard = self.heard(port)
        self.send(port, dhcp_discover(port["mac_address"]))
        await self.until(lambda: bool(heard))
        kind, address = read_dhcp(heard[0])
        self.assertEqual((kind, address), ("offer", port["fixed_ips"][0]["ip_address"]))

    async def served6(self, mode: str | None = None) -> dict[str, Any]:
        """Return a plugged port on a network of its own whose IPv6 subnet has this mode."""
        network = await self.create("network")
        modes = {} if mode is None else {"ipv6_address_mode": mode}
        await self.create("subnet", network_id=network["id"], ip_version=6, cidr="fd00:1::/64", **modes)
        return await self.plugged(network)

    async def server_of(self, port: dict[str, Any]) -> dict[str, Any]:
        """Return the DHCP port of a port's network."""
        answer = await self.ask("GET", f"/v2.0/ports?device_owner=network:dhcp&network_id={port['network_id']}")
        (server,) = answer.body["ports"]
        found: dict[str, Any] = server
        return found

    async def test_solicit_is_answered_with_the_ports_address(self) -> None:
        """A DHCPv6 client behind an ACTIVE port, from the link-local address of the network's DHCP port."""
        await self.start()
        for mode in ("dhcpv6-stateful", None):
            port = await self.served6(mode)
            server = await self.server_of(port)
            heard = self.heard(port)
            self.send(port, bytes(dhcp_solicit(port["mac_address"])))
            await self.until(lambda heard=heard: bool(heard))  # type: ignore[misc]
            told = read_dhcp6(heard[0])
            self.assertEqual(told, (link_local(server["mac_address"]), port["fixed_ips"][0]["ip_address"]))
            await self.await_status(server, "ACTIVE")

    async def test_subnets_of_an_earlier_version_are_served_after_the_upgrade(self) -> None:
        """Nobody has to touch them, and one without room for it does not keep the others from it."""
        await self.start()
        port, full = await self.served6(), await self.create("network")
        await self.create("subnet", network_id=full["id"], ip_version=6, cidr="fd00:2::/126")
        addresses = [[{"ip_address": f"fd00:2::{number}"}] for number in (2, 3)]
        for fixed_ips in addresses:
            await self.create("port", network_id=full["id"], fixed_ips=fixed_ips)
        server = await self.server_of(port)
        await self.end()
        engine = create_engine(self.settings.database_url)
        with engine.begin() as connection:
            gone = select(ports.c.id).where(ports.c.device_owner == "network:dhcp")
            connection.execute(delete(ip_allocations).where(ip_allocations.c.port_id.in_(gone)))
            connection.execute(delete(ports).where(ports.c.device_owner == "network:dhcp"))
            pool = '[{"start":"fd00:2::2","end":"fd00:2::3"}]'
            connection.execute(update(subnets).where(subnets.c.network_id == full["id"]).values(allocation_pools=pool))
        engine.dispose()
        await self.begin()
        found: list[dict[str, Any]] = []

        async def look() -> None:
            answer = await self.ask("GET", "/v2.0/ports?device_owner=network:dhcp")
            found[:] = answer.body["ports"]

        while not found:
            await look()
        self.assertEqual([each["network_id"] for each in found], [port["network_id"]])
        self.assertEqual(found[0]["fixed_ips"], server["fixed_ips"])
        heard = self.heard(port)
        while not heard:
            self.send(port, bytes(dhcp_solicit(port["mac_address"])))
            await look()

    async def test_fragments_meet_no_service(self) -> None:
        """Neither the first piece of a request, which shows its ports, nor a later one reaches the process."""
        await self.start()
        port = await self.served6("dhcpv6-stateful")
        heard = self.heard(port)
        packet = dhcp_solicit(port["mac_address"])
        for header in (IPv6ExtHdrFragment(m=1), IPv6ExtHdrFragment(offset=8)):
            bent = Ether(bytes(packet))
            bent[IPv6].nh = 44
            bent[IPv6].payload = header / bent[UDP]
            del bent[IPv6].plen
            self.send(port, bytes(bent))
        self.send(port, bytes(packet))
        await self.until(lambda: bool(heard))
        self.assertEqual(len(heard), 1)

    async def test_server_addresses_answer_solicitations_and_pings(self) -> None:
        """By flows, from the MAC that the API shows: the link-local address and the one that the API shows."""
        await self.start()
        port = await self.served6("dhcpv6-stateful")
        server = await self.server_of(port)
        for address in (link_local(server["mac_address"]), server["fixed_ips"][0]["ip_address"]):
            heard = self.heard(port)
            ether = Ether(src=port["mac_address"], dst=server["mac_address"])
            source = IPv6(src=link_local(port["mac_address"]), dst=address, hlim=255)
            option = ICMPv6NDOptSrcLLAddr(lladdr=port["mac_address"])
            self.send(port, bytes(ether / source / ICMPv6ND_NS(tgt=address) / option))
            self.send(port, bytes(ether / source / ICMPv6EchoRequest(id=1, seq=2)))
            told, echoed = (Ether(frame) for frame in heard)
            self.assertEqual((told.src, told[ICMPv6ND_NA].tgt), (server["mac_address"], address))
            self.assertEqual((echoed[IPv6].src, echoed[ICMPv6EchoReply].seq), (address, 2))

    async def test_server_address_answers_arp(self) -> None:
        """The DHCP server's address is answered by a flow, with the MAC that the API shows."""
        await self.start()
        network = await self.create("network")
        await self.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
        port = await self.plugged(network)
        answer = await self.ask("GET", f"/v2.0/ports?device_owner=network:dhcp&network_id={network['id']}")
        (server,) = answer.body["ports"]
        heard = self.heard(port)
        self.send(port, arp_request(port, server["fixed_ips"][0]["ip_address"]))
        self.assertEqual(heard[0][6:12].hex(":"), server["mac_address"])
        await self.await_status(server, "ACTIVE")

    async def test_equal_addresses_stay_apart(self) -> None:
        """Two networks with the same addresses do not hear each other."""
        await self.start()
        ports = []
        for _ in range(2):
            network = await self.create("network")
            await self.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
            ports.append(await self.plugged(network, fixed_ips=[{"ip_address": "10.0.0.9"}]))
        self.assertEqual(self.reached(ports[0], plain(ports[0], ports[1])), set())
        self.assertEqual(self.reached(ports[0], BROADCAST + plain(ports[0], ports[0])[6:]), set())

    async def test_after_a_long_pause_ports_are_bound_at_once(self) -> None:
        """The process was off for long: its own host is alive with it, and Nova's first request does not fail.

        Nor does one for another host, which could not report meanwhile, unless it was silent before.
        """
        await self.start()
        network = await self.create("network")
        await self.end()
        self.age_reports("2026-01-01T00:00:00Z")
        await self.begin()
        port = await self.create("port", network_id=network["id"], **{"binding:host_id": "host-a"})
        self.assertEqual(port["binding:vif_type"], "ovs")
        for host, vif_type in (("host-b", "ovs"), ("host-c", "binding_failed")):
            elsewhere = await self.create("port", network_id=network["id"], **{"binding:host_id": host})
            self.assertEqual(elsewhere["binding:vif_type"], vif_type)

    def age_reports(self, reported_at: str) -> None:
        """Let all hosts have reported last at that time, host-b too; host-c was silent already."""
        engine = create_engine(self.settings.database_url)
        with engine.begin() as connection:
            connection.execute(update(hosts).values(reported_at=reported_at))
            connection.execute(update(agents).values(heartbeat_timestamp=reported_at))
            row = dict(connection.execute(select(hosts).where(hosts.c.role == "l2")).one()._mapping)
            connection.execute(insert(hosts), {**row, "host": "host-b"})
            connection.execute(insert(hosts), {**row, "host": "host-c", "reported_at": "2025-12-31T00:00:00Z"})
        engine.dispose()

    async def test_restart_changes_nothing(self) -> None:
        """A new process reads the switch back and leaves every flow alone; no status changes."""
        await self.start()
        network = await self.create("network")
        await self.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
        port = await self.plugged(network)
        self.world.switch.changes.clear()
        await self.restart()
        answer = await self.ask("GET", "/readyz")
        while answer.status != 200:
            answer = await self.ask("GET", "/readyz")
        self.assertEqual(list(self.world.switch.changes), [])
        self.assertEqual(await self.show("port", port["id"]), port)

    async def test_unplugged_while_the_process_was_away(self) -> None:
        """What happened to a VM while nobody looked is found by the new process."""
        await self.start()
        network = await self.create("network")
        port = await self.plugged(network)
        await self.end()
        self.world.unplug(port["id"])
        await self.begin()
        await self.await_status(port, "DOWN")

    async def test_port_that_the_switch_refuses_stays_down(self) -> None:
        """Rules that cannot be written leave the port DOWN, until they can."""
        await self.start()
        network = await self.create("network")
        port = await self.create("port", network_id=network["id"])
        switch = self.world.switch
        switch.refuse_next("by the test")
        switch.changes.clear()
        self.world.plug(port["id"])
        await self.until(lambda: bool(switch.changes))
        self.assertEqual((await self.show("port", port["id"]))["status"], "DOWN")
        await self.await_status(port, "ACTIVE")

    async def test_bindings_tell_what_the_bridge_is(self) -> None:
        """A datapath type that was not yet known, or is another one now, is told at once."""
        await self.start()
        network = await self.create("network")
        await self.plugged(network)
        bridge = self.world.ovsdb.bridge("br-int")
        if bridge is None:
            self.fail("there is no bridge")
        other = {"system": "netdev", "netdev": "system"}[bridge.datapath_type]
        self.world.ovsdb.put_bridge_row(evolve(bridge, datapath_type=other))
        told: list[str] = []
        while told[-1:] != [other] and len(told) < 200:
            port = await self.create("port", network_id=network["id"], **{"binding:host_id": "host-a"})
            told.append(port["binding:vif_details"]["datapath_type"])
        self.assertEqual(told[-1], other)
