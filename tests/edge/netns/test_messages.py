"""Messages of rtnetlink byte for byte, with pyroute2 as the oracle."""

from __future__ import annotations

import socket
import struct
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink import NLM_F_REQUEST  # type: ignore[import-untyped] # it has no types
from pyroute2.netlink.rtnl.fibmsg import fibmsg  # type: ignore[import-untyped] # it has no types
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # type: ignore[import-untyped] # it has no types
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # type: ignore[import-untyped] # it has no types
from pyroute2.netlink.rtnl.rtmsg import rtmsg  # type: ignore[import-untyped] # it has no types
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netlink import attributes as a
from quantumd.edge.netlink.wire import HEADER
from quantumd.edge.netns import messages as m
from quantumd.edge.netns import routing as r
from quantumd.edge.netns.interfaces import Device, Route, Rule

PAIR = Device("qr-0b000000-00", "fa:16:3e:00:00:01", 1450, "tap0b000000-00")


def decoded(kind: type[Any], body: bytes) -> dict[str, Any]:
    """Return what pyroute2 reads in a message."""
    message = kind(HEADER.pack(HEADER.size + len(body), 16, NLM_F_REQUEST, 1, 0) + body)
    message.decode()
    return dict(message["attrs"]) | {key: message[key] for key in message if key not in ("attrs", "header", "event")}


class LinkTests(SynchronousTestCase):
    """Devices."""

    def test_a_pair_is_what_pyroute2_reads(self) -> None:
        """Names, MAC, MTU of both, and where the other end shall be."""
        said = decoded(ifinfmsg, m.pair(PAIR, PAIR.outer, 7))
        self.assertEqual((said["IFLA_IFNAME"], said["IFLA_ADDRESS"], said["IFLA_MTU"]), (PAIR.name, PAIR.mac, 1450))
        info = dict(said["IFLA_LINKINFO"]["attrs"])
        self.assertEqual(info["IFLA_INFO_KIND"], "veth")
        peer = dict(dict(info["IFLA_INFO_DATA"]["attrs"])["VETH_INFO_PEER"]["attrs"])
        self.assertEqual((peer["IFLA_IFNAME"], peer["IFLA_MTU"], peer["IFLA_NET_NS_FD"]), (PAIR.outer, 1450, 7))

    def test_what_is_changed_of_a_device_is_what_pyroute2_reads(self) -> None:
        """Each by itself; flags only of what is to be up."""
        self.assertEqual(decoded(ifinfmsg, m.changed(5, 1400, PAIR.mac))["IFLA_ADDRESS"], PAIR.mac)
        changed = decoded(ifinfmsg, m.changed(5, 1400))
        self.assertEqual((changed["index"], changed["IFLA_MTU"], changed["flags"], changed["change"]), (5, 1400, 0, 0))
        up = decoded(ifinfmsg, m.up(5))
        self.assertEqual((up["index"], up["flags"], up["change"]), (5, 1, 1))
        self.assertEqual(decoded(ifinfmsg, m.labelled(5, "router x"))["IFLA_IFALIAS"], "router x")
        self.assertEqual(decoded(ifinfmsg, m.named("qr-1"))["IFLA_IFNAME"], "qr-1")
        self.assertEqual(decoded(ifinfmsg, m.about(9))["index"], 9)

    def test_a_device_is_read_as_pyroute2_writes_it(self) -> None:
        """It is up when it is, and has a carrier."""
        for flags, is_up in ((0x10043, True), (0x43, False), (0x10000, False), (0, False)):
            message = ifinfmsg()
            message["index"], message["flags"] = 5, flags
            message["attrs"] = [
                ("IFLA_IFNAME", PAIR.name), ("IFLA_ADDRESS", PAIR.mac), ("IFLA_MTU", 1450), ("IFLA_LINK", 8),
                ("IFLA_IFALIAS", "router x"),
            ]  # fmt: skip
            message.encode()
            read = m.read_link(bytes(message.data[HEADER.size :]))
            self.assertEqual(read, m.Link(5, evolve(PAIR, outer="", is_up=is_up), 8, "router x"))


class AddressTests(SynchronousTestCase):
    """Addresses."""

    def test_an_address_is_what_pyroute2_reads_and_is_read_again(self) -> None:
        """Of both versions; duplicates are not looked for (IFA_F_NODAD)."""
        for text, family in (("10.0.0.1/24", socket.AF_INET), ("fd00::1/64", socket.AF_INET6)):
            body = m.address(5, text)
            said = decoded(ifaddrmsg, body)
            found = f"{said['IFA_LOCAL']}/{said['prefixlen']}"
            self.assertEqual((found, said["family"], said["index"]), (text, family, 5))
            self.assertEqual((said["IFA_ADDRESS"], said["IFA_FLAGS"]), (text.partition("/")[0], 2))
            self.assertEqual(m.read_address(body), (5, text))

    def test_an_address_of_the_link_alone_is_none(self) -> None:
        """The kernel makes it, and takes it away."""
        body = m.address(5, "fe80::1/64")
        self.assertIsNone(m.read_address(body[:3] + b"\xfd" + body[4:]))


