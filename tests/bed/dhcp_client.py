"""Ordinary DHCP clients, run in a VM's namespace: udhcpc and ISC's dhclient.

Both call a script of ours at each event (``udhcpc.script``, ``dhclient.script``), which configures ``eth0`` and notes
what the client was told.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from attrs import define, field, frozen

from tests.bed.openvswitch import Vm

_HERE = Path(__file__).parent
# Ask for the routes of RFC 3442 (121), the MTU and names too: udhcpc asks for neither by itself.
_ASK = tuple(word for name in ("staticroutes", "mtu", "hostname", "domain", "dns") for word in ("-O", name))
_DHCLIENT_SETTINGS = """\
option classless-routes code 121 = array of unsigned integer 8;
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name, interface-mtu,
    classless-routes;
retry 1;
initial-interval 1;
backoff-cutoff 2;
select-timeout 0;
"""


class NoLease(Exception):
    """The client gave up or something awaited did not happen; what it said is the message."""


@frozen
class Lease:
    """What a client was told. ``told`` has everything, by the names that the client gives its script."""

    ip_address: str
    prefix_length: int
    server: str
    lease_seconds: int
    router: str | None
    routes: tuple[tuple[str, str], ...]
    dns_servers: tuple[str, ...]
    mtu_bytes: int | None
    domain: str | None
    host_name: str | None
    told: Mapping[str, str] = field(repr=False)


L = TypeVar("L")


@define
class Client(Generic[L]):
    """A DHCP client of one VM, running until ``stop()``. Use ``Udhcpc``, ``Dhclient`` or ``Dhclient6``.

    ``directory`` gets its files. ``more`` are more options of the program.
    """

    vm: Vm
    directory: Path
    more: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def leases(self) -> Path:
        """Where the script notes what happens."""
        return self.directory.resolve() / f"{self.vm.name}.{type(self).__name__.lower()}"

    def command(self) -> tuple[str, ...]:
        """The program and its options."""
        raise NoLease("a client is Udhcpc or Dhclient")

    def start(self) -> None:
        """Start the client; it asks until it has a lease, and renews it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.glob(f"{self.leases.name}*"):
            old.unlink()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                ("ip", "netns", "exec", self.vm.namespace, *self.command()),
                env={**os.environ, "LEASES": str(self.leases)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def log_path(self) -> Path:
        """What the client printed."""
        return self.leases.with_name(f"{self.leases.name}.log")

    def events(self) -> tuple[str, ...]:
        """What has happened so far, in order, in the client's own words."""
        return tuple(self.leases.read_text().split()) if self.leases.exists() else ()

    def await_event(self, event: str, limit_seconds: float = 15.0, times: int = 1) -> L:
        """Wait until an event has happened ``times`` times; return what the client was told then. NoLease if not."""
        deadline = time.monotonic() + limit_seconds
        while self.events().count(event) < times:
            if time.monotonic() > deadline:
                raise NoLease(f"no {event} within {limit_seconds} s, but {self.events()}; {self.log_path.read_text()}")
            time.sleep(0.005)
        return self.lease(event)

    def lease(self, event: str) -> L:
        """What the client was told at the last such event."""
        lines = Path(f"{self.leases}.{event}").read_text().splitlines()
        return self.read(dict(line.partition("=")[::2] for line in lines if "=" in line))

    def read(self, told: Mapping[str, str]) -> L:
        """Read the variables that the script was given."""
        raise NoLease("a client is Udhcpc or Dhclient")

    def stop(self) -> None:
        """End the client; address and routes stay."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)


@define
class Udhcpc(Client[Lease]):
    """Busybox's client. Events: deconfig, bound, renew, nak, leasefail."""

    def command(self) -> tuple[str, ...]:
        """A DISCOVER a second, three to a try, and try after try."""
        script = str(_HERE / "udhcpc.script")
        return ("udhcpc", "-f", "-i", "eth0", "-s", script, "-t", "3", "-T", "1", "-A", "1", *_ASK, *self.more)

    def read(self, told: Mapping[str, str]) -> Lease:
        """Read the variables that the script was given."""
        words = told.get("staticroutes", "").split()
        return Lease(
            ip_address=told["ip"],
            prefix_length=int(told.get("mask", "32")),
            server=told.get("serverid", ""),
            lease_seconds=int(told.get("lease", "0")),
            router=_first(told.get("router")),
            routes=tuple(zip(words[::2], words[1::2], strict=False)),
            dns_servers=tuple(told.get("dns", "").split()),
            mtu_bytes=int(told["mtu"]) if "mtu" in told else None,
            domain=told.get("domain"),
            host_name=told.get("hostname"),
            told=told,
        )


@define
class Dhclient(Client[Lease]):
    """ISC's client. Events: PREINIT, BOUND, RENEW, REBIND, EXPIRE, FAIL."""

    def command(self) -> tuple[str, ...]:
        """In the foreground, with its own lease and pid file."""
        settings = self.leases.with_name(f"{self.leases.name}.conf")
        settings.write_text(_DHCLIENT_SETTINGS)
        return (
            "dhclient", "-4", "-d", "-sf", str(_HERE / "dhclient.script"), "-cf", str(settings),
            "-lf", f"{self.leases}.db", "-pf", f"{self.leases}.pid", "-e", f"LEASES={self.leases}", *self.more, "eth0",
        )  # fmt: skip

    def read(self, told: Mapping[str, str]) -> Lease:
        """Read the variables that the script was given."""
        mask = told.get("new_subnet_mask", "255.255.255.255")
        return Lease(
            ip_address=told["new_ip_address"],
            prefix_length=sum(int(part).bit_count() for part in mask.split(".")),
            server=told.get("new_dhcp_server_identifier", ""),
            lease_seconds=int(told.get("new_dhcp_lease_time", "0")),
            router=_first(told.get("new_routers")),
            routes=_routes([int(octet) for octet in told.get("new_classless_routes", "").split()]),
            dns_servers=tuple(told.get("new_domain_name_servers", "").split()),
            mtu_bytes=int(told["new_interface_mtu"]) if "new_interface_mtu" in told else None,
            domain=told.get("new_domain_name"),
            host_name=told.get("new_host_name"),
            told=told,
        )


def _first(words: str | None) -> str | None:
    return words.split()[0] if words else None


def _routes(octets: list[int]) -> tuple[tuple[str, str], ...]:
    """Read option 121: prefix length, the octets of the prefix that count, the router (RFC 3442)."""
    routes = []
    while octets:
        length = octets.pop(0)
        significant = (length + 7) // 8
        prefix = octets[:significant] + [0] * (4 - significant)
        router = octets[significant : significant + 4]
        octets = octets[significant + 4 :]
        routes.append((f"{'.'.join(map(str, prefix))}/{length}", ".".join(map(str, router))))
    return tuple(routes)


def udhcpc(vm: Vm, directory: Path, limit_seconds: float = 15.0, more: tuple[str, ...] = ()) -> Lease:
    """Get a lease with udhcpc, configure ``eth0`` with it and end the client. NoLease when none comes in time."""
    return once(Udhcpc(vm, directory, more), "bound", limit_seconds)


def dhclient(vm: Vm, directory: Path, limit_seconds: float = 15.0, more: tuple[str, ...] = ()) -> Lease:
    """Get a lease with ISC's dhclient, configure ``eth0`` with it and end the client. NoLease when none in time."""
    return once(Dhclient(vm, directory, more), "BOUND", limit_seconds)


def once(client: Client[L], event: str, limit_seconds: float) -> L:
    """Start a client, wait for an event and end it; return what it was told then. NoLease when it comes not in time."""
    client.start()
    try:
        return client.await_event(event, limit_seconds)
    finally:
        client.stop()
