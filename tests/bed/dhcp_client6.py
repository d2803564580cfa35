"""ISC's DHCPv6 client in the namespace of a VM: addresses (``-6``), or only the rest (``-6 -S``). Needs root.

It speaks through a socket of the kernel from the VM's link-local address, as the clients of VMs do. Its script notes
what it was told, and configures ``eth0``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field, frozen

from tests.bed.dhcp_client import Client, NoLease, once
from tests.bed.openvswitch import Vm

_HERE = Path(__file__).parent
_SETTINGS = """\
option dhcp6.bootfile-url code 59 = text;
option dhcp6.sntp-servers code 31 = array of ip6-address;
option dhcp6.info-refresh-time code 32 = unsigned integer 32;
also request dhcp6.bootfile-url, dhcp6.sntp-servers, dhcp6.info-refresh-time;
"""


@frozen
class Lease6:
    """What a client was told at an event. ``told`` has everything, by the names that it gives its script."""

    ip_address: str
    preferred_seconds: int
    valid_seconds: int
    dns_servers: tuple[str, ...]
    search: tuple[str, ...]
    told: Mapping[str, str] = field(repr=False)


@define
class Dhclient6(Client[Lease6]):
    """Events: PREINIT6, BOUND6, RENEW6, REBIND6, DEPREF6, EXPIRE6, RELEASE6, STOP6; one for each address.

    ``more`` are more options of the program: ``-S`` asks for no address and is told RENEW6, ``-N`` twice for two.
    """

    def start(self) -> None:
        """Start the client when it can speak: without an address to ask for it does not wait for that itself."""
        await_link_local(self.vm)
        Client.start(self)

    def command(self) -> tuple[str, ...]:
        """In the foreground, with its own lease and pid file."""
        settings = self.leases.with_name(f"{self.leases.name}.conf")
        settings.write_text(_SETTINGS)
        return (
            "dhclient", "-6", "-d", "-sf", str(_HERE / "dhclient.script"), "-cf", str(settings),
            "-lf", f"{self.leases}.db", "-pf", f"{self.leases}.pid", "-e", f"LEASES={self.leases}", *self.more, "eth0",
        )  # fmt: skip

    def read(self, told: Mapping[str, str]) -> Lease6:
        """Read the variables that the script was given."""
        return Lease6(
            ip_address=told.get("new_ip6_address", ""),
            preferred_seconds=int(told.get("new_preferred_life", "0")),
            valid_seconds=int(told.get("new_max_life", "0")),
            dns_servers=tuple(told.get("new_dhcp6_name_servers", "").split()),
            search=tuple(told.get("new_dhcp6_domain_search", "").split()),
            told=told,
        )

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses that it was given, in order."""
        noted = Path(f"{self.leases}.addresses")
        return tuple(noted.read_text().split()) if noted.exists() else ()


def await_link_local(vm: Vm, limit_seconds: float = 10.0) -> None:
    """Wait until the VM may use its link-local address, which is first looked for among its neighbours."""
    deadline = time.monotonic() + limit_seconds
    show = ("ip", "-6", "address", "show", "dev", "eth0", "scope", "link")
    while "inet6" not in vm.run(*show, "-tentative"):
        if time.monotonic() > deadline:
            raise NoLease(f"no link-local address within {limit_seconds} s: {vm.run(*show)}")
        time.sleep(0.05)


def dhclient6(vm: Vm, directory: Path, limit_seconds: float = 20.0, more: tuple[str, ...] = ()) -> Lease6:
    """Get a lease, configure ``eth0`` with it and end the client. NoLease when none comes in time."""
    return once(Dhclient6(vm, directory, more), "BOUND6", limit_seconds)


def inform6(vm: Vm, directory: Path, limit_seconds: float = 20.0) -> Lease6:
    """Ask for everything but an address, and end the client. NoLease when nothing comes in time."""
    return once(Dhclient6(vm, directory, ("-S",)), "RENEW6", limit_seconds)
