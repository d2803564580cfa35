"""Many clients that create ports at once: no collision, no refusal while addresses are left, nothing lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.clients import Clients, Reply
from tests.bed.counts import count
from tests.bed.needs import missing

CLIENTS = 200
POOL = 253
"""Addresses that a /24 gives: without network, broadcast and gateway."""
NETWORKS = count(1, 20)


class CreateCase(SynchronousTestCase):
    """quantumd on memory edges."""

    def setUp(self) -> None:
        """Start it."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-creates-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        self.appliance = Appliance(self.directory / "quantumd")
        self.addCleanup(self.appliance.close)
        self.appliance.start()

    def make_network(self) -> str:
        """Create a network with a /24; return its id."""
        network_id = str(self.appliance.create("network")["id"])
        self.appliance.create("subnet", network_id=network_id, cidr="10.0.0.0/24", ip_version=4)
        return network_id

    def create_ports(self, clients: Clients, network_id: str, number: int) -> list[Reply]:
        """Create ports with all clients at once; no request may break."""
        replies = clients.post("/v2.0/ports", [{"port": {"network_id": network_id}} for _ in range(number)])
        self.assertEqual((len(replies), clients.broken), (number, []))
        return replies

    def clients(self, number: int) -> Clients:
        """Return so many clients."""
        return Clients(self.appliance.host, self.appliance.port, number)


class ParallelCreateTests(CreateCase):
    """Two hundred clients, one /24."""

    @pytest.mark.time_limit(150 + 10 * NETWORKS)
    def test_all_get_an_address_until_the_last_is_given(self) -> None:
        """200 at once get one each; of the next 200 as many as are left, and the others 409; no address twice."""
        for _ in range(NETWORKS):
            self.fill_network()

    def fill_network(self) -> None:
        """Create more ports than a network has addresses."""
        network_id = self.make_network()
        first = self.create_ports(self.clients(CLIENTS), network_id, CLIENTS)
        self.assertEqual([reply.status for reply in first], [201] * CLIENTS)
        # One has the DHCP port.
        left = POOL - 1 - CLIENTS
        second = self.create_ports(self.clients(CLIENTS), network_id, CLIENTS)
        self.assertEqual(sorted(reply.status for reply in second), [201] * left + [409] * (CLIENTS - left))
        refused = {reply.error_type for reply in second if reply.status == 409}
        self.assertEqual(refused, {"IpAddressGenerationFailure"})
        self.expect_no_address_twice(network_id)

    def expect_no_address_twice(self, network_id: str) -> None:
        """The list says so: as many addresses as the pool has, and as many MACs."""
        ports = self.appliance.request("GET", f"/v2.0/ports?network_id={network_id}").body["ports"]
        addresses = {item["ip_address"] for port in ports for item in port["fixed_ips"]}
        self.assertEqual((len(ports), len(addresses), len({port["mac_address"] for port in ports})), (POOL,) * 3)

    def test_one_address_is_given_once(self) -> None:
        """Fifty clients ask for the same one; one has it, the others are told that it is taken."""
        network_id = self.make_network()
        body = {"port": {"network_id": network_id, "fixed_ips": [{"ip_address": "10.0.0.77"}]}}
        replies = self.clients(50).post("/v2.0/ports", [body] * 50)
        self.assertEqual(sorted(reply.status for reply in replies), [201] + [409] * 49)
        self.assertEqual({reply.error_type for reply in replies} - {""}, {"IpAddressAlreadyAllocated"})


@frozen
class Call:
    """One system call of a trace: when it began and ended, what it was called with."""

    name: str
    began: float
    ended: float
    text: str

    @property
    def descriptor(self) -> str:
        """The number of the file that it was about."""
        return self.text.partition("<")[0]


_LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
_BEGUN = re.compile(r"^(\w+)\((.*?)(?: <unfinished \.\.\.>)?$")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>")
_TOOK = re.compile(r"<(\d+\.\d+)>$")


def calls_of(trace: str) -> Iterator[Call]:
    """Read what ``strace -f -ttt -T -y`` wrote. A call that another interrupted in the text ends where it resumes."""
    begun: dict[str, tuple[str, float, str]] = {}
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, at, rest = found[1], float(found[2]), found[3]
        if _RESUMED.match(rest) and thread in begun:
            name, began, text = begun.pop(thread)
            # What a call reads is shown when it is resumed.
            yield Call(name, began, at, text + rest)
        elif (call := _BEGUN.match(rest)) is not None:
            took = _TOOK.search(rest)
            if took is None:
                begun[thread] = (call[1], at, call[2])
            else:
                yield Call(call[1], at, at + float(took[1]), call[2])


class DurabilityTests(CreateCase):
    """What the kernel sees between a request and its 201."""

    skip = missing("strace", root=False)

    def trace(self, work: Any) -> list[Call]:
        """Do something while system calls are traced, and return them."""
        path = self.directory / "trace"
        watched = "trace=fdatasync,fsync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg"
        command = ("strace", "-f", "-qq", "-ttt", "-T", "-y", "-s", "64", "-e", watched, "-o", str(path))
        strace = subprocess.Popen((*command, "-p", str(self.appliance.pid)), stdin=subprocess.DEVNULL)
        try:
            self.await_text(path, "GET /healthz")
            work()
        finally:
            os.kill(strace.pid, signal.SIGINT)
            strace.wait(30)
        return list(calls_of(path.read_text(errors="replace")))

    def await_text(self, path: Path, text: str) -> None:
        """Make requests until the trace shows them."""
        deadline = time.monotonic() + 20
        while not path.exists() or text not in path.read_text(errors="replace"):
            self.assertLess(time.monotonic(), deadline, "strace shows nothing")
            self.appliance.request("GET", "/healthz")
            time.sleep(0.05)

    def test_a_201_follows_a_flush_of_the_write_ahead_log(self) -> None:
        """For each: begun after the request had come, finished before the first byte of the answer."""
        network_id = self.make_network()
        calls = self.trace(lambda: self.create_ports(self.clients(8), network_id, 80))
        flushes = [call for call in calls if call.name in ("fdatasync", "fsync") and "sqlite-wal" in call.text]
        answers = [call for call in calls if "HTTP/1.1 201" in call.text]
        self.assertEqual(len(answers), 80)
        for answer in answers:
            asked = max(
                call.ended for call in calls
                if call.descriptor == answer.descriptor and '"POST ' in call.text and call.ended < answer.began
            )  # fmt: skip
            between = [flush for flush in flushes if flush.began >= asked and flush.ended <= answer.began]
            self.assertTrue(between, f"no flush between {asked} and {answer.began}")
        self.assertLess(len(flushes), 2 * len(answers))
