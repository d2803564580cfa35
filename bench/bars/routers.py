"""Routers: from a request to the first packet, from cold, and what they cost while nothing happens."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from bench.bars.bed import Bed, Row, routed_bed, stall_row, turns
from tests.bed.host import Guest
from tests.bed.load import Behind, EchoStream, Target, echo_answers, echo_request
from tests.bed.openvswitch import run
from tests.bed.wire import Wire

TIMES = 21
ROUTERS = 200
_OUTSIDE = "203.0.0.0/16"
_INSIDES = ("10.0.0.0/24", "10.0.1.0/24")
_LIMIT_SECONDS = 20.0
_SETTLE_SECONDS = 5.0
"""After a start, until what it left to be done later is done."""
_IDLE_SECONDS = 20.0
_BETWEEN_ECHOES_SECONDS = 0.002
_FLOWING_SECONDS = 0.2
"""How long echoes are answered before what leads them is taken away."""
_ENDING_SECONDS = 0.5
"""How long they are listened to then."""


def routers_bar() -> Iterator[Row]:
    """What Neutron 29 took here is in the issue's table: 2,856, 4,624, 528 and 664 ms."""
    with routed_bed(quota__router="-1") as here:
        routed = _Routed(here)
        try:
            yield _row("add interface → first ping through the router", 150, [routed.interface() for _ in range(TIMES)])
            yield _row("router, gateway and interface → first ping outside", 300, list(routed.outside()))
            associated, last = zip(*routed.floating(), strict=True)
            yield _row("associate a floating IP → first ping from outside", 100, list(associated))
            yield _row("disassociate → last reply", 100, list(last))
            yield from _many(here, routed)
        finally:
            remove_all(here)


def _row(what: str, limit_ms: int, seconds: list[float]) -> Row:
    p50 = statistics.median(seconds) * 1000
    worst = max(seconds) * 1000
    return Row(f"{what}, p50 of {len(seconds)}", f"< {limit_ms} ms", f"{p50:.0f} ms (most {worst:.0f})", p50 < limit_ms)


@frozen
class _Routed:
    """A host with routers."""

    here: Bed

    def create(self, resource: str, **attributes: Any) -> dict[str, Any]:
        return self.here.appliance.create(resource, **attributes)

    def network(self, cidr: str, **attributes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        network = self.create("network", **attributes)
        subnet = self.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr, enable_dhcp=False)
        return network, subnet

    def guest(self, network: Mapping[str, Any], gateway: str = "") -> Guest:
        port = self.create("port", network_id=network["id"], port_security_enabled=False)
        guest = Guest(port, self.here.ovs.make_vm(port["id"], port["mac_address"]))
        self.here.ovs.plug(guest.vm)
        self.here.appliance.await_status(guest.id)
        guest.configure(24)
        if gateway:
            guest.vm.run("ip", "route", "replace", "default", "via", gateway)
        return guest

    def change(self, router: Mapping[str, Any], verb: str, subnet: Mapping[str, Any]) -> str:
        """Add or remove an interface; return its port."""
        path = f"/v2.0/routers/{router['id']}/{verb}_router_interface"
        answer = self.here.appliance.request("PUT", path, {"subnet_id": subnet["id"]})
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.body}")
        return str(answer.body["port_id"])

    def interface(self) -> float:
        """From the request for a second interface to the first answer from behind it, in seconds."""
        (red, inner), (blue, other) = self.network("10.0.0.0/24"), self.network("10.0.1.0/24")
        router = self.create("router")
        mac = self.mac_of(self.change(router, "add", inner))
        one, two = self.guest(red, "10.0.0.1"), self.guest(blue, "10.0.1.1")
        began = time.monotonic()
        self.change(router, "add", other)
        seconds = _first_answer(one, Behind(two.ip, mac)) - began
        self.here.ovs.remove_vms()
        for subnet in (inner, other):
            self.change(router, "remove", subnet)
        self.here.appliance.request("DELETE", f"/v2.0/routers/{router['id']}")
        return seconds

    def mac_of(self, port_id: str) -> str:
        return str(self.here.appliance.show("port", port_id)["mac_address"])

    def outside(self) -> Iterator[float]:
        """From the request for a router to the first answer from outside, in seconds, again and again."""
        far, _ = self.network(_OUTSIDE, **{"router:external": True})
        inner, subnet = self.network("10.0.0.0/24")
        guest, world = self.guest(inner, "10.0.0.1"), self.guest(far)
        world.configure(16)
        for _ in range(TIMES):
            began = time.monotonic()
            router = self.create("router", external_gateway_info={"network_id": far["id"]})
            mac = self.mac_of(self.change(router, "add", subnet))
            yield _first_answer(guest, Behind(world.ip, mac)) - began
            self.change(router, "remove", subnet)
            self.here.appliance.request("DELETE", f"/v2.0/routers/{router['id']}")
        self.here.ovs.remove_vms()

    def floating(self) -> Iterator[tuple[float, float]]:
        """From association to the first answer, and from the end of it to the last, in seconds, again and again."""
        far, _ = self.network(_OUTSIDE, **{"router:external": True})
        inner, subnet = self.network("10.0.0.0/24")
        router = self.create("router", external_gateway_info={"network_id": far["id"]})
        self.change(router, "add", subnet)
        guest, world = self.guest(inner, "10.0.0.1"), self.guest(far)
        world.configure(16)
        path = f"/v2.0/ports?device_id={router['id']}&device_owner=network:router_gateway"
        mac = self.here.appliance.request("GET", path).body["ports"][0]["mac_address"]
        floating = self.create("floatingip", floating_network_id=far["id"])
        target = Behind(floating["floating_ip_address"], mac)
        for _ in range(TIMES):
            began = time.monotonic()
            self._lead(floating, guest.id)
            first = _first_answer(world, target) - began
            with EchoStream(500, source=world, target=target, straggler_seconds=0.2) as echoes:
                time.sleep(_FLOWING_SECONDS)
                began = time.monotonic()
                self._lead(floating, None)
                time.sleep(_ENDING_SECONDS)
            yield first, max(echoes.heard_at - began, 0.0)
        self.here.ovs.remove_vms()

    def _lead(self, floating: Mapping[str, Any], port_id: str | None) -> None:
        body = {"floatingip": {"port_id": port_id}}
        self.here.appliance.request("PUT", f"/v2.0/floatingips/{floating['id']}", body)


