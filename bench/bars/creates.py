"""Ports by many clients, and what they cost in memory."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

from bench.bars.bed import Bed, Row, bed, load, plug_patches, stall_row, turns


def creates_bar() -> Iterator[Row]:
    """Port creates by many clients."""
    with bed() as here:
        network_id = here.make_network()
        body = json.dumps({"port": {"network_id": network_id}})
        _load(here, 32, 500, body)
        wide = _load(here, 200, 2000, body)
        failures = sum(number for status, number in wide["statuses"].items() if status != "201")
        is_met = failures == 0 and wide["distinct_addresses"] == 2000
        figure = f"{failures} failed, {wide['distinct_addresses']} addresses, {2000 / wide['seconds']:.0f}/s"
        yield Row("2,000 ports by 200 clients: none fails, none equal", "0", figure, is_met)
        rates, costs = [], []
        for _ in range(3):
            before = here.appliance.cpu_seconds()
            done = _load(here, 32, 2000, body)
            rates.append(2000 / done["seconds"])
            costs.append((here.appliance.cpu_seconds() - before) / 2000 * 1000)
        rate, cost = statistics.median(rates), statistics.median(costs)
        yield Row("creates by 32 clients, median of 3", "≥ 700/s", f"{rate:.0f}/s", rate >= 700)
        yield Row("  server CPU per create", "-", f"{cost:.2f} ms", None)
        yield Row("  answer p50 / p99", "-", f"{done['p50_ms']:.0f} / {done['p99_ms']:.0f} ms", None)
        began = time.monotonic()
        listed = len(here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60).body["ports"])
        seconds = time.monotonic() - began
        yield Row(f"one full list of {listed} ports", "-", f"{seconds:.2f} s", None)
        yield stall_row("creates and a full list", *turns(here.appliance))
    yield from memory_bar()


def memory_bar() -> Iterator[Row]:
    """Memory with 1,000 plugged ports, after a thousand creates by many clients and one full list."""
    with bed() as here:
        network_id = here.make_network()
        _load(here, 32, 1000, json.dumps({"port": {"network_id": network_id}}))
        ports = here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60).body["ports"]
        ids = [port["id"] for port in ports if not port["device_owner"]]
        for start in range(0, len(ids), 100):
            plug_patches(here.ovs, ids[start : start + 100])
        here.await_active(network_id, 1000)
        here.appliance.request("GET", "/v2.0/ports", timeout_seconds=60)
        pss = here.appliance.pss_kib() / 1024
        yield Row("PSS with 1,000 ports, after creates and a full list", "< 140 MiB", f"{pss:.0f} MiB", pss < 140)
        yield stall_row("1,000 creates and plugs", *turns(here.appliance))


def _load(here: Bed, clients: int, requests: int, body: str) -> dict[str, Any]:
    return load(here.appliance.port, clients, requests, [("POST", "/v2.0/ports", body)])
