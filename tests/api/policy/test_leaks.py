"""A stolen token of one project sees nothing of another: random requests, made from what is served.

100,000 of them in a soak, a sample in any other run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.attributes import Attribute
from quantumd.api.resource import Resource
from tests.api.tenants_world import BOB, Kept, World, alices_world
from tests.api.test_tenants import NOBODYS_ID, Attack
from tests.bed.counts import count

REQUESTS = count(1_000, 100_000)
_ROLES = ("reader", "member", "manager", "member,manager")
_TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")

Request = tuple[str, str, Any]


class Thief:
    """Makes requests of Bob's about what Alice has; the same for a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.random = Random(seed)
        self.world = world
        self.resources: Mapping[str, Resource] = {each.member: each for each in world.api.served.resources}
        self.ids = sorted({kept.id for kept in world.kept.values()} | {*world.ports})
        self.kinds: tuple[Callable[[Kept], Request | None], ...] = (
            self.shown, self.filtered, self.sorted, self.fields, self.tagged, self.changed, self.bulk, self.shared,
        )  # fmt: skip

    def requests(self, number: int) -> Iterator[Request]:
        """Yield that many."""
        kept = list(self.world.kept.values())
        while number:
            request = self.random.choice(self.kinds)(self.random.choice(kept))
            if request is not None:
                number -= 1
                yield request

    def shown(self, kept: Kept) -> Request:
        """Ask for one, by the id of anything."""
        resource_id = self.random.choice((kept.id, self.random.choice(self.ids)))
        return "GET", f"{kept.path}/{quote(resource_id)}", None

    def attribute(self, kept: Kept, *, with_filter: bool = False) -> Attribute:
        """Return an attribute of the resource."""
        every = self.resources[kept.member].attributes
        return self.random.choice(
            [each for each in every if not with_filter or each.filter_convert is not None] or every
        )

    def value(self, kept: Kept, name: str) -> Any:
        """Return what Alice's has there, or one of her ids."""
        return self.random.choice((kept.view.get(name), self.random.choice(self.ids)))

    def filtered(self, kept: Kept) -> Request:
        """Find by what Alice's has."""
        pairs = []
        for _ in range(self.random.randint(1, 3)):
            name = self.attribute(kept, with_filter=True).name
            pairs.append(f"{quote(name)}={quote(str(self.value(kept, name)))}")
        return "GET", f"{kept.path}?{'&'.join(pairs)}", None

    def sorted(self, kept: Kept) -> Request:
        """Order by anything, from a marker of Alice's."""
        key, direction = self.attribute(kept).name, self.random.choice(("asc", "desc"))
        page = self.random.choice(("", f"&limit=1&marker={quote(kept.id)}", "&limit=2&page_reverse=true"))
        return "GET", f"{kept.path}?sort_key={quote(key)}&sort_dir={direction}{page}", None

    def fields(self, kept: Kept) -> Request:
        """Ask for single attributes, of all or of one."""
        names = "&".join(f"fields={quote(self.attribute(kept).name)}" for _ in range(self.random.randint(1, 4)))
        return "GET", self.random.choice((f"{kept.path}?{names}", f"{kept.path}/{quote(kept.id)}?{names}")), None

    def tagged(self, kept: Kept) -> Request | None:
        """Read, set and find by tags."""
        if not self.resources[kept.member].is_taggable:
            return None
        method = self.random.choice(("GET", "PUT", "POST", "DELETE"))
        body = {"tags": ["x"]} if method in ("PUT", "POST") else None
        if self.random.random() < 0.3:
            return "GET", f"{kept.path}?{self.random.choice(_TAG_FILTERS)}=x", None
        return method, f"{kept.path}/{kept.id}/tags", body

    def changed(self, kept: Kept) -> Request:
        """Change or delete it."""
        if self.random.random() < 0.3:
            return "DELETE", f"{kept.path}/{quote(kept.id)}", None
        name = self.attribute(kept).name
        return "PUT", f"{kept.path}/{quote(kept.id)}", {kept.member: {name: self.value(kept, name)}}

    def bulk(self, kept: Kept) -> Request:
        """Make several that name what is Alice's."""
        resource = self.resources[kept.member]
        bodies = []
        for _ in range(self.random.randint(1, 3)):
            given = {each.name: self.value(kept, each.name) for each in resource.attributes if each.in_post}
            bodies.append({name: value for name, value in given.items() if self.random.random() < 0.7})
        # Under an id of Alice's, so that none is made: one that names nothing of hers would be Bob's own.
        bodies.append({"project_id": kept.view.get("project_id") or NOBODYS_ID})
        return "POST", kept.path, {resource.collection: bodies}

    def shared(self, kept: Kept) -> Request:
        """Give it away."""
        object_type = self.random.choice(("network", "subnetpool", "address_scope", "security_group", "qos_policy"))
        body = {"object_type": object_type, "object_id": kept.id, "action": "access_as_shared"}
        whom = self.random.choice((BOB["X-Project-Id"], "*"))
        return "POST", "rbac-policies", {"rbac_policy": {**body, "target_tenant": whom}}


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.time_limit(count(600, 850))
class LeakTests(SynchronousTestCase):
    """Whatever Bob asks, no answer holds a secret of Alice's that he did not send, and nothing of hers changes."""

    def test_nothing_is_told_and_nothing_changes(self) -> None:
        """With every role that a project gives, the answers as if nothing were there."""
        world = alices_world()
        secrets, seed = world.secrets(), Random().getrandbits(32)
        thief = Thief(world, seed)
        for role in _ROLES:
            attack = Attack(world, f"{role} (seed {seed})", {**BOB, "X-Roles": role}, secrets)
            for method, path, body in thief.requests(REQUESTS // len(_ROLES)):
                attack.harmless(method, path, body)
            problems = attack.end()
            self.assertEqual(problems, [], "\n".join(problems[:20]))
