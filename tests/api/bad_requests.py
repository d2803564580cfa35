"""Requests that make no sense: values, bodies, queries, headers and first lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from quantumd.api.resource import Resource
from tests.api.rubbish import EVERYTHING, inside
from tests.api.tenants_world import ALICE_ID, CAROL_ID, World, forwarding_to

__all__ = ["BODIES", "FIRST_LINES", "FORMS", "HEADERS", "QUERIES", "VALUES", "inside"]

VALUES: Final = EVERYTHING
"""JSON texts of values."""


def BODIES(world: World) -> Mapping[str, dict[str, Any]]:
    """Return what each resource can be made of, by member."""
    network: dict[str, Any] = {"network_id": world.id("network")}
    empty_id = world.api.make("networks", "network")["id"]
    port_ids = [world.api.make("ports", "port", **network)["id"] for _ in range(2)]
    group = {"security_group_id": world.id("security_group"), "direction": "ingress", "protocol": "tcp"}
    policy = {"object_type": "network", "object_id": network["network_id"], "action": "access_as_shared"}
    label = {"metering_label_id": world.id("metering_label")}
    template = {"direction": "ingress", "used_in_default_sg": True, "used_in_non_default_sg": True}
    return {
        "network": {},
        "subnet": {"network_id": empty_id, "cidr": "10.200.0.0/24", "ip_version": 4},
        "port": dict(network),
        "router": {},
        "floatingip": {"floating_network_id": world.external},
        "port_forwarding": {"protocol": "udp", "external_port": 53, **forwarding_to(world, port_ids[0])},
        "conntrack_helper": {"protocol": "udp", "port": 69, "helper": "tftp"},
        "ndp_proxy": {name: world.kept["ndp_proxy"].view[name] for name in ("router_id", "port_id")},
        "trunk": {"port_id": port_ids[0]},
        "tap_service": {"port_id": port_ids[1]},
        "tap_flow": {"tap_service_id": world.id("tap_service"), "source_port": port_ids[1], "direction": "IN"},
        "tap_mirror": {
            "port_id": port_ids[1],
            "project_id": ALICE_ID,
            "directions": {"IN": 90},
            "remote_ip": "192.0.2.90",
            "mirror_type": "gre",
        },
        "local_ip": {"local_port_id": world.ports[2]},
        "port_association": {"fixed_port_id": port_ids[1]},
        "binding": {"host": "host-9"},
        "address_group": {"addresses": ["10.0.0.0/8"]},
        "address_scope": {"ip_version": 4, "name": "x"},
        "default_security_group_rule": {**template, "protocol": "tcp"},
        "security_groups_default_statefulness": {"project_id": "zed"},
        "log": {"resource_type": "security_group"},
        "rbac_policy": {**policy, "target_tenant": CAROL_ID[::-1]},
        "security_group": {"name": "x"},
        "security_group_rule": {**group, "port_range_min": 5, "port_range_max": 7},
        "subnetpool": {"name": "x", "prefixes": ["10.0.0.0/8"]},
        "network_segment_range": {"network_type": "vxlan", "minimum": 70000, "maximum": 70010, "shared": True},
        "segment": {**network, "network_type": "vxlan", "segmentation_id": 1234},
        "policy": {"name": "x"},
        "bandwidth_limit_rule": {"max_kbps": 1000, "direction": "ingress"},
        "dscp_marking_rule": {"dscp_mark": 12},
        "minimum_bandwidth_rule": {"min_kbps": 5, "direction": "ingress"},
        "packet_rate_limit_rule": {"max_kpps": 5, "direction": "ingress"},
        "minimum_packet_rate_rule": {"min_kpps": 5, "direction": "ingress"},
        "flavor": {"service_type": "L3_ROUTER_NAT"},
        "service_profile": {"metainfo": "x"},
        "metering_label": {"name": "x"},
        "metering_label_rule": {**label, "direction": "egress", "remote_ip_prefix": "10.0.0.0/8"},
    }


def FORMS(resource: Resource) -> Iterator[bytes]:
    """Yield bodies that are no create and no update request of the resource."""
    one, many = json.dumps(resource.member), json.dumps(resource.collection)
    yield from (b"", b"{", b"null", b"[]", b'"x"', b"1", b"{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"NaN", b"{}x")
    yield from (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 500 + b"]" * 500)
    for text in (
        f"{{{one}: null}}", f"{{{one}: []}}", f'{{{one}: "x"}}', f"{{{one}: 7}}", f"{{{one}: [{{}}]}}",
        f'{{{one}: {{"bogus": 1}}}}', f'{{{one}: {{"": 1}}}}', f'{{{one}: {{"__class__": {{}}}}}}',
        f'{{{one}: {{"id": "deadbeef-0000-4000-8000-000000000000"}}}}',
        f'{{{one}: {{"name": "a", "name": "b"}}}}', f'{{{one}: {{"bogus": 1}}, {one}: {{}}}}',
        f'{{{one}: {{"description": "a", "description": {{"x": 1, "x": 2}}}}}}',
        f"{{{many}: null}}", f"{{{many}: []}}", f"{{{many}: 7}}", f"{{{many}: [null]}}", f"{{{many}: [[]]}}",
        f'{{{many}: [{{}}, 7, null, "x"]}}', f'{{{many}: [{{"bogus": 1}}]}}', f'{{{many}: [{{}}, {{"bogus": 1}}]}}',
        f'{{{many}: [{{"bogus": 1}}], {one}: {{}}}}', f'{{{many}: {{"bogus": 1}}}}',
        f'{{{many}: [{", ".join(["{}"] * 101)}]}}', '{"bogus": {}}', '{"": {}}',
        f'{{{one}: {{"project_id": "a", "tenant_id": "b"}}}}',
    ):  # fmt: skip
        # Where one has the name of many, a list of one is in order.
        if one != many or text != f"{{{one}: [{{}}]}}":
            yield text.encode()
    yield b'{"a": "' + b"x" * 2_000_000 + b'"}'


def _texts() -> Iterator[str]:
    for value in EVERYTHING:
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        text = parsed if isinstance(parsed, str) else value
        yield quote(text[:5000].encode("utf-8", "surrogatepass"), safe="")


QUERIES: Final = tuple(
    dict.fromkeys(
        (
            *_texts(),
            "%ff", "%C0%AE", "%E2%80", "%zz", "a%00b", "%", "a=b", "a=b=c", "=", "&&", "ip_address=1", "ip_address=",
            "ip_address_substr=", "ip_address_substr=%25", "subnet_id=", "%2B1", "-0", "+5", "1e2", "1,2", ",", ",,,",
            "TRUE", "a" * 8000, "2026-13-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59%2B23:59",
            "0001-01-01T00:00:00%2B14:00", "20260101", "2026-W01", "..%2F..%2Fetc", "%2e%2e", "...", ";", "%0d%0aX:1",
        )
    )
)  # fmt: skip
"""Values of queries and parts of paths, as they stand in a URL."""

_CONDITIONS: Final = (
    "", "*", 'W/"x"', '"x"', '"x", "y"', "x", "revision_number=", "revision_number=x", "revision_number=-1",
    "revision_number=1e3", "revision_number=" + "9" * 50, "revision_number=" + "9" * 5000,
    "revision_number=\u0661", "revision_number=1, revision_number=2", "\x01", "a" * 5000, "=", ",,,", "\u00e9",
)  # fmt: skip

HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "If-Match": _CONDITIONS,
    "If-None-Match": _CONDITIONS,
    "Content-Type": ("", "text/plain", "application/json; charset=utf-16", "application/jsonx", ";", "\x01", "a" * 900),
    "X-Forwarded-Proto": ("", "ftp", "https, http", "\u00e9", "javascript:"),
    "Host": ("", "a b", "[::1", "x:99999999", "\u00e9", "evil.example/%0d"),
    "X-Openstack-Request-Id": ("", "req-x", "\u00e9", "a" * 900),
    "X-Project-Id": ("", "*", "%", "\u00e9", "a" * 900, "\udcff", "' OR 1=1"),
    "X-Roles": ("", ",", "admin,,", " admin ", "ADMIN", "\u00e9", "a," * 400),
    "X-User-Id": ("", "\u00e9", "a" * 900),
    "Accept": ("", "text/html", "*/*;q=x"),
    "Range": ("bytes=0-1", "x"),
    "Origin": ("", "null", "https://evil.example", "\u00e9"),
}
"""Texts of headers."""

FIRST_LINES: Final = (
    b"BREW /v2.0/networks HTTP/1.1",
    b"get /v2.0/networks HTTP/1.1",
    b"PATCH /v2.0/networks HTTP/1.1",
    b"TRACE /v2.0/networks HTTP/1.1",
    b"GET /v2.0/../../etc/passwd HTTP/1.1",
    b"GET //v2.0//networks HTTP/1.1",
    b"GET /v2.0/networks%2f HTTP/1.1",
    b"GET /v2.0/networks/%00 HTTP/1.1",
    b"GET /v2.0/%ff HTTP/1.1",
    b"GET /v3/networks HTTP/1.1",
    b"GET http://evil.example/v2.0/networks HTTP/1.1",
    b"GET /v2.0/networks?" + b"a" * 20_000 + b" HTTP/1.1",
    b"GET /v2.0/networks?\xff\xfe HTTP/1.1",
    b"GET /v2.0/extensions/%ff HTTP/1.1",
    b"GET /v2.0/extensions/" + b"a" * 10_000 + b" HTTP/1.1",
)
"""First lines of requests."""
