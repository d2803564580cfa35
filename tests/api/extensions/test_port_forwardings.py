"""Port forwardings: which ports lead where, what they hold, and what takes them along."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from tests.api.extensions.test_floating_ips import FloatingCase
from tests.api.extensions.test_routers import UNKNOWN
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class ForwardingCase(FloatingCase):
    """Has a floating IP that leads nowhere."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.led = self.floating()

    def forward(self, context: Context = ALICE, floating: View | None = None, **said: Any) -> View:
        """Make a forwarding, of port 80 to 8080 of Alice's port if nothing else is said."""
        body = {"protocol": "tcp", "internal_port_id": self.port["id"], "internal_ip_address": self.fixed, **said}
        if not any(name.startswith("external") for name in said):
            body["external_port"] = 80
        if not any(name in said for name in ("internal_port", "internal_port_range")):
            body["internal_port"] = 8080
        return self.bed.create("port_forwarding", context, parent=(floating or self.led)["id"], **body)

    def change(self, forwarding: View, context: Context = ALICE, **changes: Any) -> View:
        """Change one."""
        return self.bed.update("port_forwarding", forwarding["id"], context, parent=self.led["id"], **changes)

    def remove_it(self, forwarding: View) -> None:
        """Delete one."""
        self.bed.delete("port_forwarding", forwarding["id"], ALICE, parent=self.led["id"])

    def listed(self, context: Context = ALICE, **filters: Any) -> list[View]:
        """Return those of the floating IP that match."""
        return self.bed.listed("port_forwarding", context, parent=self.led["id"], **filters)

    def refused_as_bad(self, *args: Any, **more: Any) -> str:
        """Check that it is a bad request, and return why."""
        message = self.assert_refused(400, "BadRequest", *args, **more)
        self.assertTrue(message.startswith("Bad port_forwarding request: "), message)
        return message


class ForwardingTests(ForwardingCase):
    """The resource."""

    def test_the_view_is_whole(self) -> None:
        """A port is a range of one, too."""
        made = self.forward(description="d")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "protocol": "tcp",
                "external_port": 80,
                "external_port_range": "80:80",
                "internal_port": 8080,
                "internal_port_range": "8080:8080",
                "internal_ip_address": self.fixed,
                "internal_port_id": self.port["id"],
                "description": "d",
            },
        )
        self.assertEqual(self.bed.show("port_forwarding", made["id"], ALICE, parent=self.led["id"]), made)
        self.assertEqual(self.listed(), [made])

    def test_the_floating_ip_shows_them(self) -> None:
        """With their ids and those of the ports; it is at the router by which they lead, and DOWN until that did it."""
        made = [self.forward(), self.forward(external_port=81, internal_port=8081)]
        shown = self.now(self.led)
        wanted = [{name: value for name, value in each.items() if name != "description"} for each in made]
        self.assertEqual(shown["port_forwardings"], wanted)
        self.assertEqual((*self.where(shown), shown["status"]), (None, None, self.made["id"], "DOWN"))
        (listed,) = self.bed.listed("floatingip", ALICE)
        self.assertEqual(listed, shown)
        changed = self.bed.update("floatingip", self.led["id"], ALICE, description="d")
        self.assertEqual(changed["port_forwardings"], wanted)
        self.assertEqual(self.floating()["port_forwardings"], [])

    def test_others_see_nothing_of_them(self) -> None:
        """Nor of the floating IP that they are of."""
        made = self.forward()
        self.assert_refused(404, "FloatingIPNotFound", self.listed, BOB)
        self.assert_refused(403, "PolicyNotAuthorized", self.forward, BOB, external_port=81)
        self.assert_refused(404, "FloatingIPNotFound", self.change, made, BOB, external_port=81)
        self.assertEqual(self.listed(ADMIN), [made])

    def test_each_is_of_one_floating_ip(self) -> None:
        """Under another one it is not there."""
        made, other = self.forward(), self.floating()
        for work in (self.bed.show, self.bed.update, self.bed.delete):
            message = self.assert_refused(
                404, "PortForwardingNotFound", work, "port_forwarding", made["id"], ALICE, other["id"]
            )
            self.assertEqual(message, f"Port Forwarding {made['id']} could not be found.")

    def test_they_are_found(self) -> None:
        """By protocol, port outside, range outside, port inside and description."""
        web = self.forward(description="web")
        names = self.forward(protocol="udp", external_port_range="53:54", internal_port_range="53:54")
        for filters, wanted in (
            ({"protocol": ("udp",)}, [names]),
            ({"external_port": ("80",)}, [web]),
            ({"external_port": ("53",)}, []),
            ({"external_port_range": ("53:54", "1")}, [names]),
            ({"external_port_range": ("80",)}, [web]),
            ({"external_port_range": ("x",)}, []),
            ({"internal_port_id": (self.port["id"],)}, [web, names]),
            ({"description": ("web",)}, [web]),
        ):
            found = self.listed(**filters)
            self.assertEqual(sorted(each["id"] for each in found), sorted(each["id"] for each in wanted), filters)

    def test_what_is_journalled(self) -> None:
        """Each change, for the floating IP's project; a description changes nothing on hosts, and is told."""
        before = self.now(self.led)["revision_number"]
        made = self.forward()
        self.assertEqual(self.journalled()[-2:], [("port_forwarding", "create"), ("floatingip", "update")])
        self.change(made, description="d")
        _, old, new = self.last_journalled()
        assert old is not None and new is not None
        self.assertEqual((new["floatingip_project_id"], new["router_id"]), ("alice", self.made["id"]))
        self.assertEqual((old["description"], new["description"]), ("", "d"))
        position = self.position()
        self.assertEqual(self.change(made, description="d", external_port=80)["description"], "d")
        self.assertEqual(self.position(), position)
        self.assertGreater(self.now(self.led)["revision_number"], before)
        self.remove_it(made)
        self.assertEqual(self.journalled()[-2:], [("port_forwarding", "delete"), ("floatingip", "update")])


