"""Requests about security groups, as clients send them: from bytes to bytes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiSite
from quantumd.api.extensions.features import serve
from quantumd.api.identity import identify
from quantumd.config import ApiSettings, NetworkSettings
from tests.api.wire import Reply, Wire

_HEADERS = {"X-Project-Id": "alice", "X-Roles": "member"}


def wire_of(preview: bool) -> Wire:
    """Return a wire to everything that is served."""
    wire = Wire(body_limit_bytes=100_000)
    api = Api(
        served=serve(NetworkSettings(), ("physnet1",), (), preview=preview),
        store=wire.store,
        readiness=wire.readiness,
        metrics=wire.metrics,
        reactor=wire.clock,
        bulk_limit=100,
        version="1.0",
        settings=ApiSettings(),
    )
    wire.site = ApiSite(
        make_app(api),
        reactor=wire.clock,
        identify=identify,
        new_request_id=lambda: "req-1",
        metrics=wire.metrics.api,
        body_limit_bytes=100_000,
    )
    return wire


class RequestTests(SynchronousTestCase):
    """Groups, rules and the rest over HTTP."""

    def setUp(self) -> None:
        """Serve everything."""
        self.wire = wire_of(preview=True)

    def request(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request of a member of Alice's project."""
        return self.wire.request(method, f"/v2.0/{path}", body, _HEADERS)

    def test_the_first_list_finds_the_default_group(self) -> None:
        """It is written before the list is read."""
        (group,) = self.request("GET", "security-groups").json["security_groups"]
        self.assertEqual((group["name"], group["tenant_id"]), ("default", "alice"))
        self.assertEqual(len(self.request("GET", "security-group-rules").json["security_group_rules"]), 4)

    def test_a_rule_is_made_and_deleted(self) -> None:
        """With the texts that the client knows."""
        group = self.request("POST", "security-groups", {"security_group": {"name": "web"}}).json["security_group"]
        body = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 22}
        self.assertEqual(
            self.request("POST", "security-group-rules", {"security_group_rule": body}).error,
            (
                400,
                "SecurityGroupInvalidPortRange",
                "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            ),
        )
        reply = self.request("POST", "security-group-rules", {"security_group_rule": {**body, "port_range_max": 22}})
        self.assertEqual(reply.status, 201)
        path = f"security-group-rules/{reply.json['security_group_rule']['id']}"
        self.assertEqual(self.request("PUT", path, {"security_group_rule": {}}).status, 405)
        self.assertEqual(self.request("DELETE", path).status, 204)

    def test_addresses_are_added(self) -> None:
        """By a request of its own."""
        group = self.request("POST", "address-groups", {"address_group": {}}).json["address_group"]
        reply = self.request("PUT", f"address-groups/{group['id']}/add_addresses", {"addresses": ["10.0.0.0/8"]})
        self.assertEqual((reply.status, reply.json["address_group"]["addresses"]), (200, ["10.0.0.0/8"]))

    def test_default_statefulness_has_one_name(self) -> None:
        """For one as for many."""
        name, headers = "security_groups_default_statefulness", {"X-Project-Id": "p", "X-Roles": "admin"}
        path = "/v2.0/security-groups-default-statefulness"
        made = self.wire.request("POST", path, {name: {"project_id": None, "stateful": False}}, headers)
        self.assertEqual((made.status, made.json[name]["project_id"]), (201, None))
        listed = self.wire.request("GET", path, headers=headers)
        self.assertEqual(listed.json[name], [made.json[name]])

    def test_what_can_be_logged_is_listed(self) -> None:
        """Under the path of logging."""
        reply = self.wire.request("GET", "/v2.0/log/loggable-resources", headers={"X-Roles": "admin"})
        self.assertEqual(reply.json, {"loggable_resources": [{"type": "security_group"}]})


class ServedTests(SynchronousTestCase):
    """What is there without preview."""

    def setUp(self) -> None:
        """Serve what packets obey: no driver declares groups."""
        self.wire = wire_of(preview=False)

    def test_groups_are_not_there(self) -> None:
        """Neither their paths nor their aliases."""
        for path in ("security-groups", "security-group-rules", "address-groups", "log/logs"):
            self.assertEqual(self.wire.request("GET", f"/v2.0/{path}").status, 404, path)
        aliases = {each["alias"] for each in self.wire.request("GET", "/v2.0/extensions").json["extensions"]}
        self.assertFalse({each for each in aliases if "security-group" in each} - {"rbac-policies"})

    def test_policies_are_there(self) -> None:
        """They are a matter of the API alone."""
        self.assertEqual(self.wire.request("GET", "/v2.0/rbac-policies").json, {"rbac_policies": []})

    def test_ports_name_no_groups(self) -> None:
        """The attribute is unknown."""
        network = self.wire.request("POST", "/v2.0/networks", {"network": {}}).json["network"]["id"]
        port = self.wire.request("POST", "/v2.0/ports", {"port": {"network_id": network}})
        self.assertNotIn("security_groups", port.json["port"])
        reply = self.wire.request("POST", "/v2.0/ports", {"port": {"network_id": network, "security_groups": []}})
        self.assertEqual(reply.error, (400, "HTTPBadRequest", "Unrecognized attribute(s) 'security_groups'"))
