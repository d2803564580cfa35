"""Logs agree with the definition of the API, and change no verdict: whatever the groups and the packets."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogEvent
from twisted.logger import globalLogPublisher as publisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.logging_records import PacketLog, PortLogsRecord
from quantumd.model.security_records import SecurityRule
from quantumd.model.verdict import Traffic, lets_pass
from tests.bed.counts import count
from tests.bed.guarded import GuardedBed, Member, traffic_between
from tests.laws.test_security_groups import packets, rules

_GROUPS = ("a", "b", "prefixes")
_POLICIES = st.fixed_dictionaries({name: st.lists(rules(), max_size=4).map(tuple) for name in ("a", "b")})

Policies = dict[str, tuple[SecurityRule, ...]]
Line = tuple[str, str, str]
"""Port, direction and action."""


class LinesTests(SynchronousTestCase):
    """Four ports of which all is logged."""

    def setUp(self) -> None:
        """Hear the lines."""
        self.heard: list[LogEvent] = []
        publisher.addObserver(self.hear)  # type: ignore[arg-type]
        self.addCleanup(publisher.removeObserver, self.hear)  # type: ignore[arg-type]

    def hear(self, event: LogEvent) -> None:
        """Keep what is written of packets."""
        if event.get("log_namespace") == "quantumd.packet_log":
            self.heard.append(event)

    @settings(deadline=None, max_examples=count(20, 300))
    @given(_POLICIES, st.booleans(), st.lists(packets(), min_size=1, max_size=8))
    def test_a_first_packet_has_the_lines_that_its_verdicts_are(
        self, policies: Policies, is_stateful: bool, sent: list[tuple[int, int, int, int, int]]
    ) -> None:
        """One of the sender, one of the receiver if the sender may send it; the rule named is one that lets it pass."""
        host, members = self.host(policies, is_stateful)
        for sender, receiver, protocol, port, version in sent:
            ends = members[sender], members[receiver]
            traffic = traffic_between(*ends, protocol, port, version)
            for entry in host.world.switch.connections:
                host.world.switch.connections.end(entry)
            self.heard.clear()
            arrives = host.reaches(*ends, traffic)
            expected = self.lines(policies, ends, traffic, members)
            found = [(line["port"], line["direction"], line["action"]) for line in self.heard]
            self.assertEqual(found, expected)
            self.assertEqual(arrives, [line[2] for line in expected] == ["ACCEPT", "ACCEPT"])
            for line in self.heard:
                named = [each for name in ("a", "b") for each in policies[name] if each.id == line["rule"]]
                direction = line["direction"]
                allowed = lets_pass(named, direction, traffic, lambda name, ip: _is_in(members, name, ip))
                self.assertEqual(allowed, line["action"] == "ACCEPT")

    def host(self, policies: Policies, is_stateful: bool) -> tuple[GuardedBed, list[Member]]:
        """Return a host with ports of both groups, of each, and of none."""
        host = GuardedBed()
        self.addCleanup(host.stop)
        members = [Member(n, groups=groups) for n, groups in enumerate((("a", "b"), ("a",), ("b",), ()), 1)]
        for name, of_group in policies.items():
            host.group(name, *of_group, is_stateful=is_stateful)
        for name in _GROUPS:
            host.members_of(name, [member for member in members if name in member.groups])
        host.tell(*(PortLogsRecord(member.id, 1, (PacketLog("l", "p", "ALL"),)) for member in members))
        host.plug(*members)
        return host, members

    def lines(
        self, policies: Policies, ends: tuple[Member, Member], traffic: Traffic, members: list[Member]
    ) -> list[Line]:
        """Return the lines that the definition asks for."""
        found: list[Line] = []
        for member, direction in zip(ends, ("egress", "ingress"), strict=True):
            all_rules = [each for name in member.groups for each in policies[name]]
            allowed = lets_pass(all_rules, direction, traffic, lambda name, ip: _is_in(members, name, ip))
            found.append((member.id, direction, "ACCEPT" if allowed else "DROP"))
            if not allowed:
                break
        return found


def _is_in(members: list[Member], set_id: str, address: str) -> bool:
    return any(set_id in member.groups and address in member.ips for member in members)
