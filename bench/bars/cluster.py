"""What the bars of several hosts are measured on: an API process, and two hosts with both roles, joined by a cable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.bed.appliance import Appliance
from tests.bed.cluster import Cluster, Host
from tests.bed.database_server import DatabaseServer
from tests.bed.databases import new_server
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest

HOSTS = ("host-a", "host-b")
WIRED: Mapping[str, str] = {
    "l2.bridge_mappings": '["physnet1:br-ex"]',
    "network.vlan_ranges": '["physnet1:100:199"]',
}
VLAN = {"provider:network_type": "vlan", "provider:physical_network": "physnet1"}
FLAT = {"provider:network_type": "flat", "provider:physical_network": "physnet1"}


@frozen
class ClusterBed:
    """A cluster, and what is done on it."""

    cluster: Cluster
    directory: Path
    database: DatabaseServer | None = None
    """Where it is not SQLite."""

    @property
    def api(self) -> Appliance:
        """The API process."""
        return self.cluster.api

    def make_network(self, cidr: str, **attributes: Any) -> dict[str, Any]:
        """Make a network with a subnet."""
        network = self.api.create("network", **attributes)
        self.api.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr)
        return network

    def make_guest(self, host: Host, network: Mapping[str, Any]) -> Guest:
        """Make a port that is bound to a host, and a VM there; it is not plugged."""
        port = self.api.create("port", network_id=network["id"], **{"binding:host_id": host.name})
        return Guest(port, host.ovs.make_vm(port["id"], port["mac_address"]))

    def boot(self, host: Host, network: Mapping[str, Any]) -> Guest:
        """Plug a VM at a host; return it with its lease."""
        guest = self.make_guest(host, network)
        host.ovs.plug(guest.vm)
        self.api.await_status(guest.id)
        udhcpc(guest.vm, self.directory)
        guest.configure(24)
        return guest


@contextmanager
def cluster_bed(
    settings: Mapping[str, str] = {}, on_postgresql: bool = False, tunnels: Mapping[str, str] | None = None
) -> Iterator[ClusterBed]:
    """Run a cluster; with ``on_postgresql`` its rows are in a PostgreSQL of its own.

    :param tunnels: by the name of a host, where tunnels to it end; VLANs are carried without.
    """
    with ExitStack() as ends:
        directory = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="quantumd-bench-")))
        database, url = None, ""
        if on_postgresql:
            database = new_server("postgresql")
            ends.callback(database.close)
            url = database.create("quantumd_bench")
        wired = {} if tunnels else WIRED
        cluster = Cluster(directory, HOSTS, {**wired, **settings}, database_url=url, tunnels=tunnels or {})
        ends.callback(cluster.close)
        cluster.start(cluster.lay_underlay if tunnels else cluster.wire)
        cluster.await_roles()
        yield ClusterBed(cluster, directory, database)
