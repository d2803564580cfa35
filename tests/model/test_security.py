"""Rules of security groups and of sharing."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.security import canonical, is_trusted, normalized_cidr, repeated, rule_fault, rule_key
from quantumd.model.sharing import depends_on_grant


def rule(**said: Any) -> dict[str, Any]:
    """Return a rule that says this and nothing else."""
    return {
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": None,
        "port_range_min": None,
        "port_range_max": None,
        "remote_ip_prefix": None,
        "remote_group_id": None,
        "remote_address_group_id": None,
        **said,
    }


class FaultTests(SynchronousTestCase):
    """``rule_fault``."""

    def assert_fault(self, type_name: str, message: str, **said: Any) -> None:
        """Check why the rule cannot be."""
        fault = rule_fault(rule(**said))
        if fault is None:
            self.fail("the rule can be")
        self.assertEqual((fault.type, fault.message), (type_name, message))

    def test_a_rule_may_say_nothing(self) -> None:
        """A rule of everything is a rule."""
        self.assertIsNone(rule_fault(rule()))

    def test_ports_need_a_protocol(self) -> None:
        """Ports of every protocol mean nothing."""
        self.assert_fault(
            "SecurityGroupProtocolRequiredWithPorts",
            "Must also specify protocol if port range is given.",
            port_range_min=22,
            port_range_max=22,
        )

    def test_ports_come_in_order(self) -> None:
        """The last port is not below the first."""
        self.assert_fault(
            "SecurityGroupInvalidPortRange",
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            protocol="tcp",
            port_range_min=80,
            port_range_max=22,
        )

    def test_one_port_alone_is_no_range(self) -> None:
        """Protocols with ports take both ends."""
        self.assert_fault(
            "SecurityGroupInvalidPortRange",
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            protocol="17",
            port_range_min=80,
        )

    def test_port_zero_is_none(self) -> None:
        """No packet has port 0."""
        self.assert_fault(
            "SecurityGroupInvalidPortValue",
            "Invalid value for port 0",
            protocol="udp",
            port_range_min=0,
            port_range_max=5,
        )

    def test_icmp_types_are_a_byte(self) -> None:
        """For ICMP the ports are type and code."""
        self.assert_fault(
            "SecurityGroupInvalidIcmpValue",
            "Invalid value for ICMP type (port_range_min) 256. It must be 0 to 255.",
            protocol="icmp",
            port_range_min=256,
        )

    def test_an_icmp_code_needs_its_type(self) -> None:
        """A code means nothing without its type."""
        self.assert_fault(
            "SecurityGroupMissingIcmpType",
            "ICMP code (port-range-max) 4 is provided but ICMP type (port-range-min) is missing.",
            protocol="1",
            port_range_max=4,
        )

    def test_an_icmp_type_alone_is_enough(self) -> None:
        """Every code of a type, and type 0 is one."""
        self.assertIsNone(rule_fault(rule(protocol="icmp", port_range_min=0)))

    def test_protocols_without_ports_take_none(self) -> None:
        """GRE has no ports."""
        self.assert_fault(
            "SecurityGroupInvalidProtocolForPort",
            "Ports cannot be specified for protocol 47. Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE.",
            protocol="gre",
            port_range_min=1,
            port_range_max=2,
        )

    def test_prefixes_are_of_the_ethertype(self) -> None:
        """An IPv6 prefix in an IPv4 rule matches nothing."""
        self.assert_fault(
            "SecurityGroupRuleParameterConflict",
            "Conflicting value ethertype IPv4 for CIDR fd00::/8",
            remote_ip_prefix="fd00::/8",
        )

    def test_protocols_of_ipv6_are_no_ipv4(self) -> None:
        """By name or by number."""
        for protocol in ("ipv6-icmp", "icmpv6", "58"):
            self.assert_fault(
                "SecurityGroupEthertypeConflictWithProtocol",
                f"Invalid ethertype IPv4 for protocol {protocol}.",
                protocol=protocol,
            )

    def test_there_is_one_remote(self) -> None:
        """A prefix, a group or an address group."""
        self.assert_fault(
            "SecurityGroupMultipleRemoteEntites",
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
            remote_ip_prefix="10.0.0.0/8",
            remote_group_id="g",
        )


class CanonicalTests(SynchronousTestCase):
    """``canonical``, ``rule_key``."""

    def test_icmp_of_ipv6_has_its_own_protocol(self) -> None:
        """The old names and the number of IPv4's ICMP become those of IPv6."""
        kept = [canonical(rule(ethertype="IPv6", protocol=each))["protocol"] for each in ("icmp", "icmpv6", "1")]
        self.assertEqual(kept, ["ipv6-icmp", "ipv6-icmp", "58"])

    def test_every_port_is_no_port(self) -> None:
        """1 to 65535 is kept as no range at all."""
        kept = canonical(rule(protocol="tcp", port_range_min=1, port_range_max=65535))
        self.assertEqual((kept["port_range_min"], kept["port_range_max"]), (None, None))

    def test_names_and_numbers_say_the_same(self) -> None:
        """``tcp`` and 6 are one protocol."""
        self.assertEqual(rule_key(rule(protocol="tcp")), rule_key(rule(protocol="6")))

    def test_every_address_is_no_prefix(self) -> None:
        """0.0.0.0/0 limits nothing."""
        self.assertEqual(rule_key(rule(remote_ip_prefix="0.0.0.0/0")), rule_key(rule()))

    def test_repeated_rules_are_found(self) -> None:
        """The first that says what another said."""
        second = rule(protocol="17")
        self.assertIs(repeated([rule(protocol="udp"), rule(), second]), second)

    def test_different_rules_are_not_repeated(self) -> None:
        """A direction is a difference."""
        self.assertIsNone(repeated([rule(), rule(direction="egress")]))

    def test_bits_of_the_host_are_left_out(self) -> None:
        """The normalised prefix is the network's."""
        self.assertEqual(normalized_cidr("10.1.2.3/8"), "10.0.0.0/8")


class TrustTests(SynchronousTestCase):
    """``is_trusted``."""

    def test_ports_of_the_network_are_trusted(self) -> None:
        """DHCP and routers, not machines."""
        self.assertTrue(is_trusted("network:dhcp"))
        self.assertFalse(is_trusted("compute:nova"))


class GrantTests(SynchronousTestCase):
    """``depends_on_grant``."""

    def test_a_user_keeps_its_grant(self) -> None:
        """A project that uses the object depends on the grant to it."""
        self.assertTrue(depends_on_grant("bob", "alice", {"bob"}, set()))

    def test_a_grant_to_everybody_is_enough(self) -> None:
        """With it no other grant is needed."""
        self.assertFalse(depends_on_grant("bob", "alice", {"bob"}, {"*"}))

    def test_the_owner_needs_no_grant(self) -> None:
        """The owner's use holds no grant."""
        self.assertFalse(depends_on_grant("*", "alice", {"alice"}, set()))

    def test_everybody_may_lose_what_each_user_has(self) -> None:
        """The grant to everybody goes when every user has one of its own."""
        self.assertFalse(depends_on_grant("*", "alice", {"bob"}, {"bob"}))
        self.assertTrue(depends_on_grant("*", "alice", {"bob", "carol"}, {"bob"}))
