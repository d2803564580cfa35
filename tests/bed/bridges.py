"""A host with Linux bridges: a network namespace, and namespaces that stand for its VMs. Needs root."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, field

from tests.bed.appliance import Appliance
from tests.bed.host import Guest, HostCase
from tests.bed.needs import missing
from tests.bed.openvswitch import Vm, run

BRIDGES = ("nft", "conntrack", "ip", "bridge", "ping")
"""The programs of a host with Linux bridges; ``missing(*BRIDGES)``."""

DRIVER = {"l2.driver": "linuxbridge", "host.edges": "real"}
"""The settings that choose it."""


@define
class BridgedHost:
    """A namespace to plug VMs into, in the place of an Open vSwitch."""

    directory: Path
    prefix: str = field(factory=lambda: f"qb-{uuid.uuid4().hex[:8]}")
    says_whose: bool = True
    """Whether a device is given an alias that says which port it is, so that a port without a binding is bound."""
    _vms: list[Vm] = field(factory=list)

    @property
    def namespace(self) -> str:
        """The namespace of the host."""
        return self.prefix

    def start(self) -> None:
        """Make the namespace."""
        self.directory.mkdir(parents=True, exist_ok=True)
        run("ip", "netns", "add", self.namespace)
        self.ip("link", "set", "lo", "up")
        # Bridges of others show the filters of IP nothing, as an administrator has it who wants that.
        for name in ("iptables", "ip6tables", "arptables"):
            self.run("sysctl", "-qw", f"net.bridge.bridge-nf-call-{name}=0")

    def ip(self, *command: str) -> str:
        """Run ``ip`` on the host."""
        return run("ip", "-n", self.namespace, *command)

    def run(self, *command: str) -> str:
        """Run a command on the host."""
        return run("ip", "netns", "exec", self.namespace, *command)

    def make_vm(self, port_id: str, mac: str, name: str | None = None) -> Vm:
        """Make a namespace that stands for a VM; its NIC comes with ``plug``."""
        name = name or port_id[:8]
        vm = Vm(name, f"{self.prefix}-{name}", f"tap{port_id[:11]}", port_id, mac)
        run("ip", "netns", "add", vm.namespace)
        self._vms.append(vm)
        vm.run("ip", "link", "set", "lo", "up")
        self._make_nic(vm)
        return vm

    def _make_nic(self, vm: Vm) -> None:
        # It has another name until it is plugged, as a device of a port is plugged by being there.
        nic = ("type", "veth", "peer", "name", "eth0", "address", vm.mac, "netns", vm.namespace)
        self.ip("link", "add", _waiting(vm), *nic)
        self.run("sysctl", "-qw", f"net.ipv6.conf.{_waiting(vm)}.disable_ipv6=1")
        vm.run("ip", "link", "set", "eth0", "up")

    def plug(self, vm: Vm, bridge: str = "", says_whose: bool = True) -> None:
        """Plug a VM: its device is there from now on, in a bridge if one is named, as Nova does it."""
        if self.says_whose and says_whose:
            self.ip("link", "set", _waiting(vm), "alias", f"port {vm.port_id}")
        if bridge:
            self.ip("link", "set", _waiting(vm), "master", bridge)
        self.ip("link", "set", _waiting(vm), "name", vm.tap)
        self.ip("link", "set", vm.tap, "up")

    def unplug(self, vm: Vm) -> None:
        """Take a VM's device away from its port; its NIC stays, without a carrier that leads anywhere."""
        if self.has(vm.tap):
            self.ip("link", "set", vm.tap, "down", "nomaster")
            self.ip("link", "set", vm.tap, "alias", "", "name", _waiting(vm))

    def has(self, device: str) -> bool:
        """Whether the host has a device."""
        return device in self.devices()

    def forwards(self, device: str) -> bool:
        """Whether a device is a port of a bridge that forwards frames."""
        return "state forwarding" in self.run("bridge", "link", "show", "dev", device)

    def devices(self) -> list[str]:
        """Return the names of the host's devices."""
        return [line.split(": ")[1].split("@")[0] for line in self.ip("-o", "link").splitlines()]

    def remove_vm(self, vm: Vm) -> None:
        """Remove a VM; its device goes with it."""
        self._vms.remove(vm)
        subprocess.run(("ip", "netns", "del", vm.namespace), check=False, capture_output=True)

    def remove_vms(self) -> None:
        """Remove all VMs."""
        for vm in tuple(self._vms):
            self.remove_vm(vm)

    def stop(self) -> None:
        """Remove everything."""
        self.remove_vms()
        subprocess.run(("ip", "netns", "del", self.namespace), check=False, capture_output=True)


def _waiting(vm: Vm) -> str:
    return f"nic{vm.tap[3:]}"


class BridgedCase(HostCase):
    """Tests on one host with Linux bridges. Mixed into classes that say what any driver does, it runs them here."""

    skip = missing(*BRIDGES)
    ovs: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        """Make the host and start quantumd on it."""
        cls.take_directory()
        cls.ovs = BridgedHost(cls.directory / "host")
        cls.addClassCleanup(cls.ovs.stop)
        settings = {**cls.settings, **DRIVER}
        cls.appliance = Appliance(cls.directory / "quantumd", None, settings, namespace=cls.ovs.namespace)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.ovs.start()
        cls.prepare_switch()
        cls.appliance.start("/readyz")

    def plug(self, *guests: Guest) -> None:
        """Plug VMs, wait until their ports are ACTIVE, and until the kernel has noticed that their cables are."""
        super().plug(*guests)
        for guest in guests:
            # It looks at devices that came up within a second (linkwatch).
            self.wait_for("the port forwards", lambda guest=guest: self.host.forwards(guest.vm.tap))  # type: ignore[misc]

    @property
    def host(self) -> BridgedHost:
        """The host."""
        host: BridgedHost = self.ovs
        return host

    def tracked(self, *texts: str) -> list[str]:
        """Return what is tracked that contains all of these texts."""
        lines = self.host.run("conntrack", "-L", "-o", "extended").splitlines()
        return [line for line in lines if all(text in line for text in texts)]

    def holds(self, is_so: Callable[[], bool], what: str = "it is so") -> None:
        """Something is so within the five seconds in which what strangers change is put back."""
        self.wait_for(what, is_so, 5.0)
