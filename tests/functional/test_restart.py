"""What a restart of quantumd or of Open vSwitch does to traffic, to clients and to statuses. Needs root."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import pytest

from tests.bed.appliance import OLDER_PIPELINE
from tests.bed.counts import count
from tests.bed.figures import note
from tests.bed.host import HostCase
from tests.bed.load import EchoStream, RequestStream
from tests.bed.tcp_stream import PORT, TcpStream

ECHOES_PER_SECOND = 1000
REQUESTS_PER_SECOND = 100
BACK_LIMIT_SECONDS = 10.0
"""Generous: the machine may be busy. The bench prints how long it takes on a quiet one."""

_COUNTERS = re.compile(r" (duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*,")
_DURATION = re.compile(r" duration=([0-9.]+)s,")


class HostOfTwo(HostCase):
    """Two VMs that reach each other."""

    def setUp(self) -> None:
        """Plug them; either way, since each way needs the other's address among those of its group."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24")
        self.guest, self.other = self.plugged(self.network), self.plugged(self.network)
        self.assertTrue(self.guest.can_reach(self.other.ip))
        self.assertTrue(self.other.can_reach(self.guest.ip))

    def echoes(self) -> EchoStream:
        """Return a stream of pings between the two."""
        return EchoStream(ECHOES_PER_SECOND, source=self.guest, target=self.other)

    def requests(self, is_kept: bool) -> RequestStream:
        """Return a stream of requests for the status of both ports, half of all requests."""
        path = f"/v2.0/ports?network_id={self.network['id']}&device_owner=&fields=status"
        host, port = self.appliance.host, self.appliance.port
        return RequestStream(REQUESTS_PER_SECOND // 2, host=host, port=port, path=path, is_kept=is_kept)

    def ages(self) -> dict[str, float]:
        """Return the age in seconds of every flow."""
        lines = self.ovs.ofctl("dump-flows").splitlines()[1:]
        found = {_COUNTERS.sub("", line): _DURATION.search(line) for line in lines}
        return {flow: float(age[1]) for flow, age in found.items() if age is not None}

    @contextmanager
    def expect_flows_untouched(self) -> Iterator[None]:
        """No flow comes, goes, or is made anew while the block runs."""
        before, began = self.ages(), time.monotonic()
        yield
        elapsed, after = time.monotonic() - began, self.ages()
        self.assertEqual(sorted(before), sorted(after))
        renewed = [flow for flow, age in after.items() if age < before[flow] + elapsed - 0.5]
        self.assertEqual(renewed, [])

    @contextmanager
    def expect_statuses_kept(self) -> Iterator[None]:
        """Both ports are ACTIVE whenever anybody asks while the block runs."""
        with self.requests(is_kept=False) as asked:
            yield
        self.assertEqual(asked.broken, [])
        self.assertEqual(asked.answers, [{"ports": [{"status": "ACTIVE"}, {"status": "ACTIVE"}]}])


class DaemonRestartTests(HostOfTwo):
    """quantumd goes and comes back."""

    @pytest.mark.slow
    def test_a_restart_loses_no_packet_no_request_and_no_flow(self) -> None:
        """Under 1,000 pings and 100 requests a second, on kept and on fresh connections; the socket is passed on."""
        restarts = count(2, 10)
        with self.expect_flows_untouched(), ExitStack() as streams:
            echoes = streams.enter_context(self.echoes())
            asked = [streams.enter_context(self.requests(is_kept)) for is_kept in (True, False)]
            for _ in range(restarts):
                time.sleep(0.5)
                self.appliance.restart("/readyz")
            time.sleep(0.5)
        for stream in asked:
            self.assertEqual(stream.broken, [])
            self.assertEqual(stream.answers, [{"ports": [{"status": "ACTIVE"}, {"status": "ACTIVE"}]}])
        note(
            f"{restarts} restarts: {echoes.lost} of {echoes.sent} pings and {sum(len(s.broken) for s in asked)} of "
            f"{sum(s.sent for s in asked)} requests lost; the longest request took "
            f"{max(s.longest_seconds for s in asked):.2f} s"
        )
        self.assertEqual(echoes.lost, 0)
        self.assertGreater(echoes.sent, 0)

    @pytest.mark.slow
    def test_an_upgrade_of_the_pipeline_loses_no_packet(self) -> None:
        """All flows change: each table is where another one was. There and back, under pings and a connection."""
        changes = count(2, 10)
        tcp = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "security_group_id": self.group_id()}
        self.appliance.create("security_group_rule", **tcp, port_range_min=PORT, port_range_max=PORT)
        with self.echoes() as echoes, TcpStream(100, source=self.guest, target=self.other) as stream:
            for turn in range(changes):
                time.sleep(0.5)
                self.appliance.stop()
                self.appliance.python_path = (OLDER_PIPELINE,) if turn % 2 == 0 else ()
                self.appliance.start("/readyz")
            time.sleep(0.5)
        note(f"{changes} changes of the pipeline: {echoes.lost} of {echoes.sent} pings lost")
        self.assertEqual((echoes.lost, stream.fault, stream.returned), (0, "", stream.sent))
        self.assertGreater(stream.sent, 0)

    def group_id(self) -> str:
        """Return the security group of both."""
        return str(self.guest.port["security_groups"][0])

    def test_a_kill_loses_no_packet_and_no_flow(self) -> None:
        """SIGKILL; the new process finds everything and changes nothing."""
        with self.expect_flows_untouched(), self.echoes() as echoes:
            self.appliance.kill()
            self.appliance.start("/readyz")
        self.assertEqual(echoes.lost, 0)
        self.assertEqual((self.status_of(self.guest), self.status_of(self.other)), ("ACTIVE", "ACTIVE"))

    def test_what_happened_meanwhile_is_seen_at_the_start(self) -> None:
        """A port that was unplugged while nobody looked is DOWN, one that was plugged is ACTIVE."""
        third = self.make_guest(self.network)
        self.appliance.stop()
        self.ovs.unplug(self.other.vm)
        self.ovs.plug(third.vm)
        self.appliance.start("/readyz")
        self.appliance.await_status(self.other.id, "DOWN")
        self.appliance.await_status(third.id, "ACTIVE")
        self.assertEqual(self.status_of(self.guest), "ACTIVE")
        self.assertFalse(self.flows_with(self.other.mac))


