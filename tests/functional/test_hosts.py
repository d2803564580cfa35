"""``quantumctl host`` beside real processes of an API and a host. Needs root."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.bed.needs import CHECKOUT
from tests.bed.roles import RolesCase

ROLES = (("controller", "api"), ("host-a", "dhcp"), ("host-a", "l2"))


class HostCommandTests(RolesCase):
    """A host whose bridge mapping is broken: Open vSwitch makes no bridge of such a name."""

    urls: ClassVar[dict[str, str]]
    settings: ClassVar[Mapping[str, str]] = {
        "agents.down_seconds": "3",
        "l2.bridge_mappings": '["physnet1:br/ex"]',
        "network.vlan_ranges": '["physnet1:100:199"]',
    }

    @classmethod
    def setUpClass(cls) -> None:
        """Take a free port for each role's health."""
        cls.urls = {}
        for role in ("l2", "dhcp"):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            cls.settings = {**cls.settings, f"{role}.health_listen": f"tcp:{port}:interface=127.0.0.1"}
            cls.urls[role] = f"http://127.0.0.1:{port}"
        super().setUpClass()

    def quantumctl(self, *words: str, status: int = 0) -> str:
        """Run ``quantumctl`` on the controller; return what it printed."""
        command = [str(Path(sys.executable).with_name("quantumctl")), *self.appliance.options(), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False, env={"PYTHONPATH": str(CHECKOUT)}
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each role of each host."""
        lines = [line.split() for line in self.quantumctl("host", "list").splitlines()]
        return {(words[0], words[1]): words[2] for words in lines[1 : 1 + len(ROLES)]}

    def test_each_role_tells_how_it_is_by_itself(self) -> None:
        """Without an API process: ready, then waiting for the broker."""
        for role, url in self.urls.items():
            self.wait_for(role, lambda url=url: "ready" in self.ready(url), 20)  # type: ignore[misc]
            printed = self.quantumctl("status", "--url", url)
            self.assertIn(f"{url}: ready", printed)
            self.assertIn(f"version and role: {role} ", printed)
            self.assertIn(f"lag: {role} 0 s", printed)
        self.broker.kill()
        for url in self.urls.values():
            printed = self.quantumctl("status", "--url", url, status=1)
            self.assertIn("waiting for bus: the broker is away", printed)
        self.broker.start()
        for url in self.urls.values():
            self.wait_for("the broker", lambda url=url: "ready" in self.ready(url), 20)  # type: ignore[misc]

    def ready(self, url: str) -> str:
        """Return whether a role is ready."""
        with contextlib.suppress(HTTPError), urlopen(f"{url}/readyz", timeout=5) as answer:
            return str(answer.read())
        return ""

    @pytest.mark.time_limit(180)
    def test_it_tells_what_is_broken_and_who_is_silent(self) -> None:
        """Also when the API process itself is gone: then nobody hears hosts, and that is said."""
        self.wait_for("all", lambda: self.states() == dict.fromkeys(ROLES, "alive"), 10)
        cut_off = "bridge br/ex: physnet1 is cut off: Open vSwitch does not open phy-br/ex"
        self.wait_for("the fault", lambda: cut_off in self.quantumctl("host", "show", "host-a"), 10)
        self.plug(self.make_guest(self.make_network("10.7.0.0/24")))
        self.wait_for("all is in force", lambda: self.realised() == [self.wanted()] * 2, 15)
        vlan: dict[str, Any] = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
        self.ovs.plug(self.make_guest(self.make_network("10.8.0.0/24", **vlan)).vm)
        self.wait_for("all is in force", lambda: self.realised() == [self.wanted()] * 2, 15)
        self.assertIn("host-a: 2 ports (ACTIVE 1, DOWN 1)", self.quantumctl("host", "show", "host-a"))
        l2, dhcp = self.hosts[0].processes
        dhcp.kill()
        self.wait_for("silence", lambda: self.states()["host-a", "dhcp"] == "silent", 10)
        self.assertEqual(self.states(), dict.fromkeys(ROLES, "alive") | {("host-a", "dhcp"): "silent"})
        l2.kill()
        self.appliance.kill()
        self.wait_for("silence", lambda: set(self.states().values()) == {"silent"}, 10)
        self.assertIn("no API process lives since", self.quantumctl("host", "list"))
        self.assertIn(cut_off, self.quantumctl("host", "show", "host-a"))

    def realised(self) -> list[str]:
        """Return the positions that the roles have realised."""
        return [line.split()[3].rstrip(",") for line in self.progress()]

    def wanted(self) -> str:
        """Return the position that is wanted of l2."""
        return self.progress()[-1].split()[1].rstrip(",")

    def progress(self) -> list[str]:
        """Return the lines that say how far each role is."""
        return [line for line in self.quantumctl("host", "show", "host-a").splitlines() if "wanted" in line]
