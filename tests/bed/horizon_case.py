"""Tests in front of Horizon: what is started for them once, and what must not fail while a user clicks."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.chromium import Chromium, missing_chromium
from tests.bed.horizon import Horizon, Visitor, missing_horizon
from tests.bed.keystone import Keystone, User, missing_keystone, the_keystone

SETTINGS = {"l2.bridge_mappings": '["public:br-ex"]', "network.vlan_ranges": '["public:3000:3999"]'}


@define(eq=False)
class Stage:
    """A quantumd, a Horizon beside it, and a user with a browser; one for all tests."""

    keystone: Keystone = field(factory=the_keystone)
    folder: Any = field(factory=lambda: tempfile.TemporaryDirectory(prefix="qd-horizon-", ignore_cleanup_errors=True))
    appliance: Appliance = field(init=False)
    horizon: Horizon = field(init=False)
    visitor: Visitor = field(init=False)
    user: User = field(init=False)
    inside: User | None = field(default=None, init=False)
    """Who is logged in."""
    outside: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start all of them."""
        home = Path(self.folder.name)
        service = self.keystone.settings(self.keystone.make_user("service"), home / "password")
        self.appliance = Appliance(home / "quantumd", settings={**service, **SETTINGS})
        self.horizon = Horizon(home, self.keystone.url)
        self.visitor = Visitor(self.horizon, Chromium(home / "profile"))
        self.keystone.publish(self.appliance.url)
        self.user = self.keystone.make_user("member")
        self.appliance.launch()
        self.horizon.start()
        self.visitor.browser.start()
        self.appliance.await_answer("/healthz")
        self.outside = self.make(self.keystone.admin, "network", name="outside", **{"router:external": True})
        self.make(
            self.keystone.admin, "subnet", network_id=self.outside["id"], cidr="203.0.113.0/24", ip_version=4,
            enable_dhcp=False,
        )  # fmt: skip

    def enter(self, user: User) -> None:
        """Log a user in, if it is not the one who is."""
        if self.inside != user:
            with self.visitor.watched():
                self.visitor.log_in(user)
            self.inside = user

    def close(self) -> None:
        """End all of them."""
        self.visitor.browser.close()
        self.horizon.close()
        self.appliance.close()
        self.folder.cleanup()

    def ask(self, user: User, method: str, path: str, body: Any = None) -> Any:
        """Make a request of a user's own to quantumd."""
        answer = self.appliance.request(method, path, body, {"X-Auth-Token": self.keystone.token(user)})
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body}")
        return answer.body

    def make(self, user: User, resource: str, **attributes: Any) -> dict[str, Any]:
        """Create a resource by a request of a user's own."""
        made: dict[str, Any] = self.ask(user, "POST", f"/v2.0/{resource}s", {resource: attributes})[resource]
        return made

    def refusals(self, position: int) -> list[str]:
        """Return which requests were answered 400 and more, after a position in the log."""
        lines = [line for line in self.appliance.log_after(position).splitlines() if " quantumd.api.access " in line]
        said = [dict(each.split("=", 1) for each in line.split() if "=" in each) for line in lines]
        return [f"{each['method']} {each['path']} {each['status']}" for each in said if each["status"] >= "400"]


@cache
def the_stage() -> Stage:
    """Return the stage: started when it is first asked for."""
    return Stage()


class HorizonCase(SynchronousTestCase):
    """A user with a browser, who is logged in; nothing of what the pages do may fail behind the user's back."""

    skip = missing_keystone() or missing_horizon() or missing_chromium()

    def setUp(self) -> None:
        """Log in, and note where logs are."""
        self.stage = the_stage()
        self.user = self.who()
        self.stage.enter(self.user)
        self.visitor, self.browser = self.stage.visitor, self.stage.visitor.browser
        self.name = f"it-{uuid.uuid4().hex[:8]}"
        self.position = self.stage.appliance.log_bytes
        self.browser.failures.clear()
        self.complaints = len(self.stage.horizon.complaints())

    def who(self) -> User:
        """Return who is to be logged in."""
        return self.stage.user

    def run_watched(self, *steps: Callable[[], None]) -> None:
        """Take steps, one after the other, and see that nothing failed on the way."""
        with self.visitor.watched():
            for step in steps:
                step()
            self.assertEqual(self.stage.refusals(self.position), [])
            self.assertEqual(self.browser.failures, [])
            self.assertEqual(self.stage.horizon.complaints()[self.complaints :], [])

    def assert_in(self, shown: str, *words: str) -> None:
        """All of the words are shown."""
        self.assertEqual([each for each in words if each not in shown], [], shown)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request as the user."""
        return self.stage.ask(self.user, method, path, body)

    def named(self, resource: str) -> list[Any]:
        """Return what the user has of this test's name."""
        found: list[Any] = self.ask("GET", f"/v2.0/{resource}s?name={self.name}")[f"{resource.replace('-', '_')}s"]
        return found

    def make_network(self) -> tuple[Any, Any]:
        """Make a network with a subnet by requests."""
        network = self.stage.make(self.user, "network", name=self.name)
        subnet = self.stage.make(
            self.user, "subnet", network_id=network["id"], cidr="10.30.0.0/24", ip_version=4, name=self.name
        )
        return network, subnet
