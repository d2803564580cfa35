"""Networks that are deleted with all that is on them, as clients ask for it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.api.everything import ADMIN, ALICE, BOB, everything
from tests.api.wire import Reply


class CascadeTests(SynchronousTestCase):
    """``DELETE /v2.0/networks/<id>?cascade=true``."""

    def setUp(self) -> None:
        """Serve everything to Alice, who has a network with two ports on it, one of them bound."""
        self.api = everything()
        self.api.add_host("host-1")
        self.network_id = self.network()
        self.port_ids = [self.port(self.network_id) for _ in range(2)]
        self.api.request("PUT", f"ports/{self.port_ids[0]}", {"port": {"binding:host_id": "host-1"}})

    def network(self) -> str:
        """Make a network of Alice's with a subnet, and so with a DHCP port, and return its id."""
        network_id: str = self.api.make("networks", "network", ALICE)["id"]
        self.api.make("subnets", "subnet", ALICE, network_id=network_id, cidr="10.9.0.0/24", ip_version=4)
        return network_id

    def port(self, network_id: str, headers: Any = ALICE, **body: Any) -> str:
        """Make a port and return its id."""
        port_id: str = self.api.make("ports", "port", headers, network_id=network_id, **body)["id"]
        return port_id

    def delete(self, option: str = "?cascade=true", headers: Any = ALICE) -> Reply:
        """Delete the network."""
        return self.api.request("DELETE", f"networks/{self.network_id}{option}", headers=headers)

    def status(self, path: str) -> int:
        """Return how something is answered to an administrator."""
        return self.api.request("GET", path, headers=ADMIN).status

    def test_it_goes_with_its_ports(self) -> None:
        """Bound ones too, and nothing of it is left."""
        self.assertEqual((self.delete().status, self.delete().status), (204, 404))
        dump = self.api.dump()
        for table in ("networks", "subnets", "ports", "ip_allocations", "segments"):
            self.assertEqual((table, dump[table]), (table, []))

    def test_each_port_is_journalled(self) -> None:
        """So that whoever follows ports hears of it."""
        self.delete()
        gone = [row for row in self.api.dump()["journal"] if set(self.port_ids) & set(row) and "delete" in row]
        self.assertEqual(len(gone), 2)

    def test_who_does_not_ask_is_refused(self) -> None:
        """As ever while there are ports."""
        for option in ("", "?cascade=false", "?cascade=0", "?cascade=true&cascade=false"):
            self.assertEqual(self.delete(option).error[:2], (409, "NetworkInUse"))

    def test_what_is_no_boolean_is_told(self) -> None:
        """And nothing is deleted."""
        status, kind, message = self.delete("?cascade=perhaps").error
        self.assertEqual((status, kind), (400, "InvalidInput"))
        self.assertEqual(message, "Invalid input for operation: 'perhaps' cannot be converted to boolean.")
        self.assertEqual(self.status(f"networks/{self.network_id}"), 200)

    def test_ports_of_others_go_too(self) -> None:
        """The owner of a network deletes what is on it."""
        self.api.request("PUT", f"networks/{self.network_id}", {"network": {"shared": True}})
        port_id = self.port(self.network_id, BOB)
        self.assertEqual(self.delete().status, 204)
        self.assertEqual(self.status(f"ports/{port_id}"), 404)

    def test_only_the_owner_may(self) -> None:
        """With whom a network is shared loses nothing by trying; to others it is not there."""
        self.assertEqual(self.delete(headers=BOB).error[:2], (404, "NetworkNotFound"))
        self.api.request("PUT", f"networks/{self.network_id}", {"network": {"shared": True}})
        port_id = self.port(self.network_id, BOB)
        self.assertEqual(self.delete(headers=BOB).error[:2], (403, "PolicyNotAuthorized"))
        self.assertEqual(self.status(f"ports/{port_id}"), 200)

    def test_what_the_caller_may_not_delete_keeps_all(self) -> None:
        """Members do not delete ports of compute services, by whatever way; administrators do."""
        self.port(self.network_id, ADMIN, device_owner="compute:nova", device_id="vm")
        self.assertEqual(self.delete().error[:2], (403, "PolicyNotAuthorized"))
        self.assertEqual([self.status(f"ports/{each}") for each in self.port_ids], [200, 200])
        self.assertEqual(self.delete(headers=ADMIN).status, 204)

    def test_an_old_revision_keeps_all(self) -> None:
        """It is looked at before anything goes."""
        headers = {**ALICE, "If-Match": "revision_number=0"}
        self.assertEqual(self.delete(headers=headers).status, 412)
        self.assertEqual(self.status(f"ports/{self.port_ids[0]}"), 200)

    def test_trunks_end_with_their_parents(self) -> None:
        """Though the parent is bound; their sub-ports on other networks stay, and are free."""
        inside = self.port(self.network())
        parent = self.port(self.network_id)
        sub = {"port_id": inside, "segmentation_type": "vlan", "segmentation_id": 5}
        trunk = self.api.make("trunks", "trunk", ALICE, port_id=parent, sub_ports=[sub], admin_state_up=False)["id"]
        self.api.request("PUT", f"ports/{parent}", {"port": {"binding:host_id": "host-1"}})
        self.assertEqual(self.delete().status, 204)
        self.assertEqual((self.status(f"trunks/{trunk}"), self.status(f"ports/{parent}")), (404, 404))
        left = self.api.request("GET", f"ports/{inside}").json["port"]
        self.assertEqual((left["device_owner"], left["device_id"], left["binding:host_id"]), ("", "", ""))

    def test_trunks_of_other_networks_lose_a_sub_port(self) -> None:
        """They keep the others."""
        parent, kept = (self.port(self.network()) for _ in range(2))
        subs = [
            {"port_id": port_id, "segmentation_type": "vlan", "segmentation_id": number}
            for number, port_id in enumerate((self.port(self.network_id), kept), 5)
        ]
        trunk = self.api.make("trunks", "trunk", ALICE, port_id=parent, sub_ports=subs)["id"]
        self.assertEqual(self.delete().status, 204)
        self.assertEqual(self.api.request("GET", f"trunks/{trunk}").json["trunk"]["sub_ports"], subs[1:])

    def test_other_resources_have_no_such_option(self) -> None:
        """It is not looked at there."""
        self.assertEqual(self.api.request("DELETE", f"ports/{self.port_ids[0]}?cascade=perhaps").status, 204)
