"""Packets obey security groups: what the walker says is what the definition of the API says, whatever the groups."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.security_records import SecurityRule
from quantumd.model.verdict import Traffic, lets_pass
from tests.bed.counts import count
from tests.bed.guarded import GuardedBed, Member, traffic_between

_GROUPS = ("a", "b", "c")
_SETS = ("a", "b", "prefixes")
_PROTOCOLS = {"IPv4": (None, 0, 1, 6, 17, 33, 47, 132), "IPv6": (None, 0, 6, 17, 58, 132)}
_CIDRS = {
    "IPv4": ("0.0.0.0/0", "10.0.0.0/30", "10.0.0.1/32", "10.0.0.4/30"),
    "IPv6": ("::/0", "fd00::/126", "fd00::1/128"),
}
_EDGES = (1, 2, 7, 8, 80, 128, 255)
"""Ports, and types of ICMP: few, so that rules and packets meet."""


@st.composite
def rules(draw: st.DrawFn) -> SecurityRule:
    """Any rule that the API takes."""
    ethertype = draw(st.sampled_from(("IPv4", "IPv6")))
    protocol = draw(st.sampled_from(_PROTOCOLS[ethertype]))
    first, last = None, None
    if protocol in (1, 58) and draw(st.booleans()):
        first, last = draw(st.sampled_from(_EDGES)), draw(st.sampled_from((None, 0, 1)))
    elif protocol in (6, 17, 33, 132) and draw(st.booleans()):
        first, last = sorted(draw(st.tuples(st.sampled_from(_EDGES), st.sampled_from((*_EDGES, 5000, 65534)))))
    remote = draw(st.sampled_from(("anybody", "cidr", "set")))
    return SecurityRule(
        str(draw(st.integers(0, 1 << 30))),
        draw(st.sampled_from(("ingress", "egress"))),
        ethertype,
        protocol,
        first,
        last,
        draw(st.sampled_from(_CIDRS[ethertype])) if remote == "cidr" else None,
        draw(st.sampled_from(_SETS)) if remote == "set" else None,
    )


_POLICIES = st.fixed_dictionaries({name: st.lists(rules(), max_size=4).map(tuple) for name in _GROUPS})
_MEMBERSHIP = st.lists(
    st.sets(st.sampled_from(_GROUPS)).map(lambda names: tuple(sorted(names))), min_size=4, max_size=4
)


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    """Who sends to whom what, and of which version."""
    version = draw(st.sampled_from((4, 6)))
    protocol = draw(st.sampled_from((1, 6, 17, 47, 132) if version == 4 else (58, 6, 17, 132)))
    sender, receiver = draw(st.permutations(range(4)))[:2]
    # Of ICMPv6 the messages of neighbours, routers and groups are no matter of rules.
    edges = [edge for edge in _EDGES if protocol != 58 or edge not in range(130, 144)]
    return sender, receiver, protocol, draw(st.sampled_from((*edges, 79, 81))), version


class DefinitionTests(SynchronousTestCase):
    """Four ports of one network, three groups, one of which is named by no rule, and an address group."""

    @settings(deadline=None, max_examples=count(30, 500))
    @given(_POLICIES, _MEMBERSHIP, st.sampled_from((True, False)), st.lists(packets(), min_size=1, max_size=12))
    def test_the_walker_agrees_with_the_definition(
        self,
        policies: dict[str, tuple[SecurityRule, ...]],
        membership: list[tuple[str, ...]],
        is_stateful: bool,
        sent: list[tuple[int, int, int, int, int]],
    ) -> None:
        """Of first packets: no connection is remembered from one to the next."""
        host = GuardedBed()
        self.addCleanup(host.stop)
        members = [Member(n, groups=groups) for n, groups in enumerate(membership, 1)]
        prefixes = Member(99, addresses=("10.0.0.2", "fd00::2"))
        for name, of_group in policies.items():
            host.group(name, *of_group, is_stateful=is_stateful)
            host.members_of(name, [member for member in members if name in member.groups])
        host.members_of("prefixes", [prefixes])
        host.plug(*members)

        def is_in(set_id: str, address: str) -> bool:
            if set_id == "prefixes":
                return address in prefixes.ips
            return any(set_id in member.groups and address in member.ips for member in members)

        for sender, receiver, protocol, port, version in sent:
            source, target = members[sender], members[receiver]
            traffic = traffic_between(source, target, protocol, port, version)
            expected = all(
                lets_pass([each for name in member.groups for each in policies[name]], direction, traffic, is_in)
                for member, direction in ((source, "egress"), (target, "ingress"))
            )
            for entry in host.world.switch.connections:
                host.world.switch.connections.end(entry)
            self.assertEqual(host.reaches(source, target, traffic), expected, (traffic, policies, membership))


class VerdictTests(SynchronousTestCase):
    """The definition itself, where it could be read in two ways."""

    def test_protocol_0_is_every_protocol(self) -> None:
        """As of iptables(8)."""
        traffic = Traffic(17, "10.0.0.1", "10.0.0.2", 7)
        self.assertTrue(lets_pass([SecurityRule("r", "ingress", "IPv4", 0)], "ingress", traffic, lambda *_: False))

    def test_ports_that_are_not_seen_let_nothing_in(self) -> None:
        """Of DCCP and UDP-Lite."""
        traffic = Traffic(33, "10.0.0.1", "10.0.0.2", 7)
        about_ports = SecurityRule("r", "ingress", "IPv4", 33, 1, 9)
        self.assertFalse(lets_pass([about_ports], "ingress", traffic, lambda *_: False))
        self.assertTrue(lets_pass([SecurityRule("r", "ingress", "IPv4", 33)], "ingress", traffic, lambda *_: False))