class PortTests(ForwardingCase):
    """Which ports lead to which."""

    def test_ranges(self) -> None:
        """To as many, or to one; then the port is null."""
        made = self.forward(external_port_range="80:89", internal_port_range="8080:8089")
        self.assertEqual((made["external_port"], made["internal_port"]), (None, None))
        gathered = self.forward(external_port_range="90:99", internal_port_range="9000")
        self.assertEqual((gathered["external_port"], gathered["internal_port"]), (None, 9000))
        for outer, inner in (("100", "100:101"), ("100:109", "100:108"), ("100:101", "100:109")):
            message = self.refused_as_bad(self.forward, external_port_range=outer, internal_port_range=inner)
            self.assertIn("The relation between internal and external ports must be N-N or 1-N.", message)

    def test_both_sides_are_named(self) -> None:
        """By the port, the range, or both, if they are the same."""
        message = self.refused_as_bad(self.forward, external_port=None)
        self.assertIn("Either external_port or external_port_range must be specified.", message)
        self.refused_as_bad(self.forward, internal_port=None)
        self.refused_as_bad(self.forward, external_port=80, external_port_range="80:81", internal_port_range="1:2")
        self.refused_as_bad(self.forward, external_port=80, external_port_range="81")
        made = self.forward(external_port=80, external_port_range="80:80")
        self.assertEqual(made["external_port"], 80)

    def test_ports_outside_are_taken_once(self) -> None:
        """Of one floating IP and protocol, also in part."""
        self.forward(external_port_range="80:89", internal_port_range="80:89")
        inside: dict[str, Any] = {"internal_port_range": "180:189"}
        for taken in ("80:89", "75:84", "85:94"):
            message = self.refused_as_bad(self.forward, external_port_range=taken, **inside)
            wanted = "collision with the external_port_range. The following ranges collide: 80:89 and "
            self.assertTrue(message.endswith(f"{wanted}{taken}."), message)
        self.forward(external_port_range="70:79", **inside)
        self.forward(protocol="udp", external_port_range="80:89", **inside)
        self.forward(floating=self.floating(), external_port_range="80:89", internal_port_range="280:289")

    def test_a_floating_ip_has_one_of_icmp(self) -> None:
        """It has no ports: those that are named are only shown."""
        made = self.forward(protocol="icmp", external_port=1, internal_port=2)
        self.assertEqual((made["external_port"], made["internal_port"]), (1, 2))
        self.refused_as_bad(self.forward, protocol="icmp", external_port=3, internal_port=4)
        self.forward(external_port=1)
        self.forward(floating=self.floating(), protocol="icmp", external_port=1, internal_port=3)

    def test_ports_inside_are_taken_once(self) -> None:
        """Of one address of a port and protocol, whichever floating IP leads there."""
        self.forward()
        message = self.refused_as_bad(self.forward, floating=self.floating(), external_port=90)
        self.assertIn("collision with the internal_port_range. The following ranges collide: 8080:8080", message)
        self.forward(protocol="udp")
        other = self.bed.create("port", ALICE, network_id=self.inside)
        address = other["fixed_ips"][0]["ip_address"]
        self.forward(external_port=90, internal_port_id=other["id"], internal_ip_address=address)

    def test_changes(self) -> None:
        """Of one side, of both, of the protocol; what is not named stays."""
        made = self.forward()
        self.assertEqual(self.change(made, external_port=90)["external_port_range"], "90:90")
        self.assertEqual(self.change(made, internal_port=9090)["internal_port"], 9090)
        self.assertEqual(self.change(made, protocol="sctp")["protocol"], "sctp")
        ranges: dict[str, Any] = {"external_port_range": "90:91", "internal_port_range": "90:91"}
        changed = self.change(made, **ranges)
        self.assertEqual((changed["external_port"], changed["internal_port_range"]), (None, "90:91"))
        self.assertEqual(self.listed(), [changed])
        self.refused_as_bad(self.change, made, internal_port_range="90:92")
        self.forward()
        self.refused_as_bad(self.change, made, protocol="tcp", external_port_range="79:80")
        self.assertEqual(self.change(made, external_port=None), changed)


