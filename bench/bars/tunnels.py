"""TCP between hosts through our tunnels, and through one made by hand on the same switches. Needs iperf3."""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from bench.bars.bed import Row
from bench.bars.cluster import HOSTS, ClusterBed, cluster_bed
from tests.bed.cluster import Host
from tests.bed.host import Guest
from tests.bed.openvswitch import Vm

ROUNDS = 5
SECONDS = 3
_ADDRESSES: Mapping[str, str] = {name: f"172.30.0.{number}" for number, name in enumerate(HOSTS, start=1)}
_KINDS: Mapping[str, str] = {"vxlan": "VXLAN", "gre": "GRE", "geneve": "Geneve"}
_BRIDGE = "br-hand"
_KEY = 4242
_LEAST = 0.9
_LISTEN_SECONDS = 10.0


@frozen
class Pair:
    """Two ends that reach each other: a VM, and what another one's address is."""

    source: Vm
    target: Vm
    address: str


def tunnels_bar() -> Iterator[Row]:
    """Each kind: our ports without port security, then with groups, each between runs of the one made by hand."""
    settings = {"l2.tunnel_types": json.dumps(list(_KINDS)), "l2.bind_unbound": "false"}
    with cluster_bed(settings, tunnels=_ADDRESSES) as here:
        for number, (kind, name) in enumerate(_KINDS.items(), start=1):
            network = here.make_network(
                f"10.{number}.0.0/24", **{"provider:network_type": kind, "provider:segmentation_id": 5000 + number}
            )
            free, guarded = (_guests(here, network, is_guarded) for is_guarded in (False, True))
            by_hand = _made_by_hand(here, number, kind, network["mtu"])
            yield from _compared(name, by_hand, free, guarded)
            for host in here.cluster.hosts:
                host.ovs.remove_vms()
                host.ovs.vsctl("--if-exists", "del-br", _BRIDGE)


def _compared(name: str, by_hand: Pair, free: Pair, guarded: Pair) -> Iterator[Row]:
    rounds = [[_mbps(pair) for pair in (by_hand, free, guarded)] for _ in range(ROUNDS)]
    hand, ours, grouped = (statistics.median(column) for column in zip(*rounds, strict=True))
    # In rounds: the machine is faster at one time than at another.
    ratio, grouped_ratio = (statistics.median(each[at] / each[0] for each in rounds) for at in (1, 2))
    figure = f"x{ratio:.2f}: {ours:.0f} of {hand:.0f} Mbit/s"
    yield Row(f"{name} between hosts, iperf3 against a tunnel made by hand", "≥ 0.9", figure, ratio >= _LEAST)
    yield Row("  with security groups", "-", f"x{grouped_ratio:.2f}: {grouped:.0f} Mbit/s", None)


def _guests(here: ClusterBed, network: Mapping[str, Any], is_guarded: bool) -> Pair:
    guests = [_guest(here, host, network, is_guarded) for host in here.cluster.hosts]
    for guest in guests:
        guest.vm.run("ip", "link", "set", "eth0", "mtu", str(network["mtu"]))
        guest.configure(24)
    if not guests[0].can_reach(guests[1].ip, tries=25):
        raise TimeoutError("the VMs do not reach each other")
    return Pair(guests[0].vm, guests[1].vm, guests[1].ip)


def _guest(here: ClusterBed, host: Host, network: Mapping[str, Any], is_guarded: bool) -> Guest:
    free = {} if is_guarded else {"port_security_enabled": False, "security_groups": []}
    port = here.api.create("port", network_id=network["id"], **{"binding:host_id": host.name}, **free)
    guest = Guest(port, host.ovs.make_vm(port["id"], port["mac_address"]))
    host.ovs.plug(guest.vm)
    here.api.await_status(guest.id)
    return guest


def _made_by_hand(here: ClusterBed, number: int, kind: str, mtu: int) -> Pair:
    """A bridge on each host with a VM and a tunnel to the other, and two flows."""
    vms = []
    for at, host in enumerate(here.cluster.hosts):
        far = _ADDRESSES[HOSTS[1 - at]]
        host.ovs.add_bridge(_BRIDGE)
        vm = host.ovs.make_vm(f"{number}{at}aaaaaa-hand", f"02:00:00:00:0{number}:0{at}", f"hand{number}{at}")
        for port, *options in (
            (vm.tap, "ofport_request=1"),
            ("by-hand", "ofport_request=2", f"type={kind}", f"options:remote_ip={far}", f"options:key={_KEY}"),
        ):
            host.ovs.vsctl("add-port", _BRIDGE, port, "--", "set", "Interface", port, *options)
        for one, other in ((1, 2), (2, 1)):
            host.ovs.ofctl("add-flow", f"in_port={one},actions=output:{other}", bridge=_BRIDGE)
        vm.run("ip", "link", "set", "eth0", "mtu", str(mtu))
        vm.run("ip", "address", "add", f"10.9.{number}.{at + 1}/24", "dev", "eth0")
        vms.append(vm)
    return Pair(vms[0], vms[1], f"10.9.{number}.2")


def _mbps(pair: Pair) -> float:
    server = subprocess.Popen(
        ("ip", "netns", "exec", pair.target.namespace, "iperf3", "--server", "--one-off", "--forceflush"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _await_listening(server)
        said = pair.source.run("iperf3", "--client", pair.address, "--time", str(SECONDS), "--json")
    finally:
        server.kill()
        server.communicate(timeout=10)
    return float(json.loads(said)["end"]["sum_received"]["bits_per_second"]) / 1e6


def _await_listening(server: subprocess.Popen[bytes]) -> None:
    """Wait until iperf3 says that it listens. TimeoutError, also when it ends without."""
    assert server.stdout is not None
    said, deadline = b"", time.monotonic() + _LISTEN_SECONDS
    while b"listening" not in said:
        ready, _, _ = select.select([server.stdout], [], [], max(0.0, deadline - time.monotonic()))
        more = os.read(server.stdout.fileno(), 4096) if ready else b""
        if not more:
            raise TimeoutError(f"iperf3 does not listen: {said.decode(errors='replace')}")
        said += more
