"""Trunks: parents, sub-ports, actions."""

from __future__ import annotations

from typing import Any

from quantumd.api.hosts.compiled import records_of_host
from quantumd.api.hosts.plugged import bind_all, with_sub_ports
from quantumd.api.resource import Query, Sort
from quantumd.model.messages import PortReport, Report
from quantumd.model.records import PortRecord
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

ADD = "trunks/<resource_id>/add_subports"
REMOVE = "trunks/<resource_id>/remove_subports"
LIST = "trunks/<resource_id>/get_subports"


class TrunkCase(ResourceCase):
    """Has networks of Alice's: one for the parent, one for what is inside."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.outside = self.bed.network_with_subnet("10.1.0.0/24", ALICE)[0]
        self.inside = self.bed.network_with_subnet("10.2.0.0/24", ALICE)[0]
        self.parent = self.bed.create("port", ALICE, network_id=self.outside)["id"]

    def sub(self, vlan: int = 100, **more: Any) -> View:
        """Return a sub-port on a port of its own."""
        port = self.bed.create("port", ALICE, network_id=self.inside)["id"]
        return {"port_id": port, "segmentation_type": "vlan", "segmentation_id": vlan, **more}

    def trunk(self, *sub_ports: View, context: Any = ALICE, **more: Any) -> View:
        """Make a trunk."""
        return self.bed.create("trunk", context, port_id=self.parent, sub_ports=list(sub_ports), **more)

    def act(self, action: str, trunk_id: str, *sub_ports: View) -> View:
        """Do an action as Alice."""
        found: View = self.bed.act("PUT", action, {"sub_ports": list(sub_ports)}, ALICE, resource_id=trunk_id)
        return found

    def shown(self, port_id: str) -> View:
        """Return a port as an administrator sees it."""
        return self.bed.show("port", port_id)


class CreateTests(TrunkCase):
    """A new trunk."""

    def test_it_is_down_and_its_parent_tells_of_it(self) -> None:
        """Nothing is wired yet; Nova reads the details of the parent."""
        sub = self.sub()
        trunk = self.trunk(sub, name="t")
        self.assertEqual((trunk["status"], trunk["name"], trunk["sub_ports"]), ("DOWN", "t", [sub]))
        self.assertEqual(self.bed.show("trunk", trunk["id"], ALICE), trunk)
        mac = self.shown(sub["port_id"])["mac_address"]
        wanted = {"trunk_id": trunk["id"], "sub_ports": [{**sub, "mac_address": mac}]}
        self.assertEqual(self.shown(self.parent)["trunk_details"], wanted)
        self.assertNotIn("trunk_details", self.shown(sub["port_id"]))

    def test_sub_ports_know_their_trunk(self) -> None:
        """So nobody attaches them elsewhere."""
        sub = self.sub()
        trunk = self.trunk(sub)
        port = self.shown(sub["port_id"])
        self.assertEqual((port["device_id"], port["device_owner"]), (trunk["id"], "trunk:subport"))

    def test_parent_in_use(self) -> None:
        """A port is parent of one trunk, and no sub-port's parent is one; bound ports are too late."""
        sub = self.sub()
        self.trunk(sub)
        self.assert_refused(409, "ParentPortInUse", self.trunk)
        self.parent = sub["port_id"]
        self.assert_refused(409, "TrunkPortInUse", self.trunk)
        self.bed.add_host("host-1")
        self.parent = self.bed.create("port", network_id=self.outside, binding__host_id="host-1")["id"]
        message = self.assert_refused(409, "ParentPortInUse", self.trunk, context=ADMIN)
        self.assertEqual(
            message, f"Port {self.parent} is currently in use and is not eligible for use as a parent port."
        )

    def test_ports_of_the_address_service_are_no_parents(self) -> None:
        """They go with their network, whatever would keep them."""
        (self.parent,) = (each["id"] for each in self.bed.listed("port", device_owner=("network:dhcp",))[:1])
        self.assert_refused(409, "ParentPortInUse", self.trunk, context=ADMIN)

    def test_sub_port_in_use(self) -> None:
        """Neither of another trunk, nor of a device, nor the parent itself."""
        sub = self.sub()
        self.trunk(sub)
        self.parent = self.bed.create("port", ALICE, network_id=self.outside)["id"]
        self.assert_refused(409, "TrunkPortInUse", self.trunk, {**sub, "segmentation_id": 7})
        used = self.sub()
        self.bed.update("port", used["port_id"], ALICE, device_id="vm")
        self.assert_refused(409, "PortInUse", self.trunk, used)
        self.assert_refused(409, "ParentPortInUse", self.trunk, {**sub, "port_id": self.parent})

    def test_sub_ports_that_are_none(self) -> None:
        """Each with the sentence of today."""
        sub = self.sub()
        twice = self.sub(vlan=100)
        for wrong, part in (
            ([{}], "A valid port UUID must be specified"),
            ([{"port_id": "x"}], "Invalid UUID for subport: 'x'"),
            ([{"port_id": sub["port_id"], "segmentation_id": 1}], "missing segmentation information"),
            ([sub, sub], f"Non unique UUID for subport: '{sub['port_id']}'"),
            ([sub, twice], f"Segmentation ID '100' for '{twice['port_id']}' is not unique"),
        ):
            self.assertIn(part, self.assert_refused(400, "HTTPBadRequest", self.trunk, *wrong))
        for other, part in (
            ({**sub, "segmentation_type": "vxlan"}, "Unknown segmentation_type 'vxlan'"),
            ({**sub, "segmentation_id": 4095}, "Segmentation ID '4095' is not in range"),
            ({**sub, "segmentation_id": "x"}, "segmentation_id 'x' is not an integer"),
        ):
            self.assertIn(part, self.assert_refused(400, "InvalidInput", self.trunk, other))

    def test_network_inside_must_fit(self) -> None:
        """Its frames go through the parent."""
        self.bed.update("network", self.outside, ALICE, mtu=1400)
        sub = self.sub()
        message = self.assert_refused(409, "SubPortMtuGreaterThanTrunkPortMtu", self.trunk, sub)
        self.assertIn(f"MTU 1500 of subport {sub['port_id']} cannot be greater than MTU 1400", message)

    def test_inherited_segment(self) -> None:
        """A sub-port may have the VLAN of its network."""
        network = self.bed.create(
            "network",
            provider__network_type="vlan",
            provider__physical_network="physnet1",
            provider__segmentation_id=77,
        )["id"]
        port = self.bed.create("port", network_id=network)["id"]
        trunk = self.trunk({"port_id": port, "segmentation_type": "inherit"}, context=ADMIN)
        self.assertEqual(trunk["sub_ports"][0]["segmentation_id"], 77)

    def test_ports_of_others_are_not_found(self) -> None:
        """Nor their trunks."""
        self.assert_refused(404, "PortNotFound", self.trunk, context=BOB)
        trunk = self.trunk()["id"]
        message = self.assert_refused(404, "TrunkNotFound", self.bed.show, "trunk", trunk, BOB)
        self.assertEqual(message, f"Trunk {trunk} could not be found.")


