"""Which changes of ports Nova hears of, and what it hears."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.nova.events import CHANGED, DELETED, PLUGGED, UNPLUGGED, body_of, events_of
from tests.api.nova.ports import OTHER_SERVER, PORT, SERVER, port, row


def names(*rows: Any) -> list[str]:
    """Return the names of the events of rows."""
    return [event.name for event in events_of(rows)]


class EventTests(SynchronousTestCase):
    """Changes of a port of a server."""

    def test_it_becomes_active(self) -> None:
        """The server waits for this before it starts."""
        self.assertEqual(names(row(port(), port(status="ACTIVE"), "status")), [PLUGGED])

    def test_it_goes_down(self) -> None:
        """Unplugged, or seen broken."""
        self.assertEqual(names(row(port(status="ACTIVE"), port(), "status")), [UNPLUGGED])

    def test_it_is_deleted(self) -> None:
        """Once, also when it was ACTIVE; the server that it had is told."""
        (event,) = events_of([row(port(status="ACTIVE"), None, "delete")])
        self.assertEqual((event.name, event.server_id, event.port_id), (DELETED, SERVER, PORT))

    def test_what_nova_keeps_changes(self) -> None:
        """Each of these is in the server's network information."""
        changes: tuple[dict[str, Any], ...] = (
            {"fixed_ips": []},
            {"mac_address": "fa:16:3e:00:00:02"},
            {"admin_state_up": False},
            {"binding_vnic_type": "direct"},
            {"binding_vif_type": "binding_failed"},
            {"binding_vif_details": {"bridge_name": "br-int"}},
            {"binding_profile": {"migrating_to": "host-b"}},
            {"device_owner": "compute:az2"},
        )
        for changed in changes:
            self.assertEqual(names(row(port(), port(**changed))), [CHANGED], changed)

    def test_it_comes_to_a_server(self) -> None:
        """The server that it has now is told."""
        (event,) = events_of([row(port(device_id=OTHER_SERVER), port())])
        self.assertEqual((event.name, event.server_id), (CHANGED, SERVER))

    def test_what_nova_does_not_keep_changes(self) -> None:
        """Nova would read the same again."""
        self.assertEqual(names(row(port(), port(name="other", security_groups=["x"], tags=["y"]))), [])

    def test_a_move_takes_it_down(self) -> None:
        """A port that moves to another host is DOWN until that has it, and its binding is another one."""
        moved = port(binding_host_id="host-b", binding_vif_details={"bridge_name": "br-b"})
        self.assertEqual(names(row(port(status="ACTIVE"), moved)), [UNPLUGGED, CHANGED])

    def test_it_is_detached(self) -> None:
        """Nova has done so itself: the port has no server that could be told."""
        self.assertEqual(names(row(port(status="ACTIVE"), port(device_id="", device_owner="", status="DOWN"))), [])

    def test_it_is_created(self) -> None:
        """Nova makes ports itself, or hears of them when they get a server."""
        self.assertEqual(names(row(None, port(), "create")), [])

    def test_changes_in_a_row_are_told_once(self) -> None:
        """Nova reads the port when it hears, and all of these are committed by then."""
        rows = [row(port(), port(fixed_ips=[]))] * 3
        self.assertEqual(names(*rows), [CHANGED])
        self.assertEqual(names(*rows, row(port(), port(status="ACTIVE"), "status"), *rows), [CHANGED, PLUGGED, CHANGED])

    def test_ports_are_told_apart(self) -> None:
        """What is left out of one is no matter for another."""
        other = row(port(id="other"), port(id="other", fixed_ips=[]))
        self.assertEqual(names(row(port(), port(fixed_ips=[])), other), [CHANGED, CHANGED])

    def test_order_is_that_of_the_journal(self) -> None:
        """For each server, and for all of them."""
        told = names(
            row(port(), port(status="ACTIVE"), "status"),
            row(port(status="ACTIVE"), port(), "status"),
            row(port(), port(status="ACTIVE"), "status"),
            row(port(), None, "delete"),
        )
        self.assertEqual(told, [PLUGGED, UNPLUGGED, PLUGGED, DELETED])


class OthersTests(SynchronousTestCase):
    """What is none of Nova's."""

    def _told(self, **named: Any) -> list[str]:
        changed = port(**named, fixed_ips=[], status="ACTIVE")
        return names(row(port(**named), changed), row(changed, None, "delete"))

    def test_ports_of_others(self) -> None:
        """Those of DHCP, of routers, of nothing, and those of bare metal, which Ironic looks after."""
        for owner in ("network:dhcp", "network:router_interface", "", "baremetal:none", "xcompute:nova"):
            self.assertEqual(self._told(device_owner=owner), [], owner)

    def test_devices_that_are_no_server(self) -> None:
        """A server's id is a UUID."""
        for device_id in ("", "reserved_dhcp_port", "my-vm", SERVER[:-1]):
            self.assertEqual(self._told(device_id=device_id), [], device_id)

    def test_a_uuid_may_have_other_forms(self) -> None:
        """As for Neutron, which takes what uuid.UUID does."""
        self.assertEqual(self._told(device_id=SERVER.upper().replace("-", "")), [PLUGGED, CHANGED, DELETED])

    def test_other_resources(self) -> None:
        """Only ports are looked at."""
        self.assertEqual(names(row({"id": "n"}, {"id": "n", "status": "ACTIVE"}, resource="network")), [])


class BodyTests(SynchronousTestCase):
    """The request."""

    def test_it_is_what_the_compute_api_takes(self) -> None:
        """Name, server, tag (the port) and status; nothing else is allowed there."""
        events = events_of([row(port(), port(status="ACTIVE"), "status")])
        told = {"name": PLUGGED, "server_uuid": SERVER, "tag": PORT, "status": "completed"}
        self.assertEqual(json.loads(body_of(events)), {"events": [told]})
