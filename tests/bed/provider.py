"""A provider outside: a namespace on an external network that delegates prefixes by Kea's DHCPv6 server. Needs root.

What it delegates it sends to whom it is told to; it answers at ``INTERNET``, which stands for everybody else.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.bed.dhcp_client6 import await_link_local
from tests.bed.host import Guest
from tests.bed.openvswitch import run

PROGRAM: Final = "kea-dhcp6"
INTERNET: Final = "2001:db8:ffff::1"
_IA_PD: Final = "2"
_END_SECONDS: Final = 10.0


@define(eq=False)
class Provider:
    """Kea in the namespace of a guest. ``pool`` is what it delegates from, in prefixes of ``length``."""

    guest: Guest
    directory: Path
    subnet: str
    pool: str = "2001:db8:100::/40"
    length: int = 64
    valid_seconds: int = 3600
    more: Mapping[str, object] = field(factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def be_internet(self) -> None:
        """Have the address that stands for everybody, and forward."""
        self.guest.vm.run("ip", "link", "set", "lo", "up")
        self.guest.vm.run("ip", "-6", "address", "replace", f"{INTERNET}/128", "dev", "lo", "nodad")
        self.guest.vm.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")

    def send(self, prefix: str, gateway: str) -> None:
        """Send what is for a prefix to a router outside."""
        self.guest.vm.run("ip", "-6", "route", "replace", prefix, "via", gateway, "dev", "eth0")

    def start(self) -> None:
        """Delegate from now on. Kea opens no socket at an address that may still be somebody else's."""
        await_link_local(self.guest.vm)
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = self.directory / "kea.conf"
        settings.write_text(json.dumps({"Dhcp6": self._settings()}))
        command = ("ip", "netns", "exec", self.guest.vm.namespace, PROGRAM, "-c", str(settings))
        where = {"KEA_PIDFILE_DIR": str(self.directory), "KEA_LOCKFILE_DIR": str(self.directory)}
        with (self.directory / "kea.out").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | where)

    def stop(self) -> None:
        """Delegate nothing any more; what was given is known at the next start."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(_END_SECONDS)

    def forget(self) -> None:
        """Know nothing of what was given."""
        for each in self.directory.glob("leases.csv*"):
            each.unlink()

    def log(self) -> str:
        """Return what Kea said."""
        path = self.directory / "kea.log"
        return path.read_text() if path.exists() else ""

    def leases(self) -> dict[str, str]:
        """Return the prefixes that are given now, and the DUIDs of who has them."""
        found: dict[str, str] = {}
        path = self.directory / "leases.csv"
        # Of each lease the last line says how it is; that of one that was given back has no time left.
        for row in csv.DictReader(path.read_text().splitlines() if path.exists() else ()):
            if row["lease_type"] == _IA_PD:
                prefix = f"{row['address']}/{row['prefix_len']}"
                found[prefix] = row["duid"] if row["valid_lifetime"] != "0" and row["state"] == "0" else ""
        return {prefix: duid for prefix, duid in found.items() if duid}

    def _settings(self) -> dict[str, object]:
        prefix, _, length = self.pool.partition("/")
        pools = [{"prefix": prefix, "prefix-len": int(length), "delegated-len": self.length}]
        log = {"output": str(self.directory / "kea.log"), "flush": True}
        return {
            "interfaces-config": {"interfaces": ["eth0"]},
            "lease-database": {"type": "memfile", "persist": True, "name": str(self.directory / "leases.csv")},
            "server-id": {"type": "EN", "enterprise-id": 2495, "identifier": "0102030405060708", "persist": False},
            "valid-lifetime": self.valid_seconds,
            "preferred-lifetime": self.valid_seconds * 2 // 3,
            "renew-timer": self.valid_seconds // 3,
            "rebind-timer": self.valid_seconds * 2 // 3,
            "subnet6": [{"id": 1, "interface": "eth0", "subnet": self.subnet, "pd-pools": pools, **self.more}],
            "loggers": [{"name": PROGRAM, "severity": "DEBUG", "debuglevel": 45, "output_options": [log]}],
        }


def addresses_of(namespace: str) -> list[str]:
    """Return the global IPv6 addresses of a namespace's eth0 that are not deprecated."""
    shown = run("ip", "-n", namespace, "-6", "-o", "address", "show", "dev", "eth0", "scope", "global")
    return re.findall(r"inet6 (\S+)/", "\n".join(line for line in shown.splitlines() if "deprecated" not in line))
