"""What DHCP costs: CPU for an exchange and memory for a port. Run as ``python -m bench.dhcp``."""

from __future__ import annotations

import gc
import time
import tracemalloc
import uuid
from collections.abc import Callable

from attrs import define
from twisted.internet.task import Clock

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip
from quantumd.dhcp.desired import Desired, port_key
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.pace import Paces
from quantumd.dhcp.plan import plan_table
from quantumd.dhcp.responder import answer
from quantumd.dhcp.responder6 import answer6
from quantumd.dhcp.service import DhcpService
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.dhcpv6.messages import MessageType6
from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.edge.frames.memory import MemoryFrames
from quantumd.model.records import DhcpPortRecord, FixedIp
from tests.dhcp.client import NETWORK, PORT, frame_of, request_payload
from tests.dhcp.client6 import ADDRESS, CLIENT, NETWORK6, PORT6, SERVER, frame6_of, ia, payload6

EXCHANGES = 5000
PORTS = 10_000
MEMORY_BAR_BYTES = 1000
DISCOVER = frame_of(request_payload(MessageType.DISCOVER, [(55, b"\x01\x03\x06\x0f\x1a\x79\xf9"), (57, b"\x05\xdc")]))
REQUEST = frame_of(
    request_payload(MessageType.REQUEST, [(50, pack_ip("10.0.0.5")), (54, pack_ip("10.0.0.2")), (55, b"\x01\x03\x79")])
)
FOREIGN = frame_of(request_payload(MessageType.DISCOVER, mac="fa:16:3e:ff:ff:ff"))
LONG_JUNK = frame_of(request_payload(MessageType.DISCOVER, tail=b"\x3d\x00" * 900))
SOLICIT6 = frame6_of(payload6(MessageType6.SOLICIT, (CLIENT, ia(), (6, b"\0\x17\0\x18"))))
REQUEST6 = frame6_of(payload6(MessageType6.REQUEST, (CLIENT, SERVER, ia(ADDRESS), (6, b"\0\x17\0\x18"))))
LONG_JUNK6 = frame6_of(payload6(MessageType6.SOLICIT, (CLIENT,), tail=b"\0\x08\0\0" * 450))
SETTINGS = DhcpSettings(rate_per_port_pps=10**9)


@define
class Uncounted:
    """A counter that costs nothing."""

    def add(self, asked: str, outcome: str) -> None:
        """Nothing."""


def cpu_us(work: Callable[[], object], times: int = EXCHANGES) -> float:
    """Return the CPU microseconds of one call, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def service_exchange() -> Callable[[], None]:
    """Return one whole exchange through the service, from frame to frame, log and counter included."""
    frames, table = MemoryFrames(), DhcpTable()
    table.put_network(NETWORK)
    table.put_port(PORT)
    DhcpService(frames, table, SETTINGS, Clock(), Uncounted()).startService()

    def exchange() -> None:
        frames.arrive(PortFrame(Purpose.DHCP4, PORT.id, DISCOVER, 1))
        frames.arrive(PortFrame(Purpose.DHCP4, PORT.id, REQUEST, 1))
        frames.sent.clear()

    return exchange


def make_ports() -> list[DhcpPortRecord]:
    """Return records as they come off the bus; they share no text but the ids of network and subnet."""
    network_id, subnet_id = str(uuid.uuid4()), str(uuid.uuid4())
    return [
        DhcpPortRecord(
            str(uuid.uuid4()),
            number + 1,
            network_id,
            f"fa:16:3e:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
            (FixedIp(subnet_id, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"),),
        )
        for number in range(PORTS)
    ]


def measure_memory() -> list[tuple[str, float]]:
    """Return bytes per port: of the records, of the table beside them, and of paces when every port just spoke."""
    gc.collect()
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    ports = make_ports()
    gc.collect()
    records = tracemalloc.get_traced_memory()[0]
    table = DhcpTable()
    for port in ports:
        table.put_port(port)
    filled = tracemalloc.get_traced_memory()[0]
    paces = Paces(20.0)
    for port in ports:
        paces.of(port.id, 1.0).may_answer(1.0, 20.0)
    paced = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return [
        ("record", (records - start) / PORTS),
        ("entry of the table", (filled - records) / PORTS),
        ("pace, in the minute after it spoke", (paced - filled) / PORTS),
    ]


def plan_seconds() -> float:
    """Return the seconds of planning and filling a table of all ports at once."""
    ports = make_ports()
    began = time.process_time()
    table = DhcpTable()
    plan = plan_table(Desired({port.id: port for port in ports}, {}), table)
    keys = {key for stage in plan.stages for step in stage.steps for key in step.keys}
    if len(keys) != len({port_key(port.id) for port in ports}):
        raise SystemExit("the plan lacks ports")
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    print(f"{'CPU':<52}{'us':>10}{'a second':>12}")
    rows: list[tuple[str, Callable[[], object]]] = [
        ("DISCOVER to OFFER, responder", lambda: answer(DISCOVER, PORT, NETWORK, SETTINGS)),
        ("REQUEST to ACK, responder", lambda: answer(REQUEST, PORT, NETWORK, SETTINGS)),
        ("foreign MAC, dropped", lambda: answer(FOREIGN, PORT, NETWORK, SETTINGS)),
        ("longest junk of options", lambda: answer(LONG_JUNK, PORT, NETWORK, SETTINGS)),
        ("whole exchange (four frames) through the service", service_exchange()),
        ("SOLICIT to ADVERTISE, responder", lambda: answer6(SOLICIT6, PORT6, NETWORK6, SETTINGS)),
        ("REQUEST to REPLY over IPv6, responder", lambda: answer6(REQUEST6, PORT6, NETWORK6, SETTINGS)),
        ("longest junk of options over IPv6", lambda: answer6(LONG_JUNK6, PORT6, NETWORK6, SETTINGS)),
    ]
    for name, work in rows:
        cost_us = cpu_us(work)
        print(f"{name:<52}{cost_us:>10.1f}{1e6 / cost_us:>12.0f}")
    print(f"{f'plan of {PORTS} ports':<52}{plan_seconds() * 1e6:>10.0f}")
    print(f"\n{'memory':<52}{'bytes':>10}")
    memory = measure_memory()
    for name, size in memory:
        print(f"{name:<52}{size:>10.0f}")
    total = sum(size for _, size in memory)
    print(f"{'a port, all in all':<52}{total:>10.0f}   (bar: {MEMORY_BAR_BYTES})")


if __name__ == "__main__":
    main()