class LimitTests(ForwardingCase):
    """What one router can do."""

    settings = NetworkSettings(max_forwarding_entries=4)

    def test_there_is_a_limit(self) -> None:
        """To all by the router; a range to as many others counts each of its ports, another range is one."""
        made = self.forward(external_port_range="80:82", internal_port_range="180:182")
        self.forward(floating=self.floating(), external_port_range="80:99", internal_port_range="80:99")
        message = self.assert_refused(400, "PortForwardingsExhausted", self.forward, external_port=90)
        self.assertIn(f"for {self.made['id']}. The number of port forwarding entries exceeds the maximum 4.", message)
        more = {"external_port_range": "80:83", "internal_port_range": "180:183"}
        self.assert_refused(400, "PortForwardingsExhausted", self.change, made, ALICE, **more)
        self.change(made, external_port_range="80:82", internal_port_range="280:282")
        self.change(made, external_port_range="80:82", internal_port_range="380")
        self.forward(external_port=90)


class TargetTests(ForwardingCase):
    """Where they lead."""

    def test_a_port_that_is_seen(self) -> None:
        """With the address, which is one of IPv4."""
        self.assert_refused(404, "PortNotFound", self.forward, internal_port_id=UNKNOWN)
        theirs = self.bed.create("port", BOB, network_id=self.bed.network_with_subnet("10.9.0.0/24", BOB)[0])
        self.assert_refused(404, "PortNotFound", self.forward, internal_port_id=theirs["id"])
        message = self.refused_as_bad(self.forward, internal_ip_address="10.0.0.250")
        self.assertIn(f"10.0.0.250 is not suitable for internal neutron port {self.port['id']}", message)
        bare = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[])
        message = self.refused_as_bad(self.forward, internal_port_id=bare["id"])
        self.assertIn("must allocate an IPv4 address at least.", message)

    def test_a_router_leads_there(self) -> None:
        """From the floating IP's network; and all that one floating IP forwards goes by one."""
        network, subnet = self.bed.network_with_subnet("10.5.0.0/24", ALICE)
        port = self.bed.create("port", ALICE, network_id=network)
        target: dict[str, Any] = {
            "internal_port_id": port["id"],
            "internal_ip_address": port["fixed_ips"][0]["ip_address"],
        }
        message = self.refused_as_bad(self.forward, **target)
        self.assertIn(f"External network {self.outside} is not reachable from subnet {subnet}.", message)
        made, second = self.forward(), self.with_gateway()
        self.add(second, subnet_id=subnet)
        message = self.refused_as_bad(self.forward, external_port=81, **target)
        self.assertIn(f"had been set on router {self.made['id']}", message)
        self.refused_as_bad(self.change, made, **target)
        self.remove_it(made)
        self.forward(**target)
        self.assertEqual(self.now(self.led)["router_id"], second["id"])

    def test_another_port(self) -> None:
        """Its first address is meant where none is named."""
        other = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": self.inner}] * 2)
        changed = self.change(self.forward(), internal_port_id=other["id"])
        self.assertEqual(changed["internal_ip_address"], other["fixed_ips"][0]["ip_address"])
        second = other["fixed_ips"][1]["ip_address"]
        self.assertEqual(self.change(changed, internal_ip_address=second)["internal_ip_address"], second)

    def test_floating_ips_lead_whole_or_by_ports(self) -> None:
        """Not both; nor to a port to which another one leads."""
        whole = self.floating(port_id=self.port["id"])
        self.assert_refused(409, "FloatingIPPortAlreadyAssociated", self.forward, floating=whole)
        self.assert_refused(409, "PortHasBindingFloatingIP", self.forward)
        other = self.bed.create("port", ALICE, network_id=self.inside)
        made = self.forward(internal_port_id=other["id"], internal_ip_address=other["fixed_ips"][0]["ip_address"])
        self.assert_refused(409, "PortHasBindingFloatingIP", self.change, made, internal_port_id=self.port["id"])
        self.assert_refused(
            409, "FipInUseByPortForwarding", self.bed.update, "floatingip", self.led["id"], ALICE,
            port_id=self.port["id"],
        )  # fmt: skip
        before = self.now(self.led)
        self.assertEqual(self.bed.update("floatingip", self.led["id"], ALICE, port_id=None), before)
        self.bed.update("floatingip", whole["id"], ALICE, port_id=None)
        self.forward(external_port=81)