class SubPortTests(TrunkCase):
    """add_subports, remove_subports, get_subports."""

    def test_added_ones_come_last(self) -> None:
        """The answer is the trunk, without a key around it; the trunk has a new revision."""
        first, second = self.sub(1), self.sub(2)
        trunk = self.trunk(first)
        answer = self.act(ADD, trunk["id"], second)
        self.assertEqual((answer["sub_ports"], answer["revision_number"]), ([first, second], 2))
        self.assertEqual(answer["tenant_id"], "alice")
        listed = self.bed.act("GET", LIST, [], ALICE, resource_id=trunk["id"])
        self.assertEqual(listed, {"sub_ports": [first, second]})

    def test_taken_tag(self) -> None:
        """Two sub-ports never share one."""
        trunk = self.trunk(self.sub(1))["id"]
        message = self.assert_refused(409, "DuplicateSubPort", self.act, ADD, trunk, self.sub(1))
        self.assertEqual(message, f"segmentation_type vlan and segmentation_id 1 already in use on trunk {trunk}.")

    def test_removed_one_is_free_again(self) -> None:
        """Its port can be used for something else."""
        sub = self.sub()
        trunk = self.trunk(sub)["id"]
        self.assertEqual(self.act(REMOVE, trunk, {"port_id": sub["port_id"]})["sub_ports"], [])
        port = self.shown(sub["port_id"])
        self.assertEqual((port["device_id"], port["device_owner"]), ("", ""))
        self.assert_refused(404, "SubPortNotFound", self.act, REMOVE, trunk, {"port_id": sub["port_id"]})

    def test_disabled_trunk_stays_as_it_is(self) -> None:
        """Until it is enabled again."""
        trunk = self.trunk(admin_state_up=False)["id"]
        self.assert_refused(409, "TrunkDisabled", self.act, ADD, trunk, self.sub())
        self.assert_refused(409, "TrunkDisabled", self.bed.delete, "trunk", trunk, ALICE)
        self.bed.update("trunk", trunk, ALICE, admin_state_up=True)
        self.act(ADD, trunk, self.sub())

    def test_body_that_names_none(self) -> None:
        """Is refused, not guessed at."""
        trunk = self.trunk()["id"]
        self.assert_refused(400, "HTTPBadRequest", self.bed.act, "PUT", ADD, {}, ALICE, resource_id=trunk)
        self.assert_refused(400, "InvalidInput", self.bed.act, "PUT", ADD, {"sub_ports": 1}, ALICE, resource_id=trunk)

    def test_sub_ports_follow_their_parent(self) -> None:
        """They are on the host where it is, also those that are added later."""
        self.bed.add_host("host-1")
        first, second = self.sub(1), self.sub(2)
        trunk = self.trunk(first)["id"]
        self.bed.update("port", self.parent, binding__host_id="host-1")
        self.act(ADD, trunk, second)
        hosts = [self.shown(each["port_id"])["binding:host_id"] for each in (first, second)]
        self.assertEqual(hosts, ["host-1", "host-1"])
        self.act(REMOVE, trunk, second)
        self.assertEqual(self.shown(second["port_id"])["binding:host_id"], "")

    def test_sub_ports_follow_a_migration(self) -> None:
        """An activated binding takes them along."""
        self.bed.add_host("host-1")
        self.bed.add_host("host-2")
        sub = self.sub()
        self.trunk(sub)
        self.bed.update("port", self.parent, binding__host_id="host-1", device_owner="compute:nova")
        self.bed.create("binding", parent=self.parent, host="host-2")
        self.bed.act("PUT", "ports/<port_id>/bindings/<host>/activate", port_id=self.parent, host="host-2")
        self.assertEqual(self.shown(sub["port_id"])["binding:host_id"], "host-2")


