"""A whole host for a class of tests: a private Open vSwitch, quantumd over it, and VMs that come and go.

Needs root. The switch and the appliance are shared by the tests of a class; VMs are gone after each test, and
everything else after the last, whatever failed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import PrivateOvs, Vm

_LOG_LIMIT = 8000


@frozen
class Guest:
    """A VM, and its port as the API created it."""

    port: Mapping[str, Any]
    vm: Vm

    @property
    def id(self) -> str:
        """The port's id."""
        return str(self.port["id"])

    @property
    def mac(self) -> str:
        """The port's MAC address."""
        return str(self.port["mac_address"])

    @property
    def ip(self) -> str:
        """The port's first address."""
        return str(self.port["fixed_ips"][0]["ip_address"])

    def configure(self, prefix_length: int = 24, address: str = "") -> None:
        """Set an address by hand, the port's own unless another is given."""
        flags = ("nodad",) if ":" in (address or self.ip) else ()
        self.vm.run("ip", "address", "replace", f"{address or self.ip}/{prefix_length}", "dev", "eth0", *flags)

    def can_reach(self, address: str, tries: int = 10) -> bool:
        """Whether an address answers an echo request; up to ``tries`` of them, 0.2 s apart."""
        command = ("ping", "-n", "-c1", "-W1", address)
        for _ in range(tries):
            try:
                self.vm.run(*command)
            except subprocess.CalledProcessError:
                time.sleep(0.2)
            else:
                return True
        return False


class HostCase(SynchronousTestCase):
    """Tests on one host. ``settings`` are the appliance's; its switch is reachable as ``ovs``."""

    skip = missing(*OVS, "ping")
    settings: ClassVar[Mapping[str, str]] = {}
    directory: ClassVar[Path]
    ovs: ClassVar[PrivateOvs]
    appliance: ClassVar[Appliance]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the switch and quantumd."""
        cls.take_directory()
        cls.ovs = PrivateOvs(cls.directory / "ovs")
        cls.addClassCleanup(cls.ovs.stop)
        cls.appliance = Appliance(cls.directory / "quantumd", cls.ovs.directory, cls.settings)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.ovs.start()
        cls.prepare_switch()
        cls.appliance.start("/readyz")

    @classmethod
    def take_directory(cls) -> None:
        """Skip where something is missing; else make the directory in which everything is kept."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        folder = tempfile.TemporaryDirectory(prefix="quantumd-host-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.directory = Path(folder.name)

    @classmethod
    def prepare_switch(cls) -> None:
        """Do to the switch what must be done before quantumd sees it."""

    def setUp(self) -> None:
        """Show what was logged if the test fails; remove VMs in any case."""
        self.addCleanup(self.show_log, self.appliance, len(self.appliance.log()))
        self.addCleanup(self.ovs.remove_vms)

    def show_log(self, process: Appliance, start: int) -> None:
        """pytest shows it with a test that failed. Requests alone would fill the screen."""
        lines = (line for line in process.log()[start:].splitlines() if "  answered method=" not in line)
        sys.stdout.write("\n".join(lines)[-_LOG_LIMIT:])

    def make_network(self, *cidrs: str, subnet: Mapping[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
        """Create a network with subnets; ``subnet`` are further attributes of each of them."""
        network = self.appliance.create("network", **attributes)
        for cidr in cidrs:
            version = 6 if ":" in cidr else 4
            self.appliance.create("subnet", network_id=network["id"], cidr=cidr, ip_version=version, **(subnet or {}))
        return network

    def make_guest(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a port and a VM for it; it is not plugged yet."""
        port = self.appliance.create("port", network_id=network["id"], **attributes)
        return Guest(port, self.ovs.make_vm(port["id"], port["mac_address"]))

    def plug(self, *guests: Guest) -> None:
        """Plug VMs by the command of the boot flow and wait until their ports are ACTIVE."""
        for guest in guests:
            self.ovs.plug(guest.vm)
        for guest in guests:
            self.appliance.await_status(guest.id)

    def plugged(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a port, plug a VM for it, wait until it is ACTIVE and set its first address by hand."""
        guest = self.make_guest(network, **attributes)
        self.plug(guest)
        guest.configure(64 if ":" in guest.ip else 24)
        return guest

    def update(self, resource: str, resource_id: str, **changes: Any) -> dict[str, Any]:
        """Change a resource and return it; the test fails unless 200."""
        answer = self.appliance.request(
            "PUT", f"/v2.0/{resource.replace('_', '-')}s/{resource_id}", {resource: changes}
        )
        self.assertEqual(answer.status, 200, answer.body)
        changed: dict[str, Any] = answer.body[resource]
        return changed

    def delete(self, resource: str, resource_id: str) -> None:
        """Delete a resource; the test fails unless 204."""
        answer = self.appliance.request("DELETE", f"/v2.0/{resource.replace('_', '-')}s/{resource_id}")
        self.assertEqual(answer.status, 204, answer.body)

    def status_of(self, guest: Guest) -> str:
        """Return the status of a guest's port."""
        return str(self.appliance.show("port", guest.id)["status"])

    def wait_for(self, what: str, is_so: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is so; the test fails when it is not in time."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {seconds:g} s")
            time.sleep(0.02)

    def flows_with(self, *texts: str) -> list[str]:
        """Return the flows of the integration bridge that contain all of these texts."""
        lines = self.ovs.ofctl("dump-flows", "--no-stats").splitlines()
        return [line for line in lines if all(text in line for text in texts)]

    def ofport(self, guest: Guest) -> str:
        """Return the OpenFlow number of a plugged guest."""
        return self.ovs.vsctl("get", "interface", guest.vm.tap, "ofport").strip()