class SwitchRestartTests(HostOfTwo):
    """Open vSwitch goes and comes back; quantumd stays."""

    def await_traffic(self, what: str) -> float:
        """Wait until the VMs reach each other; return how long it took in seconds."""
        began = time.monotonic()
        with EchoStream(200, source=self.guest, target=self.other, straggler_seconds=0.0) as echoes:
            self.wait_for(what, lambda: echoes.has_answer, BACK_LIMIT_SECONDS)
            return time.monotonic() - began

    def test_a_killed_vswitchd_is_given_all_of_its_flows_again(self) -> None:
        """Traffic is back soon after its socket is, and no status changes meanwhile."""
        with self.expect_statuses_kept():
            self.ovs.kill("ovs-vswitchd")
            self.ovs.start_vswitchd()
            note(f"ovs-vswitchd started again → traffic: {self.await_traffic('traffic'):.2f} s")
            time.sleep(0.5)

    def test_a_port_whose_device_is_gone_after_a_restart_is_down(self) -> None:
        """As after a crash of the machine: the database still lists the port, the switch cannot have it."""
        self.ovs.kill("ovs-vswitchd")
        self.other.vm.run("ip", "link", "delete", "eth0")
        self.ovs.start_vswitchd()
        self.appliance.await_status(self.other.id, "DOWN", BACK_LIMIT_SECONDS)
        self.appliance.await_status(self.guest.id, "ACTIVE", BACK_LIMIT_SECONDS)

    def test_a_killed_database_server_is_found_again(self) -> None:
        """What was plugged keeps its status, and a later plug works."""
        third = self.make_guest(self.make_network("10.0.0.0/24"))
        with self.expect_statuses_kept():
            self.ovs.kill("ovsdb-server")
            time.sleep(0.3)
            self.ovs.start_ovsdb()
            self.ovs.plug(third.vm)
            self.appliance.await_status(third.id, "ACTIVE", BACK_LIMIT_SECONDS * 2)
        self.await_traffic("traffic")

    def test_a_controller_of_a_stranger_does_no_lasting_harm(self) -> None:
        """Setting one flushes every flow (ovs-vsctl(8)); they are put back at once, no status changes."""
        with self.expect_statuses_kept():
            flows = self.ages()
            self.ovs.vsctl("set-controller", "br-int", "tcp:127.0.0.1:6699")
            self.wait_for("the flows are back", lambda: self.ages().keys() == flows.keys())
            self.await_traffic("traffic under a controller")
            self.ovs.vsctl("del-controller", "br-int")
            self.wait_for("the flows are back", lambda: self.ages().keys() == flows.keys())
            self.await_traffic("traffic without it")


