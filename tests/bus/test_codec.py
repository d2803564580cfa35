"""The codec gives back what it was given, and refuses everything else."""

from __future__ import annotations

import contextlib

import orjson
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.codec import VERSIONS, CodecError, decode, encode
from quantumd.model import messages as m
from quantumd.model import records as r
from quantumd.model.bandwidth import Bandwidth
from quantumd.model.counters import CountersReply, CountersRequest, PortCount, PortCounters
from quantumd.model.delegation import DelegatedPrefix
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.logging_records import PacketLog, PortLogsRecord
from quantumd.model.meter_counts import MeterCount, MetersReply, MetersRequest
from quantumd.model.qos_records import QosLimit, QosPolicyRecord
from quantumd.model.role_state import Fault, RoleState
from quantumd.model.security_records import AddressPair, AddressSetRecord, SecurityGroupRecord, SecurityRule
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_records import TapRecord

PAIR = AddressPair("fa:16:3e:00:00:03", "10.0.0.0/24")
RULES = (SecurityRule("r1", "ingress", "IPv4", 6, 1, 2, None, "g1"), SecurityRule("r2", "egress", "IPv6"))
EVERY_RECORD = (
    r.NetworkRecord("n1", 3, "vlan", "physnet1", 100, 1500, True, "fa:16:3e:00:00:09", ("10.0.0.2",)),
    r.PortRecord("p1", 5, "n1", "fa:16:3e:00:00:01", (r.FixedIp("s1", "10.0.0.5"),), True, "compute:nova"),
    r.PeerRecord("host-b", 4, "192.0.2.2"),
    r.RemotePortRecord("p3", 5, "n1", "host-b", "fa:16:3e:00:00:03", (r.FixedIp("s1", "10.0.0.7"),)),
    r.DhcpNetworkRecord(
        "n1",
        3,
        1500,
        "fa:16:3e:00:00:09",
        (r.DhcpSubnet("s1", "10.0.0.0/24", None, ("1.1.1.1",), (r.HostRoute("10.1.0.0/16", "10.0.0.9"),), "10.0.0.2"),),
    ),
    r.PortRecord("p2", 5, "n1", "fa:16:3e:00:00:02", (), True, "", True, ("g1",), (PAIR,)),
    r.PortRecord(
        "p4", 5, "n1", "fa:16:3e:00:00:04", (), True, "trunk:subport", True, parent_id="p1", segmentation_id=4094
    ),
    SecurityGroupRecord("g1", 7, True, RULES),
    TapMirrorRecord("m1", 9, "p1", "gre", "192.0.2.7", 5, 0),
    TapRecord("t1", 9, "p1", "p2", "BOTH", 7, "vxlan", "192.0.2.1", "192.0.2.2"),
    PortLogsRecord("p1", 8, (PacketLog("l1", "a project", "ALL"),)),
    InstanceRecord("p1", 8, "i1", "a project", "web", "web", ("blue",)),
    DnsZoneRecord("n1", 8, "blue.example", ("10.0.0.0/24", "fd00::/64")),
    DnsNameRecord("p1", 8, "n1", "web", "own.example", ("10.0.0.5", "fd00::5")),
    AddressSetRecord("g1/0a", 8, ("10.0.0.5/32", "fd00::5/128")),
    r.NetworkRecord("n2", 3, "local", None, None, 1500, True, None, (), "q1"),
    r.PortRecord("p4", 5, "n1", "fa:16:3e:00:00:02", (), True, "", qos_policy="q1"),
    QosPolicyRecord("q1", 9, (QosLimit("egress", "kbps", 1000, 100), QosLimit("ingress", "kpps", 2)), 26),
    r.NetworkRecord("n3", 3, "local", None, None, 1500, True, "fa:16:3e:00:00:09", (), dhcp_addresses6=("fd00::1",)),
    r.DhcpNetworkRecord(
        "n3", 3, 1500, "fa:16:3e:00:00:09", (), (r.DhcpSubnet6("s6", "fd00::/64", True, ("fd00::53",)),)
    ),
    r.DhcpPortRecord(
        "p6", 5, "n3", "fa:16:3e:00:00:06", (), (r.FixedIp("s6", "fd00::6"),), (r.ExtraOption(6, "59", "x"),)
    ),
    r.DhcpPortRecord("p1", 5, "n1", "fa:16:3e:00:00:01", (r.FixedIp("s1", "10.0.0.5"),)),
)
GONE = m.Gone("l2.port", "p3", 9, True, "n1", ("192.0.2.9",))
EVERY_MESSAGE: tuple[m.Message, ...] = (
    m.Update("h", "l2", EVERY_RECORD, (m.Gone("l2.port", "p2", 8), GONE), "req-1"),
    m.CompareRequest("h", "l2", ((1, "ab"), (7, "cd"))),
    m.CompareReply((1, 7)),
    m.FetchRequest("h", "l2", (1,)),
    m.FetchRequest("h", "l2", (1,), ("ab",)),
    m.FetchReply(9, EVERY_RECORD),
    m.FetchReply(9, EVERY_RECORD, ("ab",)),
    m.HostReport("h", "l2", "0.1.0", "ovs", "{}", ()),
    m.Report("h", "l2", (m.PortReport("p1", 5, True), m.PortReport("p2", 0, False, "no rules")), True, ("p3",)),
    m.Report("h", "l3", (m.PortReport("r1", 5, True, None, (DelegatedPrefix("s1", "2001:db8::/64"),)),)),
    m.HostReport("h", "l2", "0.1.0", "ovs", "{}", ("physnet1", "physnet2")),
    m.HostReport(
        "h",
        "dhcp",
        "0.1.0",
        state=RoleState(9, 2, "no switch", (Fault("bridge", "br-ex", "it is gone"),)),
        availability_zone="mars",
    ),
    m.HostReport("h", "l2", "0.1.0", "ovs", "{}", (), tunnel_ip="192.0.2.1", tunnel_types=("vxlan", "gre")),
    m.HostReport("h", "l2", "0.1.0", record_kinds=("l2.port", "l2.qos_policy")),
    m.HostReport("h", "l2", "0.1.0", bandwidths=(Bandwidth("physnet1", 1000, 2000),)),
    CountersRequest("h", "p1"),
    CountersReply((PortCount("p1", PortCounters(1, 2, 3, 4, 5, 6)),), True),
    MetersRequest("h", ("r1", "l1")),
    MetersReply((MeterCount("r1", "l1", 3, 300),), True),
    m.HostReply(0.5),
    m.HostReply(60.0),
    m.Ack(EVERY_RECORD),
)