class StatusTests(TrunkCase):
    """What a trunk's status is, its ports decide."""

    def setUp(self) -> None:
        """A trunk with two sub-ports, whose parent is bound."""
        super().setUp()
        self.bed.add_host("host-1")
        self.subs = [self.sub(100)["port_id"], self.sub(101)["port_id"]]
        inside = [
            {"port_id": each, "segmentation_type": "vlan", "segmentation_id": 100 + n}
            for n, each in enumerate(self.subs)
        ]
        self.trunk_id = self.trunk(*inside)["id"]
        self.bed.update("port", self.parent, binding__host_id="host-1")

    def tell(self, *port_ids: str, fault: str | None = None, plugged: bool = True) -> None:
        """Let the host report ports: in force, unless there is a fault."""
        for role in ("l2", "dhcp"):
            told = tuple(PortReport(each, 0 if fault else 10**9, plugged, fault) for each in port_ids)
            self.bed.report(Report("host-1", role, told))

    def expect(self, status: str) -> None:
        """The trunk has a status: shown, listed, and found by."""
        self.assertEqual(self.bed.show("trunk", self.trunk_id, ALICE)["status"], status)
        self.assertEqual([each["status"] for each in self.bed.listed("trunk", ALICE)], [status])
        self.assertEqual([each["id"] for each in self.bed.listed("trunk", ALICE, status=(status,))], [self.trunk_id])
        self.assertEqual(self.bed.listed("trunk", ALICE, status=("ERROR",)), [])

    def test_it_is_active_when_all_of_it_is(self) -> None:
        """DOWN without its parent, BUILD while a sub-port is awaited."""
        self.expect("DOWN")
        self.tell(self.subs[0])
        self.expect("DOWN")
        self.tell(self.parent)
        self.expect("BUILD")
        self.tell(self.subs[1])
        self.expect("ACTIVE")
        self.tell(self.parent, plugged=False)
        self.expect("DOWN")

    def test_it_is_degraded_while_a_sub_port_cannot_be_carried(self) -> None:
        """Its host says so. One that is disabled is not missed, nor one of a disabled network."""
        self.tell(self.parent, self.subs[0])
        self.tell(self.subs[1], fault="no tunnels")
        self.expect("DEGRADED")
        self.bed.update("port", self.subs[1], ALICE, admin_state_up=False)
        self.expect("ACTIVE")
        self.bed.update("port", self.subs[1], ALICE, admin_state_up=True)
        self.expect("DEGRADED")
        self.bed.update("network", self.inside, ALICE, admin_state_up=False)
        self.expect("ACTIVE")

    def test_a_change_shows_at_once(self) -> None:
        """A sub-port that is added is awaited, one that is taken out is not."""
        self.tell(self.parent, *self.subs)
        third = self.sub(102)
        self.assertEqual(self.act(ADD, self.trunk_id, third)["status"], "BUILD")
        self.assertEqual(self.act(REMOVE, self.trunk_id, third)["status"], "ACTIVE")

    def test_trunks_can_be_sorted_by_it(self) -> None:
        """As by anything else that is shown."""
        self.tell(self.parent, *self.subs)
        self.parent = self.bed.create("port", ALICE, network_id=self.outside)["id"]
        self.trunk()
        for is_descending, wanted in ((False, ["ACTIVE", "DOWN"]), (True, ["DOWN", "ACTIVE"])):
            found = self.bed.query("trunk", Query(sorts=(Sort("status", is_descending),)), ALICE)
            self.assertEqual([each["status"] for each in found], wanted)