class StrangerTests(HostOfTwo):
    """Open vSwitch tells what somebody else does to flows: nothing waits for the next look by the clock."""

    def test_deleted_and_foreign_flows_are_repaired_and_counted(self) -> None:
        """Both within 5 s, under the default settings, and both are in the metrics and in the log."""
        flows, before, start = self.ages(), self.repaired(), len(self.appliance.log())
        self.ovs.ofctl("del-flows", f"table=60,dl_dst={self.other.mac}")
        self.ovs.ofctl("add-flow", "priority=60000,actions=drop")
        self.wait_for("the flows are as they were", lambda: self.ages().keys() == flows.keys(), 5.0)
        self.assertTrue(self.guest.can_reach(self.other.ip))
        self.assertEqual(self.repaired() - before, 2)
        log = self.appliance.log()[start:]
        self.assertIn("1 flows of br-int are gone or changed", log)
        self.assertIn("1 flows of strangers on br-int", log)

    def repaired(self) -> float:
        """Return how many flows were repaired so far."""
        return self.appliance.metrics()["quantumd_repaired_flows"]


class DriftTests(HostOfTwo):
    """Nobody is told of what a stranger does to groups and meters; a look now and then finds it."""

    settings: ClassVar = {"l2.drift_seconds": "1.0"}

    def test_deleted_flows_are_put_back(self) -> None:
        """After ovs-ofctl del-flows."""
        flows = self.ages()
        self.ovs.ofctl("del-flows")
        self.wait_for("the flows are back", lambda: self.ages().keys() == flows.keys())
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def test_deleted_groups_and_meters_are_put_back(self) -> None:
        """With the flows that the switch removes along with them."""
        flows, groups, meters = self.ages(), self.groups(), self.meters()
        self.ovs.ofctl("del-groups")
        self.ovs.ofctl("del-meters")
        self.wait_for("the flows are back", lambda: self.ages().keys() == flows.keys())
        self.assertEqual((self.groups(), self.meters()), (groups, meters))

    def test_a_flow_of_a_stranger_is_removed(self) -> None:
        """It would steal the traffic of a port."""
        self.ovs.ofctl("add-flow", "priority=60000,actions=drop")
        self.wait_for("it is gone", lambda: not self.flows_with("priority=60000"))
        self.assertTrue(self.guest.can_reach(self.other.ip))

    def test_nothing_is_touched_where_nothing_drifted(self) -> None:
        """Looking is all that happens."""
        with self.expect_flows_untouched():
            time.sleep(2.5)

    def groups(self) -> list[str]:
        """Return the groups."""
        return sorted(self.ovs.ofctl("dump-groups").splitlines()[1:])

    def meters(self) -> list[str]:
        """Return the meters."""
        return sorted(re.findall(r"meter=\d+ .*\n.*", self.ovs.ofctl("dump-meters")))