def _first_answer(source: Guest, target: Target) -> float:
    """Return when the first answer came."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    with Wire(source.vm.namespace) as wire:
        number = 0
        while time.monotonic() < deadline:
            wire.send(echo_request(source, target, number))
            number += 1
            time.sleep(_BETWEEN_ECHOES_SECONDS)
            if echo_answers(wire.received()):
                return time.monotonic()
    raise TimeoutError(f"{target.ip} does not answer")


def _many(here: Bed, routed: _Routed) -> Iterator[Row]:
    appliance = here.appliance
    appliance.restart("/readyz")
    before, processes = appliance.pss_kib(), _processes(here)
    far, _ = routed.network(_OUTSIDE, **{"router:external": True})
    pairs = [[routed.network(cidr)[1] for cidr in _INSIDES] for _ in range(ROUTERS)]
    with_networks = appliance.pss_kib()
    for pair in pairs:
        router = routed.create("router", external_gateway_info={"network_id": far["id"]})
        for subnet in pair:
            routed.change(router, "add", subnet)
    _await_realised(here)
    with_routers = appliance.pss_kib()
    networks = len(_INSIDES) * ROUTERS
    yield _memory_row("network", 100, (with_networks - before) / networks)
    yield _memory_row("router with a gateway and two interfaces", 300, (with_routers - with_networks) / ROUTERS)
    yield Row(
        f"processes with {networks} networks and {ROUTERS} routers",
        "as before",
        f"{_processes(here) - processes} more",
        _processes(here) == processes,
    )
    yield from _cold(here)


def _memory_row(what: str, limit_kib: int, each: float) -> Row:
    return Row(f"memory a {what}", f"< {limit_kib} KiB", f"{each:.0f} KiB", each < limit_kib)


def _cold(here: Bed) -> Iterator[Row]:
    appliance = here.appliance
    names = _namespaces(here)
    appliance.stop()
    _remove_namespaces(names)
    for port in here.ovs.vsctl("list-ports", "br-int").split():
        here.ovs.vsctl("del-port", "br-int", port)
    here.ovs.ofctl("del-flows")
    seconds = appliance.start("/readyz")
    found = len(_namespaces(here))
    yield Row(
        f"{found} routers with a gateway and 2 networks each, from cold", "< 20 s", f"{seconds:.1f} s", seconds < 20
    )
    yield stall_row(f"a start with {ROUTERS} routers from cold", *turns(appliance))
    time.sleep(_SETTLE_SECONDS)
    cpu = appliance.cpu_seconds()
    time.sleep(_IDLE_SECONDS)
    share = (appliance.cpu_seconds() - cpu) / _IDLE_SECONDS * 100
    yield Row(f"  idle afterwards, {ROUTERS} routers", "< 2 % of a core", f"{share:.1f} %", share < 2)
    seconds = appliance.restart("/readyz")
    yield Row(f"  restart with {ROUTERS} routers → ready", "-", f"{seconds:.2f} s", None)


def _await_realised(here: Bed) -> None:
    """Wait until the routers' ports are ACTIVE: the routers themselves are from the beginning."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    path = "/v2.0/ports?fields=status&device_owner=network:router_interface&device_owner=network:router_gateway"
    while any(each["status"] != "ACTIVE" for each in here.appliance.request("GET", path).body["ports"]):
        if time.monotonic() > deadline:
            raise TimeoutError("not all ports of routers are ACTIVE")
        time.sleep(0.1)


def _namespaces(here: Bed) -> list[str]:
    """Return the namespaces of this bed's routers; others on the machine are none of ours."""
    names = {line.split()[0] for line in run("ip", "netns").splitlines()}
    prefix = here.appliance.routers_prefix
    routers = here.appliance.request("GET", "/v2.0/routers?fields=id").body["routers"]
    return sorted(names & {f"{prefix}{each['id']}" for each in routers})


def _remove_namespaces(names: list[str]) -> None:
    for name in names:
        run("ip", "netns", "del", name)


def _processes(here: Bed) -> int:
    """Return how many processes the appliance is and has."""
    return 1 + len(run("sh", "-c", f"pgrep -P {here.appliance.pid} || true").split())


def remove_all(here: Bed) -> None:
    """Remove what would outlive the appliance."""
    names = _namespaces(here)
    here.appliance.stop()
    _remove_namespaces(names)
