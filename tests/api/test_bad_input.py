"""Requests that make no sense, to everything that is served: a clear refusal, never a failure, nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.attributes import Attribute
from quantumd.api.resource import Action, Resource
from tests.api.bad_requests import BODIES, FIRST_LINES, FORMS, HEADERS, QUERIES, VALUES, inside
from tests.api.everything import ADMIN, Dump, unportable
from tests.api.tenants_world import ALICE_ID, Kept, World, alices_world
from tests.api.wire import Reply
from tests.bed.counts import count

EVERY = count(9, 1)
"""Of so many values one is tried, another one for each attribute; in a soak all are."""
SELDOM = count(29, 1)
"""The same where there are more of them."""

_ACTION_PARTS = {"host": "host-1", "tag": "red", "project_id": ALICE_ID}


@define
class Sender:
    """Sends requests, and notes those that were not answered as they should be."""

    world: World
    problems: list[str] = field(factory=list)
    requests: int = 0

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Send one and look at the answer."""
        lines = [f"{method} /v2.0/{path} HTTP/1.1", f"Content-Length: {len(body)}"]
        named = {"Host": "api.example", **ADMIN, **(headers or {})}
        lines += [f"{name}: {value}" for name, value in named.items()]
        return self.raw("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + body)

    def raw(self, request: bytes) -> Reply:
        """Send bytes; every answer is good or a refusal that says what is wrong."""
        self.requests += 1
        reply = self.world.api.wire.send(request)[0]
        if reply.status >= 500 or (reply.status >= 400 and not _is_clear(reply)):
            self.problems.append(f"{request[:300]!r} -> {reply.status} {reply.body[:300]!r}")
        return reply

    def dump(self) -> Dump:
        """Return everything that is stored, and note what other databases than SQLite would not have stored."""
        dump = self.world.api.dump()
        self.problems += unportable(dump)
        return dump

    def unchanged(self, before: Dump, what: str) -> None:
        """Note if something is stored that was not."""
        after = self.dump()
        self.problems += [f"{what} changes {name}" for name in after if after[name] != before[name]]


def _is_clear(reply: Reply) -> bool:
    if not reply.body:
        # Answers to HEAD, and of 304.
        return False
    error = reply.json.get("NeutronError", {})
    return {*error} == {"type", "message", "detail"} and bool(error["message"])


class BadInputCase(SynchronousTestCase):
    """There is one of everything."""

    def setUp(self) -> None:
        """Make it."""
        self.world = alices_world()
        self.sender = Sender(self.world)
        self.resources: Sequence[Resource] = self.world.api.served.resources

    def expect_no_problems(self, at_least: int) -> None:
        """Fail for what went wrong, or when too little was tried. Errors that were logged fail the test too."""
        self.assertEqual(self.sender.problems, [], "\n".join(self.sender.problems[:20]))
        self.assertGreaterEqual(self.sender.requests, at_least)

    def path(self, resource: Resource) -> str:
        """Return the path of a collection."""
        kept = self.world.kept.get(resource.member)
        return kept.path if kept is not None else resource.path


@pytest.mark.time_limit(count(300, 3600))
class BodyTests(BadInputCase):
    """Bodies of create and update requests."""

    def test_values_are_refused_or_taken(self) -> None:
        """Each attribute with what it cannot hold; what is taken can be shown and deleted again."""
        bodies = BODIES(self.world)
        made = {each.member for each in self.resources if "create" in each.verbs}
        self.assertEqual({*bodies}, made)
        offset = 0
        for resource in self.resources:
            for attribute in resource.attributes:
                offset += 1
                if attribute.in_post and "create" in resource.verbs:
                    self.create(resource, attribute, bodies[resource.member], offset)
                if attribute.in_put and resource.member in self.world.kept:
                    self.update(resource, attribute, self.world.kept[resource.member], offset)
        self.expect_no_problems(1500)

    def create(self, resource: Resource, attribute: Attribute, body: Mapping[str, Any], offset: int) -> None:
        """Try values of one attribute in create requests."""
        path, before = self.path(resource), self.sender.dump()
        rest = {name: value for name, value in body.items() if name != attribute.name}
        for value in _values(attribute, offset):
            reply = self.sender.send("POST", path, _body(resource.member, rest, attribute.name, value))
            if reply.status == 201:
                self.undo(path, reply.json[resource.member], f"{resource.member}: {attribute.name} = {value[:100]}")
                before = self.sender.dump()
        self.sender.unchanged(before, f"POST {path} {attribute.name}")

    def undo(self, path: str, view: Mapping[str, Any], what: str) -> None:
        """Delete what was made after all; it must be there."""
        key = next(view[name] for name in ("id", "fixed_port_id", "host") if name in view)
        one = f"{path}/{quote(key, safe='')}"
        if view.get("admin_state_up") is False:
            self.sender.send("PUT", one, json.dumps({path[:-1]: {"admin_state_up": True}}).encode())
        for method, status in (("GET", 200), ("DELETE", 204), ("GET", 404)):
            reply = self.sender.send(method, one)
            if reply.status != status:
                self.sender.problems.append(f"{what} was made, then {method}: {reply.status} {reply.body[:200]!r}")

    def update(self, resource: Resource, attribute: Attribute, kept: Kept, offset: int) -> None:
        """Try values of one attribute in update requests."""
        path, before = f"{kept.path}/{kept.id}", self.sender.dump()
        for value in _values(attribute, offset):
            reply = self.sender.send("PUT", path, _body(resource.member, {}, attribute.name, value))
            if reply.status == 200:
                old = json.dumps(kept.view.get(attribute.name))
                self.sender.send("PUT", path, _body(resource.member, {}, attribute.name, old))
                if self.sender.send("GET", path).status != 200:
                    self.sender.problems.append(f"{path} is lost by {attribute.name} = {value[:100]}")
                before = self.sender.dump()
        self.sender.unchanged(before, f"PUT {path} {attribute.name}")

    def test_bodies_of_no_form_are_refused(self) -> None:
        """No JSON, other JSON, keys that come twice, one and many at once, bulks of nothing and of everything."""
        for resource in self.resources:
            if "create" in resource.verbs:
                before = self.sender.dump()
                for form in FORMS(resource):
                    reply = self.sender.send("POST", self.path(resource), form)
                    self.assertIn(reply.status, (400, 403, 404, 413), (resource.member, form[:100], reply))
                self.sender.unchanged(before, f"POST {resource.path}")
            if "update" in resource.verbs and resource.member in self.world.kept:
                kept = self.world.kept[resource.member]
                before = self.sender.dump()
                for form in FORMS(resource):
                    reply = self.sender.send("PUT", f"{kept.path}/{kept.id}", form)
                    self.assertIn(reply.status, (200, 400, 403, 404, 409, 413), (resource.member, form[:100], reply))
                self.sender.unchanged(before, f"PUT {resource.path}")
        self.expect_no_problems(1000)


def _values(attribute: Attribute, offset: int) -> Iterator[str]:
    values = (*VALUES, *inside(attribute.schema, VALUES))
    yield from values[offset % EVERY :: EVERY]


def _body(member: str, rest: Mapping[str, Any], name: str, value: str) -> bytes:
    pairs = [*(f"{json.dumps(key)}: {json.dumps(each)}" for key, each in rest.items()), f"{json.dumps(name)}: {value}"]
    return f"{{{json.dumps(member)}: {{{', '.join(pairs)}}}}}".encode("utf-8", "surrogatepass")


@pytest.mark.time_limit(count(300, 3600))
class QueryTests(BadInputCase):
    """Filters, orders, pages, fields and ids."""

    def test_queries_are_refused_or_answered(self) -> None:
        """Each key with rubbish."""
        for path in ("security-groups", "network_segment_ranges"):
            # Lists make what everybody has by itself.
            self.sender.send("GET", path)
        made = {"security_groups", "default_security_groups", "security_group_rules", "journal", "tallies"}
        before, offset = self.sender.dump(), 0
        for resource in self.resources:
            if "list" in resource.verbs:
                names = [*(each.name for each in resource.attributes), *_OTHER_KEYS]
                for name in names:
                    offset += 1
                    for text in QUERIES[offset % SELDOM :: SELDOM]:
                        more = "limit=2&" if name == "marker" else ""
                        self.sender.send("GET", f"{self.path(resource)}?{more}{quote(name)}={text}")
        # An administrator's list of the groups of any project makes that one's default group, as today.
        after = self.sender.dump()
        self.assertLessEqual({name for name in after if after[name] != before[name]}, made)
        self.expect_no_problems(1500)

    def test_a_key_may_come_as_often_as_the_url_is_long(self) -> None:
        """Also tags, of which each is a condition."""
        texts = {"fixed_ips": "ip_address_substr={}", "admin_state_up": "true", "shared": "true", "tags": "{}"}
        for resource in self.resources:
            if "list" in resource.verbs:
                for name in (*(each.name for each in resource.attributes if each.filter_convert), *_OTHER_KEYS):
                    text = texts.get(name, "1{}" if name == "limit" else "x{}")
                    pairs, number = "", 0
                    while len(pairs) < 15_800:
                        number += 1
                        pairs += f"&{quote(name)}={quote(text.format(number))}"
                    self.sender.send("GET", f"{self.path(resource)}?{pairs[1:]}")
                for name in ("tags", "tags-any", "not-tags", "not-tags-any"):
                    self.sender.send("GET", f"{self.path(resource)}?{name}={','.join(map(str, range(3000)))}")
        self.expect_no_problems(500)

    def test_no_default_group_is_made_for_what_is_no_project(self) -> None:
        """Administrators' lists make that of any project that can be one."""
        before = self.sender.dump()
        self.sender.send("GET", f"security-groups?project_id={'a' * 256}")
        self.sender.unchanged(before, "GET")
        self.expect_no_problems(1)

    def test_ids_are_not_found(self) -> None:
        """Whatever they look like; also those of what a thing lives in."""
        before = self.sender.dump()
        for offset, resource in enumerate(self.resources):
            texts = [each for each in QUERIES[offset % EVERY :: EVERY] if each]
            for text in texts:
                for method in ("GET", "PUT", "DELETE"):
                    body = json.dumps({resource.member: {}}).encode() if method == "PUT" else b""
                    reply = self.sender.send(method, f"{self.path(resource)}/{text}", body)
                    self.assertNotEqual(reply.status, 204, (method, resource.path, text))
                if resource.is_nested:
                    for method in ("GET", "POST"):
                        self.sender.send(method, resource.path.replace("<parent_id>", text), b'{"x": {}}')
        self.sender.unchanged(before, "requests about ids")
        self.expect_no_problems(500)


_OTHER_KEYS = (
    "tenant_id", "tags", "tags-any", "not-tags", "not-tags-any", "changed_since", "fields", "sort_key", "sort_dir",
    "limit", "marker", "page_reverse", "bogus", "__class__", "",
)  # fmt: skip


class ActionTests(BadInputCase):
    """Requests beside the verbs."""

    def test_bodies_of_actions_are_refused_or_taken(self) -> None:
        """Whole bodies, and each of their keys."""
        for offset, action in enumerate(self.world.api.served.actions):
            values = (*VALUES, *inside(action.body_schema or {}, VALUES), *_keyed(action))
            for value in values[offset % SELDOM :: SELDOM]:
                body = value.encode("utf-8", "surrogatepass") if action.method != "GET" else b""
                self.sender.send(action.method, self.path_of(action), body)
        self.expect_no_problems(1000)

    def test_parts_of_their_paths_are_not_found(self) -> None:
        """Ids and tags that are none."""
        for action in self.world.api.served.actions:
            names = [each.partition(">")[0] for each in action.path.split("<")[1:]]
            for name in names:
                for text in [each for each in QUERIES[len(names) % EVERY :: EVERY] if each]:
                    path = self.path_of(action, {name: text})
                    self.sender.send(action.method, path, b'{"tags": ["a"]}' if action.method == "PUT" else b"")
        self.expect_no_problems(1000)

    def path_of(self, action: Action, parts: Mapping[str, str] | None = None) -> str:
        """Return the path with ids of what is there."""
        named = {**_ACTION_PARTS, **(parts or {})}
        begin = action.path.partition("/<")[0]
        owners = [each.id for each in self.world.kept.values() if each.path in (begin, f"qos/{begin}")]
        path = action.path
        for name in [each.partition(">")[0] for each in action.path.split("<")[1:]]:
            path = path.replace(f"<{name}>", named.get(name, owners[0] if owners else self.world.id("network")))
        return path


def _keyed(action: Action) -> Iterator[str]:
    for key in ("tags", "sub_ports", "addresses", "prefixes", "network_id", "quota", "service_profile", "port"):
        if key == "tags" and "/tags" not in action.path:
            continue
        yield from (f'{{"{key}": {value}}}' for value in VALUES)
    if action.path.startswith("quotas"):
        yield from (f'{{"quota": {{"port": {value}, "force": {value}}}}}' for value in VALUES)


class HeaderTests(BadInputCase):
    """Conditions, types, request lines."""

    def test_headers_do_no_harm(self) -> None:
        """Each with rubbish, on reads and on changes."""
        one = f"networks/{self.world.id('network')}"
        for name in HEADERS:
            for text in HEADERS[name]:
                for method, path in (("GET", one), ("GET", "networks?limit=1"), ("PUT", one), ("DELETE", one)):
                    body = b'{"network": {"mtu": -5}}' if method == "PUT" else b""
                    # A condition that does not hold, so that the network stays.
                    more = {"If-Match": "revision_number=999"} if method == "DELETE" and name != "If-Match" else {}
                    if method == "DELETE" and name == "If-Match" and not text.startswith("revision_number="):
                        continue
                    self.sender.send(method, path, body, {**more, name: text})
        self.assertEqual(self.sender.send("GET", one).status, 200)
        self.expect_no_problems(300)

    def test_first_lines_are_refused(self) -> None:
        """Methods, paths and versions that are none."""
        for line in FIRST_LINES:
            self.sender.raw(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.expect_no_problems(10)