ROUTES = (
    Route("10.9.0.0/16", ("10.0.0.9",)), Route("0.0.0.0/0", ("203.0.113.1",), "qg-1"),
    Route("::/0", ("fe80::1",), "qg-1"),
    Route("10.8.0.0/16", ("10.0.0.8", "10.0.0.9")), Route("fd09::/64", ("fd00::8", "fd00::9")),
    Route("10.9.0.0/16", ("10.0.0.9",), metric=5),
    Route("0.0.0.0/0", ("192.0.2.1", "203.0.113.1"), table=102, devices=("qg-2", "qg-1")),
    Route("::/0", ("fe80::1", "fe80::1"), devices=("qg-1", "qg-2")), Route("203.0.113.0/24", (), "qg-1", table=101),
    Route("0.0.0.0/0", (), metric=1000, table=101), Route("::/0", (), metric=1000, table=101),
)  # fmt: skip
INDEXES = {"": 0, "qg-1": 5, "qg-2": 6}


def indexes_of(route: Route) -> tuple[int, ...]:
    """Return the indexes of its devices."""
    return tuple(INDEXES[each] for each in route.devices or filter(None, (route.device,)))


class RouteTests(SynchronousTestCase):
    """Routes."""

    def test_a_route_is_what_pyroute2_reads(self) -> None:
        """Of its table, of our protocol; next hops on the link when a device is named, what has neither is refused."""
        for route in ROUTES:
            indexes = indexes_of(route)
            said = decoded(rtmsg, r.route(route, indexes))
            self.assertEqual(f"{said['RTA_DST']}/{said['dst_len']}", route.destination)
            kind = 1 if route.nexthops or indexes else 7
            self.assertEqual((said["table"], said["proto"], said["type"]), (route.table, r.OURS, kind))
            flags = 4 if indexes and route.nexthops else 0
            self.assertEqual((said["RTA_PRIORITY"], said["flags"]), (route.metric, flags))
            hops = said.get("RTA_MULTIPATH", ())
            gateways = [dict(each["attrs"])["RTA_GATEWAY"] for each in hops]
            gateways = gateways or list(filter(None, [said.get("RTA_GATEWAY")]))
            self.assertEqual(tuple(gateways), route.nexthops)
            self.assertEqual(said.get("RTA_OIF"), indexes[0] if indexes and not hops else None)
            self.assertEqual([each["oif"] for each in hops if route.devices], list(indexes) if route.devices else [])

    def test_a_route_is_read_as_it_was_written(self) -> None:
        """Its devices by their indexes; one of another protocol or table is none of ours."""
        for route in ROUTES:
            body = r.route(route, indexes_of(route))
            read = r.read_route(body)
            assert read is not None
            self.assertEqual(read[0], evolve(route, device="", devices=()))
            self.assertEqual(sorted(read[1]), sorted(indexes_of(route)))
            for at in (4, 5):
                self.assertIsNone(r.read_route(body[:at] + b"\x07" + body[at + 1 :]))

    def test_a_route_that_goes_is_named_by_destination_and_metric_alone(self) -> None:
        """Whatever it leads to."""
        for route in ROUTES:
            said = decoded(rtmsg, r.any_route(route))
            self.assertEqual((said["proto"], said["type"], said["scope"]), (r.OURS, 0, 255))
            self.assertEqual((said["RTA_PRIORITY"], said["table"]), (route.metric, route.table))
            self.assertEqual(set(said) & {"RTA_GATEWAY", "RTA_MULTIPATH", "RTA_OIF"}, set())


class RuleTests(SynchronousTestCase):
    """Rules."""

    def test_a_rule_is_what_pyroute2_reads_and_is_read_again(self) -> None:
        """Of both versions; one of another protocol, or of another priority, is none of ours."""
        for rule, family in ((Rule(4, 2, 102), socket.AF_INET), (Rule(6, 100, 200), socket.AF_INET6)):
            body = r.rule(rule)
            said = decoded(fibmsg, body)
            self.assertEqual((said["family"], said["table"], said["action"]), (family, rule.table, 1))
            self.assertEqual((said["FRA_FWMARK"], said["FRA_FWMASK"]), (rule.mark, 0xFFFFFFFF))
            self.assertEqual(r.read_rule(body), rule)
            self.assertIsNone(r.read_rule(body.replace(a.number(21, r.OURS, 1), a.number(21, 3, 1))))
            self.assertIsNone(r.read_rule(body.replace(a.number(6, 8100), a.number(6, 8101))))


class BrokenTests(SynchronousTestCase):
    """What no kernel says."""

    @given(st.binary(max_size=200))
    def test_whatever_follows_a_head_is_read_or_left(self, said: bytes) -> None:
        """Nothing is read beyond the end."""
        m.read_link(bytes(16) + said)
        m.read_address(bytes(8) + said)
        r.read_route(struct.pack("=BBBBBBBBI", 2, 16, 0, 0, 254, r.OURS, 0, 1, 0) + said)
        r.read_route(struct.pack("=BBBBBBBBI", 2, 16, 0, 0, 254, r.OURS, 0, 1, 0) + a.pack(9, said))
        r.read_rule(struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 101, 0, 0, 1, 0) + said)
