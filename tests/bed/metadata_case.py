"""Tests of metadata: VMs that ask with curl, a host that answers, and Nova where there is one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.host import Guest
from tests.bed.metadata_api import PORT, SECRET, WELL, MetadataApi
from tests.bed.needs import OVS, missing
from tests.bed.routed import RouterCase

IPV4 = "http://169.254.169.254"
IPV6 = "http://[fe80::a9fe:a9fe%25eth0]"

ANSWERING: Mapping[str, str] = {"metadata.enabled": "true", "quota.security_group": "-1"}


class MetadataCase(RouterCase):
    """Tests on one host that answers metadata by itself."""

    skip = missing(*OVS, "ping", "nft", "conntrack", "curl")
    settings: ClassVar[Mapping[str, str]] = ANSWERING

    def link_guest(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a VM that looks for metadata on its link."""
        guest = self.plugged(network, **attributes)
        self.look_on_link(guest)
        return guest

    def look_on_link(self, guest: Guest) -> None:
        """Let a VM look for metadata on its link."""
        guest.vm.run("ip", "route", "replace", "169.254.169.254/32", "dev", "eth0")

    def ask(self, guest: Guest, path: str, *options: str, root: str = IPV4) -> str:
        """Return what curl prints."""
        if root == IPV6:
            self.await_link_local(guest)
        return guest.vm.run("curl", "-sS", "--max-time", "25", *options, f"{root}{path}")

    def status(self, guest: Guest, path: str, *options: str, root: str = IPV4, seconds: float = 3) -> str:
        """Return the status of an answer; 000 where there is none."""
        command = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", f"{seconds}", *options)
        return guest.vm.run("sh", "-c", '"$@" || true', "sh", *command, f"{root}{path}")

    def await_link_local(self, guest: Guest) -> None:
        """Wait until a VM knows that nobody else has its address of the link."""
        self.wait_for(
            "it has an address of the link",
            lambda: guest.vm.run("ip", "-6", "address", "show", "scope", "link", "-tentative").strip() != "",
        )

    @property
    def place(self) -> str:
        """The name of the namespace where the host answers."""
        return f"{self.appliance.routers_prefix}services"


class NovaCase(MetadataCase):
    """Tests on one host that passes requests on to Nova."""

    settings: ClassVar[Mapping[str, str]] = {
        **ANSWERING,
        "metadata.nova_url": f"http://127.0.0.1:{PORT}",
        "metadata.secret_file": "",
        "metadata.timeout_seconds": "2",
        "metadata.largest_body_bytes": "3000000",
    }
    nova: ClassVar[MetadataApi]

    @classmethod
    def prepare_switch(cls) -> None:
        """Start Nova."""
        secret = cls.directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text(f"{SECRET}\n")
        cls.appliance.settings = {**cls.settings, "metadata.secret_file": str(secret), **cls.more_settings()}
        cls.nova = cls.make_nova()
        cls.nova.start()
        cls.addClassCleanup(lambda: cls.nova.stop())

    @classmethod
    def make_nova(cls) -> MetadataApi:
        """Return Nova."""
        return MetadataApi(cls.ovs.namespace)

    @classmethod
    def more_settings(cls) -> Mapping[str, str]:
        """Return settings that are not known before the class is set up."""
        return {}

    def setUp(self) -> None:
        """Nova is well."""
        super().setUp()
        self.nova.mood = WELL
        self.nova.requests.clear()

    def told(self, guest: Guest, path: str = "/latest/", *options: str, root: str = IPV4) -> dict[str, Any]:
        """Return what Nova was told of who asks."""
        said: dict[str, Any] = json.loads(self.ask(guest, path, *options, root=root))
        return said