class HostTests(TrunkCase):
    """What the host of the parent is told."""

    def records(self) -> dict[str, PortRecord]:
        """Return the ports that the host knows."""
        found = records_of_host(self.bed.connection, "host-1", "l2", None)
        return {each.id: each for each in found if isinstance(each, PortRecord)}

    def test_a_sub_port_names_its_parent_and_its_tag(self) -> None:
        """From when it is in a trunk until it is taken out; the parent is a port like any other."""
        self.bed.add_host("host-1")
        sub = self.sub(77)
        trunk = self.trunk(sub)["id"]
        self.bed.update("port", self.parent, binding__host_id="host-1")
        records = self.records()
        found = records[sub["port_id"]]
        self.assertEqual((found.parent_id, found.segmentation_id), (self.parent, 77))
        self.assertEqual((records[self.parent].parent_id, records[self.parent].segmentation_id), ("", 0))
        self.act(REMOVE, trunk, sub)
        self.assertEqual(set(self.records()), {self.parent})
        self.act(ADD, trunk, {**sub, "segmentation_id": 78})
        again = self.records()[sub["port_id"]]
        self.assertEqual(again.segmentation_id, 78)
        self.assertGreater(again.version, found.version)

    def test_sub_ports_are_bound_with_a_parent_that_is_plugged(self) -> None:
        """Nobody said where it would be."""
        self.bed.add_host("host-1")
        sub = self.sub(77)
        self.trunk(sub)
        tx = self.bed.tx()
        with tx.savepoint():
            bind_all(tx, ADMIN, (self.parent,), "host-1")
            self.assertEqual(set(with_sub_ports(tx, (self.parent,))), {self.parent, sub["port_id"]})
        self.assertEqual(self.shown(sub["port_id"])["binding:host_id"], "host-1")
        self.bed.add_host("host-2")
        with tx.savepoint():
            bind_all(tx, ADMIN, (self.parent,), "host-2")
        self.assertEqual(self.shown(sub["port_id"])["binding:host_id"], "host-1")


class DeleteTests(TrunkCase):
    """Deletions."""

    def test_ports_of_a_trunk_stay(self) -> None:
        """Parent and sub-ports alike."""
        sub = self.sub()
        trunk = self.trunk(sub)["id"]
        message = self.assert_refused(409, "PortInUseAsTrunkParent", self.bed.delete, "port", self.parent)
        self.assertEqual(message, f"Port {self.parent} is currently a parent port for trunk {trunk}.")
        message = self.assert_refused(409, "PortInUseAsSubPort", self.bed.delete, "port", sub["port_id"])
        self.assertEqual(message, f"Port {sub['port_id']} is currently a subport for trunk {trunk}.")

    def test_deleted_trunk_lets_them_go(self) -> None:
        """Then they can be deleted."""
        sub = self.sub()
        self.bed.delete("trunk", self.trunk(sub)["id"], ALICE)
        self.bed.delete("port", self.parent, ALICE)
        self.bed.delete("port", sub["port_id"], ALICE)

    def test_trunk_of_a_bound_port_stays(self) -> None:
        """The guest uses it."""
        self.bed.add_host("host-1")
        trunk = self.trunk()["id"]
        self.bed.update("port", self.parent, binding__host_id="host-1")
        self.assert_refused(409, "TrunkInUse", self.bed.delete, "trunk", trunk, ALICE)
