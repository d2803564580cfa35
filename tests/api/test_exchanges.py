"""What Neutron 29 was recorded to answer, asked here: status, type and sentence of each refusal, and the small answers.

The numbers are those of the record of exchanges. Ids and addresses of the record are ours here.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import NetworkSettings, QuotaSettings
from tests.api.everything import ADMIN, ALICE, Headers, everything

NOBODY = "00000000-0000-0000-0000-000000000000"
Refused = tuple[int, str, str, Any, tuple[int, str, str]]


class ExchangeTests(SynchronousTestCase):
    """A member of a project, and an administrator."""

    maxDiff = None

    def setUp(self) -> None:
        """Make a network with a subnet and a port, and a security group with a rule."""
        settings = NetworkSettings(tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:199",))
        self.api = everything(settings, QuotaSettings(network=100, subnet=100, port=500))
        self.network = self.api.make("networks", "network", ALICE, name="cap-1")["id"]
        self.subnet = self.api.make(
            "subnets", "subnet", ALICE, network_id=self.network, ip_version=4, cidr="10.9.0.0/24"
        )["id"]
        self.port = self.api.make("ports", "port", ALICE, network_id=self.network)
        self.group = self.api.make("security-groups", "security_group", ALICE, name="cap-g")["id"]
        self.rule = {
            "security_group_id": self.group,
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": 22,
            "port_range_max": 22,
            "remote_ip_prefix": "10.0.0.0/8",
        }

    def expect(self, *expected: Refused, headers: Headers = ALICE) -> None:
        """Check that each request is refused so."""
        for number, method, path, body, refusal in expected:
            self.assertEqual((number, self.api.request(method, path, body, headers).error), (number, refusal))

    def answered(self, method: str, path: str, body: Any = None, headers: Headers = ALICE) -> tuple[int, Any]:
        """Return status and body of an answer; None for no body."""
        reply = self.api.request(method, path, body, headers)
        return reply.status, reply.json if reply.body else None

    def test_queries(self) -> None:
        """Filters, limits, sort keys, ids and paths that are not there."""
        limit = "Bad limit request: Limit must be an integer 0 or greater and not 'abc'."
        self.expect(
            (20, "GET", "networks?nope=1", None, bad("['nope'] is invalid attribute for filtering")),
            (21, "GET", "networks?limit=abc", None, (400, "BadRequest", limit)),
            (22, "GET", "networks?sort_key=nope", None, bad("The number of sort_keys and sort_dirs must be same")),
            (23, "GET", f"networks/{NOBODY}", None, no_network(NOBODY)),
            (24, "GET", "nopes", None, (404, "HTTPNotFound", "The resource could not be found.")),
        )

    def test_bodies(self) -> None:
        """What is wrong with them is told as there."""
        boolean = "Invalid input for operation: 'perhaps' cannot be converted to boolean."
        shared = "(rule:create_network and rule:create_network:shared) is disallowed by policy"
        provider = "(rule:create_network and rule:create_network:provider:network_type) is disallowed by policy"
        self.expect(
            (25, *post("network", name="a", nope=1), bad("Unrecognized attribute(s) 'nope'")),
            (26, *post("network", admin_state_up="perhaps"), (400, "InvalidInput", boolean)),
            (27, "POST", "networks", {"net": {}}, bad("Unable to find 'network' in request body")),
            (28, "POST", "networks", b"{nope", bad("Body contains invalid data")),
            (30, *post("network", shared=True), (403, "PolicyNotAuthorized", shared)),
            (31, *post("network", **{"provider:network_type": "vlan"}), (403, "PolicyNotAuthorized", provider)),
        )

    def test_changes(self) -> None:
        """Of an old revision, of what is read-only, of nothing in particular."""
        one = f"networks/{self.network}"
        self.expect(
            (29, "PUT", one, {"network": {"status": "DOWN"}}, bad("Cannot update read-only attribute status")),
            (32, "PUT", "networks", {"network": {}}, no_network("None")),
        )
        revision = self.api.request("GET", one, headers=ALICE).json["network"]["revision_number"]
        told = f"Constrained to 0, but current revision is {revision}"
        self.expect(
            (13, "PUT", one, {"network": {"name": "z"}}, (412, "RevisionNumberConstraintFailed", told)),
            headers={**ALICE, "If-Match": "revision_number=0"},
        )

    def test_subnets(self) -> None:
        """That overlap, that are none, and a gateway among the addresses that ports are given."""
        overlap = f"Requested subnet with cidr: 10.9.0.0/25 for network: {self.network} overlaps with another subnet."
        gateway = "Gateway ip 10.9.0.5 conflicts with allocation pool 10.9.0.2-10.9.0.254."
        of = {"network_id": self.network, "ip_version": 4}
        self.expect(
            (35, *post("subnet", **of, cidr="10.9.0.0/25"), wrong(overlap)),
            (36, *post("subnet", **of, cidr="10.9.0.0/99"), wrong("10.9.0.0/99 is not in a CIDR format.")),
            (
                37,
                "PUT",
                f"subnets/{self.subnet}",
                {"subnet": {"gateway_ip": "10.9.0.5"}},
                (409, "GatewayConflictWithAllocationPools", gateway),
            ),
        )

    def test_ports(self) -> None:
        """Addresses that are taken or foreign; what is in use stays."""
        address, mac = self.port["fixed_ips"][0]["ip_address"], self.port["mac_address"]
        taken = f"IP address {address} already allocated in subnet {self.subnet}"
        foreign = "IP address 192.0.2.9 is not a valid IP for any of the subnets on the specified network."
        same = f"Unable to complete operation for network {self.network}. The mac address {mac} is in use."
        used = (
            f"Unable to complete operation on network {self.network}. There are one or more ports still in use on the "
            f"network, id for these ports is: {self.port['id']}."
        )
        of = {"network_id": self.network}
        self.expect(
            (40, *post("port", **of, fixed_ips=[{"ip_address": address}]), (409, "IpAddressAlreadyAllocated", taken)),
            (41, *post("port", **of, fixed_ips=[{"ip_address": "192.0.2.9"}]), (400, "InvalidIpForNetwork", foreign)),
            (42, *post("port", **of, mac_address=mac), (409, "MacAddressInUse", same)),
            (46, "DELETE", f"networks/{self.network}", None, (409, "NetworkInUse", used)),
        )

    def test_deletions(self) -> None:
        """A member does not delete a port of a guest; what is gone is not found."""
        guest = {"port": {"device_owner": "compute:nova", "device_id": "vm"}}
        port = f"ports/{self.port['id']}"
        self.api.request("PUT", port, guest, ADMIN)
        told = "rule:delete_port is disallowed by policy"
        self.expect((84, "DELETE", port, None, (403, "PolicyNotAuthorized", told)))
        self.assertEqual(self.answered("DELETE", port, headers=ADMIN), (204, None))
        self.assertEqual(self.answered("DELETE", f"networks/{self.network}"), (204, None))
        self.expect((88, "DELETE", f"networks/{self.network}", None, no_network(self.network)))

    def test_security_group_rules(self) -> None:
        """Twice the same, and ports the wrong way round."""
        made = self.api.make("security-group-rules", "security_group_rule", ALICE, **self.rule)
        self.assertEqual(made["revision_number"], 0)
        exists = f"Security group rule already exists. Rule id is {made['id']}."
        order = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        wrong_order = {**self.rule, "port_range_min": 80}
        rules = "security-group-rules"
        self.expect(
            (63, "POST", rules, {"security_group_rule": self.rule}, (409, "SecurityGroupRuleExists", exists)),
            (64, "POST", rules, {"security_group_rule": wrong_order}, (400, "SecurityGroupInvalidPortRange", order)),
        )

    def test_quotas(self) -> None:
        """Limits are an administrator's, hold, and are reset once."""
        own, body = "quotas/alice", {"quota": {"network": 1}}
        over, told = "Quota exceeded for resources: ['network'].", "rule:update_quota is disallowed by policy"
        self.assertEqual(self.answered("PUT", own, body, ADMIN)[1]["quota"]["network"], 1)
        self.expect(
            (72, *post("network", name="over"), (409, "OverQuota", over)),
            (73, "PUT", own, body, (403, "PolicyNotAuthorized", told)),
        )
        self.assertEqual(self.answered("DELETE", own, headers=ADMIN), (204, None))
        gone = "Quota for project alice could not be found."
        self.expect((75, "DELETE", own, None, (404, "TenantQuotaNotFound", gone)), headers=ADMIN)

    def test_tags(self) -> None:
        """One is added, all are replaced, one is missing."""
        tags = f"networks/{self.network}/tags"
        self.assertEqual(self.answered("PUT", f"{tags}/red"), (201, None))
        self.assertEqual(self.api.request("PUT", f"{tags}/red", headers=ALICE).body, b"null")
        both = {"tags": ["red", "blue"]}
        self.assertEqual(self.answered("PUT", tags, both), (200, both))
        found = self.answered("GET", "networks?tags=red,blue&fields=tags")
        self.assertEqual(found, (200, {"networks": [{"tags": ["blue", "red"]}]}))
        self.expect((79, "GET", f"{tags}/green", None, (404, "TagNotFound", "Tag green could not be found.")))


def post(member: str, **body: Any) -> tuple[str, str, Any]:
    """Return method, path and body of a request to make one."""
    return "POST", f"{member}s", {member: body}


def bad(message: str) -> tuple[int, str, str]:
    """Return the refusal of what no server understands."""
    return 400, "HTTPBadRequest", message


def wrong(reason: str) -> tuple[int, str, str]:
    """Return the refusal of a value."""
    return 400, "InvalidInput", f"Invalid input for operation: {reason}"


def no_network(network_id: str) -> tuple[int, str, str]:
    """Return what is said of a network that is not there."""
    return 404, "NetworkNotFound", f"Network {network_id} could not be found."