class LifeTests(ForwardingCase):
    """What they hold, and what takes them along."""

    def test_they_hold_what_they_lead_by(self) -> None:
        """The floating IP, the interface and the gateway of the router."""
        made = self.forward()
        message = self.assert_refused(
            409, "FipInUseByPortForwarding", self.bed.delete, "floatingip", self.led["id"], ALICE
        )
        self.assertEqual(message, f"Floating IP {self.led['id']} in use by Port Forwarding resources.")
        self.assert_refused(409, "RouterInterfaceInUseByFloatingIP", self.remove, self.made, subnet_id=self.inner)
        self.assert_refused(
            409, "RouterExternalGatewayInUseByFloatingIp", self.bed.update, "router", self.made["id"], ALICE,
            external_gateway_info=None,
        )  # fmt: skip
        self.remove_it(made)
        self.assertEqual(self.where(self.now(self.led)), (None, None, None))
        self.remove(self.made, subnet_id=self.inner)
        self.bed.delete("floatingip", self.led["id"], ALICE)

    def test_they_go_with_the_port(self) -> None:
        """Those to others stay; with the last one the floating IP is at no router any more."""
        other = self.bed.create("port", ALICE, network_id=self.inside)
        target: dict[str, Any] = {
            "internal_port_id": other["id"],
            "internal_ip_address": other["fixed_ips"][0]["ip_address"],
        }
        self.forward()
        kept = self.forward(external_port=81, **target)
        self.bed.delete("port", self.port["id"], ALICE)
        self.assertEqual(self.listed(), [kept])
        self.assertEqual(self.now(self.led)["router_id"], self.made["id"])
        self.bed.delete("port", other["id"], ALICE)
        self.assertEqual((self.listed(), self.now(self.led)["router_id"]), ([], None))

    def test_they_go_with_the_address(self) -> None:
        """Those to another address of the port stay."""
        port = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": self.inner}] * 2)
        first, second = (each["ip_address"] for each in port["fixed_ips"])
        self.forward(internal_port_id=port["id"], internal_ip_address=first)
        kept = self.forward(external_port=81, internal_port_id=port["id"], internal_ip_address=second)
        self.bed.update("port", port["id"], ALICE, name="p", fixed_ips=port["fixed_ips"])
        self.assertEqual(len(self.listed()), 2)
        self.bed.update("port", port["id"], ALICE, fixed_ips=[{"ip_address": second}])
        self.assertEqual(self.listed(), [kept])
