"""quantumd by role: an API process, and hosts with a switch each, over one broker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from tests.bed.appliance import Appliance
from tests.bed.host import HostCase
from tests.bed.openvswitch import PrivateOvs
from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq

_KEY = "a key that all processes of the tests have\n"


@frozen
class Host:
    """A switch, and the processes of the roles that act on it."""

    name: str
    ovs: PrivateOvs
    l2: Appliance
    dhcp: Appliance

    @property
    def processes(self) -> tuple[Appliance, Appliance]:
        """Both roles."""
        return self.l2, self.dhcp


class RolesCase(HostCase):
    """``appliance`` is the API process, ``ovs`` the switch of the first of ``hosts``."""

    skip = HostCase.skip or missing_rabbitmq()
    host_names: ClassVar[tuple[str, ...]] = ("host-a",)
    controller: ClassVar[str] = "controller"
    """The name of the host on which the API process runs."""
    settings: ClassVar[Mapping[str, str]] = {}
    is_begun: ClassVar[bool] = False
    """Whether a test of the class has seen all of it run: what a start logs is shown when none has."""
    broker: ClassVar[RabbitmqServer]
    hosts: ClassVar[tuple[Host, ...]]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the broker, the switches, and all processes."""
        cls.take_directory()
        cls.broker = RabbitmqServer()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.hosts = tuple(cls.make_host(name) for name in cls.host_names)
        cls.ovs = cls.hosts[0].ovs
        cls.prepare_switch()
        cls.appliance = cls.make_process("api", cls.controller, None)
        for host in cls.hosts:
            for process in host.processes:
                process.launch()
        cls.appliance.start("/readyz")

    @classmethod
    def make_host(cls, name: str) -> Host:
        """Return a host whose switch runs; its processes are not started."""
        ovs = PrivateOvs(cls.directory / f"{name}-ovs")
        cls.addClassCleanup(ovs.stop)
        ovs.start()
        return Host(name, ovs, *(cls.make_process(role, name, ovs.directory) for role in ("l2", "dhcp")))

    @classmethod
    def make_process(cls, role: str, host: str, ovs_run_dir: Path | None) -> Appliance:
        """Return the process of a role; it is not started."""
        key = cls.directory / "key"
        key.write_text(_KEY)
        key.chmod(0o600)
        settings = {
            **{name: value for name, value in cls.broker.settings().items() if name.startswith("amqp.")},
            "bus.signing_key_file": str(key),
            "host.name": host,
            **cls.settings,
        }
        process = Appliance(cls.directory / f"{host}-{role}", ovs_run_dir, settings, command=f"quantumd-{role}")
        cls.addClassCleanup(process.close)
        return process

    def setUp(self) -> None:
        """Wait for the roles, whose logs are shown as well."""
        super().setUp()
        for host in self.hosts:
            self.addCleanup(host.ovs.remove_vms)
            for process in host.processes:
                self.addCleanup(self.show_log, process, len(process.log()) if self.is_begun else 0)
        self.wait_for("the roles", lambda: len(self.agents()) == 2 * len(self.hosts), 30)
        for host in self.hosts:
            self.wait_for("the bridge", partial(self.has_bridge, host), 30)
        type(self).is_begun = True

    def has_bridge(self, host: Host) -> bool:
        """Whether the integration bridge is there."""
        return host.ovs.bridge in host.ovs.vsctl("list-br").split()

    def agents(self) -> list[dict[str, Any]]:
        """Return the agents."""
        found: list[dict[str, Any]] = self.appliance.request("GET", "/v2.0/agents").body["agents"]
        return found
