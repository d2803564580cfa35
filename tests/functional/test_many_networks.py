"""As many networks as a host may have: all realised, each with a number of its own, tables linear. Needs root."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from attrs import frozen

from tests.bed.counts import count
from tests.bed.figures import note
from tests.bed.host import HostCase

NETWORKS = count(200, 5000)
PLUGS_AT_ONCE = 100
BULK = 500
SECONDS_PER_NETWORK = 0.25
"""Generous; what it took is noted."""
REQUEST_SECONDS = 120.0

_NUMBER = re.compile(r'quantumd-network-[^=]*="?(\d+)')


@frozen
class Tables:
    """How many flows, groups and meters the integration bridge has."""

    flows: int
    groups: int
    meters: int

    def minus(self, other: Tables) -> Tables:
        """Return what came since."""
        return Tables(self.flows - other.flows, self.groups - other.groups, self.meters - other.meters)


class ManyNetworksTests(HostCase):
    """One port on each; patch ports without a peer stand for devices."""

    @pytest.mark.slow
    @pytest.mark.time_limit(120 + NETWORKS * 0.5)
    def test_all_networks_of_a_host_are_realised(self) -> None:
        """Each port ACTIVE, each network with a number; the second half costs as many flows as the first."""
        ports = self.create_ports()
        empty = self.tables()
        half = NETWORKS // 2
        self.plug_all(ports[:half])
        first = self.tables()
        self.plug_all(ports[half:])
        second = self.tables()
        self.assertEqual(second.minus(first), first.minus(empty))
        self.assertEqual(second.minus(empty).groups, NETWORKS)
        numbers = _NUMBER.findall(self.ovs.vsctl("get", "bridge", "br-int", "external_ids"))
        self.assertEqual((len(numbers), len(set(numbers))), (NETWORKS, NETWORKS))
        note(f"{NETWORKS} networks: {second.flows} flows, {self.appliance.pss_kib() / 1024:.0f} MiB")
        self.unplug_all(ports)
        self.assertEqual(self.tables(), empty)

    def create_ports(self) -> list[str]:
        """Create networks with a subnet and a port each, in bulk; return the ports' ids.

        The ports have no groups: what groups cost is once for all networks.
        """
        networks = self.create_all("network", [{"name": f"n{n}"} for n in range(NETWORKS)])
        subnet = {"cidr": "10.0.0.0/24", "ip_version": 4}
        self.create_all("subnet", [{"network_id": network_id, **subnet} for network_id in networks])
        return self.create_all("port", [{"network_id": network_id, "security_groups": []} for network_id in networks])

    def create_all(self, resource: str, bodies: list[dict[str, Any]]) -> list[str]:
        """Create resources in bulk; return their ids."""
        ids: list[str] = []
        for start in range(0, len(bodies), BULK):
            body = {f"{resource}s": bodies[start : start + BULK]}
            answer = self.appliance.request("POST", f"/v2.0/{resource}s", body, timeout_seconds=REQUEST_SECONDS)
            self.assertEqual(answer.status, 201, answer.body)
            ids += [created["id"] for created in answer.body[f"{resource}s"]]
        return ids

    def plug_all(self, port_ids: list[str]) -> None:
        """Plug devices and wait until every port is ACTIVE."""
        began = time.monotonic()
        for start in range(0, len(port_ids), PLUGS_AT_ONCE):
            words: list[str] = []
            for port_id in port_ids[start : start + PLUGS_AT_ONCE]:
                name = f"tap{port_id[:11]}"
                words += ["--", "add-port", "br-int", name, "--", "set", "interface", name, "type=patch"]
                words += ["options:peer=none", f"external_ids:iface-id={port_id}"]
            self.ovs.vsctl(*words)
        plugged = time.monotonic() - began
        self.await_all("ACTIVE", set(port_ids))
        note(f"{len(port_ids)} networks: plugged in {plugged:.1f} s, all ACTIVE after {time.monotonic() - began:.1f} s")

    def unplug_all(self, port_ids: list[str]) -> None:
        """Unplug everything and wait until every port is DOWN."""
        for start in range(0, len(port_ids), PLUGS_AT_ONCE):
            words: list[str] = []
            for port_id in port_ids[start : start + PLUGS_AT_ONCE]:
                words += ["--", "del-port", "br-int", f"tap{port_id[:11]}"]
            self.ovs.vsctl(*words)
        self.await_all("DOWN", set(port_ids))

    def await_all(self, status: str, port_ids: set[str]) -> None:
        """Wait until all these ports have a status."""

        def is_so() -> bool:
            path = f"/v2.0/ports?fields=id&status={status}"
            answer = self.appliance.request("GET", path, timeout_seconds=REQUEST_SECONDS)
            return port_ids <= {port["id"] for port in answer.body["ports"]}

        self.wait_for(f"all {status}", is_so, 20 + NETWORKS * SECONDS_PER_NETWORK)

    def tables(self) -> Tables:
        """Count what the bridge holds."""
        groups = self.ovs.ofctl("dump-groups").count("group_id=")
        return Tables(len(self.flows_with("actions")), groups, self.ovs.ofctl("dump-meters").count("meter="))
