"""Tests on quantumd by role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.bed.cluster import Cluster, Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest, HostCase
from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq


class RolesCase(HostCase):
    """``appliance`` is the first API process of the ``cluster``, ``ovs`` the switch of its first host."""

    skip = HostCase.skip or missing_rabbitmq()
    host_names: ClassVar[tuple[str, ...]] = ("host-a",)
    controllers: ClassVar[tuple[str, ...]] = ("controller",)
    settings: ClassVar[Mapping[str, str]] = {}
    python_path: ClassVar[Mapping[str, tuple[Path, ...]]] = {}
    tunnels: ClassVar[Mapping[str, str]] = {}
    own_settings: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    gateways: ClassVar[tuple[str, ...]] = ()
    cluster: ClassVar[Cluster]
    broker: ClassVar[RabbitmqServer]
    hosts: ClassVar[tuple[Host, ...]]
    has_roles: ClassVar[bool] = False
    """Whether they have come up once."""

    @classmethod
    def setUpClass(cls) -> None:
        """Start the cluster."""
        cls.take_directory()
        cls.cluster = Cluster(
            cls.directory,
            cls.host_names,
            cls.settings,
            cls.controllers,
            cls.make_database(),
            cls.python_path,
            cls.tunnels,
            cls.own_settings,
            cls.gateways,
        )
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.start(cls.prepare_switch)
        cls.broker, cls.hosts, cls.appliance = cls.cluster.broker, cls.cluster.hosts, cls.cluster.api
        cls.ovs = cls.hosts[0].ovs

    @classmethod
    def make_database(cls) -> str:
        """Return the URL of the database, '' for SQLite."""
        return ""

    def setUp(self) -> None:
        """Wait for the roles, whose logs are shown as well."""
        super().setUp()
        for host in self.hosts:
            self.addCleanup(host.ovs.remove_vms)
        for process in (*self.cluster.apis[1:], *(process for host in self.hosts for process in host.processes)):
            self.addCleanup(self.show_log, process, len(process.log()) if self.has_roles else 0)
        self.cluster.await_roles()
        type(self).has_roles = True

    def agents(self) -> list[dict[str, Any]]:
        """Return the agents."""
        return self.cluster.agents()

    def boot(self, host: Host, network: Mapping[str, Any]) -> Guest:
        """Boot a VM on a host; it has its lease."""
        guest = self.plug_at(host, network)
        self.assertEqual(udhcpc(guest.vm, self.directory).ip_address, guest.ip)
        guest.configure(24)
        return guest

    def plug_at(self, host: Host, network: Mapping[str, Any]) -> Guest:
        """Bind a port to a host and plug a VM there; it has no address yet."""
        port = self.appliance.create("port", network_id=network["id"], **{"binding:host_id": host.name})
        self.assertEqual(port["binding:vif_type"], "ovs")
        guest = Guest(port, host.ovs.make_vm(port["id"], port["mac_address"]))
        host.ovs.plug(guest.vm)
        self.appliance.await_status(guest.id)
        return guest