class CodecTests(SynchronousTestCase):
    """Messages as bytes and back."""

    def test_every_message_comes_back_equal(self) -> None:
        """Nothing is lost on the way between processes, whatever the message."""
        self.assertEqual({type(message) for message in EVERY_MESSAGE}, set(m.MESSAGE_TYPES))
        for message in EVERY_MESSAGE:
            self.assertEqual(decode(encode(message)), message)

    def test_unknown_version_is_refused(self) -> None:
        """A message of a version from the future is refused, and the refusal names it."""
        future = VERSIONS["ack"] + 1
        outer = orjson.loads(encode(m.Ack())) | {"version": future}
        error = self.assertRaises(CodecError, decode, orjson.dumps(outer))
        self.assertIn(str(future), str(error))

    def test_what_an_older_process_understands_is_said_so_that_it_does(self) -> None:
        """A newer version is used for what is new only; that a host carries no physical network is not nothing."""
        versions = [
            orjson.loads(encode(message))["version"]
            for message in (
                m.FetchRequest("h", "l2", (1,)),
                m.FetchRequest("h", "l2", (1,), ("ab",)),
                m.HostReport("h", "dhcp", "0"),
                m.HostReport("h", "l2", "0", physical_networks=()),
                m.HostReport("h", "l2", "0", tunnel_ip="192.0.2.1", tunnel_types=("vxlan",)),
                m.HostReport("h", "l2", "0", record_kinds=("l2.port",)),
                m.HostReport("h", "l2", "0", bandwidths=(Bandwidth("p", 1, 1),)),
            )
        ]
        self.assertEqual(versions, [1, 2, 1, 2, 4, 5, 6])

    def test_older_hosts_are_understood(self) -> None:
        """A host that does not say which physical networks it has yet is a host all the same."""
        body = {"host": "h", "role": "l2", "quantumd_version": "0", "vif_type": None, "vif_details": "{}"}
        report = decode(orjson.dumps({"kind": "host", "version": 1, "body": body}))
        self.assertEqual(report, m.HostReport("h", "l2", "0"))
        report = decode(orjson.dumps({"kind": "host", "version": 2, "body": body | {"physical_networks": ["p"]}}))
        self.assertEqual(report, m.HostReport("h", "l2", "0", physical_networks=("p",)))

    def test_reports_of_older_hosts_and_to_older_servers_are_understood(self) -> None:
        """Those of before know nothing of prefixes, and say and read nothing of them."""
        old = {"port_id": "r", "version": 1, "plugged": True, "fault": None}
        body = {"host": "h", "role": "l3", "ports": [old], "is_complete": False, "named": []}
        report = decode(orjson.dumps({"kind": "report", "version": 1, "body": body}))
        self.assertEqual(report, m.Report("h", "l3", (m.PortReport("r", 1, True),)))
        said = m.Report("h", "l3", (m.PortReport("r", 1, True, None, (DelegatedPrefix("s", ""),)),))
        self.assertEqual(orjson.loads(encode(said))["version"], 1)

    def test_records_of_an_older_server_are_understood(self) -> None:
        """A port without a word of what guards it is not guarded; what it never lacked it may not lack now."""
        old = {
            "kind": "l2.port", "id": "p", "version": 1, "network_id": "n", "mac_address": "m", "fixed_ips": [],
            "admin_state_up": True, "device_owner": "",
        }  # fmt: skip
        body = {"host": "h", "role": "l2", "put": [old], "gone": [{"kind": "k", "id": "i", "version": 3}]}
        outer = {"kind": "update", "version": 1, "body": body | {"request_id": ""}}
        port = r.PortRecord("p", 1, "n", "m", (), True, "")
        self.assertEqual(decode(orjson.dumps(outer)), m.Update("h", "l2", (port,), (m.Gone("k", "i", 3),)))
        del old["device_owner"]
        self.assertRaises(CodecError, decode, orjson.dumps(outer))

    def test_seconds_may_be_whole(self) -> None:
        """JSON does not tell 60 from 60.0; a text is no number."""
        outer = {"kind": "host_reply", "version": 1}
        self.assertEqual(decode(orjson.dumps(outer | {"body": {"report_seconds": 60}})), m.HostReply(60.0))
        self.assertRaises(CodecError, decode, orjson.dumps(outer | {"body": {"report_seconds": "60"}}))

    @given(st.binary(max_size=200))
    def test_any_bytes_are_refused_cleanly(self, data: bytes) -> None:
        """Bytes that are no message raise the codec's error and no other."""
        self.assertRaises(CodecError, decode, data)

    @given(
        st.sampled_from(EVERY_MESSAGE),
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        st.integers(0, 10),
    )
    def test_wrong_fields_are_refused_cleanly(self, message: m.Message, value: object, choice: int) -> None:
        """A field of another type raises the codec's error, or is a valid message still."""
        outer = orjson.loads(encode(message))
        names = sorted(outer["body"]) or ["nothing"]
        outer["body"][names[choice % len(names)]] = value
        with contextlib.suppress(CodecError):
            decode(orjson.dumps(outer))
