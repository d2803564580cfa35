"""The kernel's network namespaces keep the contract, whatever others do to them. Needs root."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater

from quantumd.edge.netns import inside
from quantumd.edge.netns.announcement import announcement
from quantumd.edge.netns.interfaces import (
    Address,
    Announce,
    OuterPorts,
    PutAddress,
    PutRoute,
    RemoveAddress,
    RemoveRoute,
    Route,
    Seen,
)
from quantumd.edge.netns.kernel import KernelNamespaces
from quantumd.edge.nft.interfaces import Change, Kind
from tests.bed.needs import missing
from tests.bed.openvswitch import run
from tests.contracts.namespaces import FILTERS, GATEWAY, INSIDE, NEWS_SECONDS, NamespacesCase, NamespacesContract

reactor: Any = twisted_reactor


def remove_all(prefix: str) -> None:
    """Remove all namespaces whose names begin so, and devices of their pairs that are left."""
    for path in inside.DIRECTORY.glob(f"{prefix}*"):
        while subprocess.run(("umount", "-l", path), check=False, capture_output=True).returncode == 0:
            pass
        path.unlink(missing_ok=True)
    for end in ("i", "g"):
        subprocess.run(("ip", "link", "del", f"l3t{end}{prefix[4:10]}"), check=False, capture_output=True)


class KernelCase(NamespacesCase):
    """A provider, and a shell for whoever meddles."""

    skip = missing("ip", "nft", "conntrack", "ethtool", "umount")

    def make(self) -> KernelNamespaces:
        """See NamespacesContract."""
        self.addCleanup(remove_all, self.prefix)
        return self.make_stranger()

    def make_stranger(self) -> KernelNamespaces:
        """See NamespacesContract."""
        namespaces = KernelNamespaces(reactor, self.prefix)
        namespaces.start()
        self.addCleanup(namespaces.stop)
        return namespaces

    def ip(self, *arguments: str) -> str:
        """Run ip in the namespace."""
        return run("ip", "-n", self.name, *arguments)

    def shell(self, *command: str) -> str:
        """Run a command in the namespace."""
        return run("ip", "netns", "exec", self.name, *command)

    @property
    def outer(self) -> str:
        """The outer end of the pair inside."""
        return self.pairs[INSIDE].device.outer


class KernelNamespacesTests(KernelCase, NamespacesContract):
    """See NamespacesContract."""

    __test__ = True


class NameTests(KernelCase):
    """Names, by which namespaces are found."""

    async def assert_found(self) -> None:
        """A process that starts now finds all that is there."""
        found = self.make_stranger()
        self.assertEqual(await found.names(), {self.name})
        self.assertEqual(await found.read(self.name), await self.look())

    async def test_a_name_that_was_lost_is_given_again(self) -> None:
        """What is inside stays: devices, addresses, routes."""
        await self.make_router(PutRoute(Route("10.9.0.0/16", ("10.0.0.9",))))
        before, index = await self.look(), Path(f"/sys/class/net/{self.outer}/ifindex").read_text()
        told: list[str] = []
        self.namespaces.on_change(told.append)
        run("ip", "netns", "del", self.name)
        await self.within(NEWS_SECONDS, lambda: told)
        self.assertEqual(await self.look(), evolve(before, is_named=False))
        self.assertEqual(await self.namespaces.names(), frozenset())
        await self.namespaces.add(self.name)
        self.assertEqual(await self.look(), before)
        self.assertEqual(Path(f"/sys/class/net/{self.outer}/ifindex").read_text(), index)
        await self.assert_found()

    async def test_a_name_that_leads_elsewhere_is_taken_back(self) -> None:
        """Somebody has removed the namespace, and made another one of its name."""
        await self.make_router()
        before = await self.look()
        run("ip", "netns", "del", self.name)
        run("ip", "netns", "add", self.name)
        self.assertEqual(await self.look(), evolve(before, is_named=False))
        await self.namespaces.add(self.name)
        self.assertEqual(await self.look(), before)
        await self.assert_found()
        await self.namespaces.remove(self.name)
        self.assertFalse((inside.DIRECTORY / self.name).exists())

    async def test_a_name_without_a_namespace_is_none(self) -> None:
        """After a reboot there may be files. They are in nobody's way, and can be removed."""
        path = inside.DIRECTORY / self.name
        path.touch()
        self.assertEqual(await self.namespaces.names(), frozenset())
        self.assertIsNone(await self.namespaces.read(self.name))
        await self.namespaces.remove(self.name)
        self.assertFalse(path.exists())
        path.touch()
        await self.namespaces.add(self.name)
        self.assertEqual(await self.look(), Seen())
        await self.assert_found()

    async def test_two_names_that_lie_on_each_other_both_go(self) -> None:
        """Whoever mounted the second."""
        await self.namespaces.add(self.name)
        run("mount", "--bind", str(inside.DIRECTORY / self.name), str(inside.DIRECTORY / self.name))
        await self.namespaces.remove(self.name)
        self.assertFalse((inside.DIRECTORY / self.name).exists())

    async def test_names_of_others_are_none_of_ours(self) -> None:
        """Only those that begin as ours do."""
        other = f"x{self.prefix}"
        run("ip", "netns", "add", other)
        self.addCleanup(run, "ip", "netns", "del", other)
        await self.namespaces.add(self.name)
        self.assertEqual(await self.namespaces.names(), {self.name})

    async def test_what_cannot_be_done_is_an_error_of_the_edge(self) -> None:
        """A folder has the name."""
        folder = inside.DIRECTORY / self.name
        folder.mkdir()
        self.addCleanup(folder.rmdir)
        await self.refused(self.namespaces.add(self.name))
        await self.refused(self.namespaces.remove(self.name))
        self.assertIsNone(await self.namespaces.read(self.name))

    async def test_many_at_once_do_not_meet(self) -> None:
        """Each is as if it were alone, also one that many ask for at once."""
        names = [f"{self.prefix}{at}" for at in range(8)]
        await gatherResults([self.namespaces.add(name) for name in names])
        await gatherResults([self.namespaces.read(name) for name in names * 4])
        changes = {name: Change(sets={("inet", f"s{at}"): Kind("type mark;")}) for at, name in enumerate(names)}
        await gatherResults([self.namespaces.apply_filters(name, change) for name, change in changes.items()])
        for name, change in changes.items():
            self.assertEqual((await self.namespaces.read_filters(name)).sets, set(change.sets))
        await gatherResults([self.make_stranger().read(name) for name in names])

    async def test_a_thread_goes_where_it_was_sent(self) -> None:
        """Even if the descriptor was closed meanwhile, and another file has its number."""
        await self.namespaces.add(self.name)
        descriptor = inside.open_named(self.name)
        assert descriptor is not None
        self.addCleanup(os.close, descriptor)
        wanted = os.fstat(descriptor).st_ino
        work = inside.entered(descriptor, lambda: os.stat("/proc/thread-self/ns/net").st_ino)
        os.dup2(os.open("/proc/self/ns/net", os.O_RDONLY), descriptor)
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(work()))
        thread.start()
        thread.join(5)
        self.assertEqual(found, [wanted])


class StrangerTests(KernelCase):
    """What others do inside."""

    async def test_what_a_stranger_set_is_seen_and_set_right(self) -> None:
        """Forwarding, the loopback."""
        await self.make_router()
        for command in (
            ("sysctl", "-qw", "net.ipv4.ip_forward=0"), ("sysctl", "-qw", "net.ipv6.conf.all.forwarding=0"),
            ("ip", "link", "set", "lo", "down"),
        ):  # fmt: skip
            self.shell(*command)
            self.assertFalse((await self.look()).is_settled, command)
            await self.namespaces.add(self.name)
            self.assertTrue((await self.look()).is_settled, command)

    async def test_a_pair_of_which_an_end_is_down_is_not_up(self) -> None:
        """Either end; it is told, and set right."""
        await self.make_router()
        for command in (
            ("ip", "-n", self.name, "link", "set", INSIDE, "down"),
            ("ip", "link", "set", self.outer, "down"),
        ):
            told: list[str] = []
            self.namespaces.on_change(told.append)
            run(*command)
            await self.within(NEWS_SECONDS, lambda told=told: told)  # type: ignore[misc]
            self.assertFalse((await self.look()).devices[INSIDE].is_up)
            await self.apply(self.pairs[INSIDE])
            self.assertEqual((await self.look()).devices[INSIDE], self.pairs[INSIDE].device)

    async def test_a_pair_that_lost_its_outer_end_is_seen_and_made_anew(self) -> None:
        """It has another name, or is elsewhere."""
        await self.make_router()
        elsewhere = f"{self.prefix}two"
        await self.namespaces.add(elsewhere)
        other_name = self.pairs[GATEWAY].device.outer
        for command, seen in (
            (("ip", "link", "set", self.outer, "name", other_name), other_name),
            (("ip", "link", "set", self.outer, "netns", elsewhere), ""),
        ):
            run(*command)
            self.assertEqual((await self.look()).devices[INSIDE].outer, seen)
            await self.apply(self.pairs[INSIDE])
            self.assertEqual((await self.look()).devices[INSIDE], self.pairs[INSIDE].device)

    async def test_devices_of_the_kernel_itself_are_not_seen(self) -> None:
        """Where modules of tunnels are loaded each namespace has some, which nobody can remove."""
        await self.make_router()
        for name in ("sit0", "gretap0"):
            self.ip("link", "add", name, "type", "bridge")
        self.assertEqual(set((await self.look()).devices), {INSIDE})

    async def test_devices_and_addresses_of_strangers_are_seen(self) -> None:
        """Those of the link alone are the kernel's."""
        await self.make_router()
        self.ip("link", "add", "theirs", "type", "bridge")
        self.ip("link", "set", "theirs", "up")
        self.ip("address", "add", "192.0.2.1/24", "dev", "theirs")
        seen = await self.look()
        self.assertEqual(seen.devices["theirs"].outer, "")
        self.assertIn(Address("theirs", "192.0.2.1/24"), seen.addresses)
        self.assertFalse([each for each in seen.addresses if each.address.startswith("fe80")])

    async def test_routes_of_others_are_neither_seen_nor_touched(self) -> None:
        """Those of another protocol, and of other tables."""
        await self.make_router()
        theirs = (("10.7.0.0/16", "proto", "static"), ("10.6.0.0/16", "table", "77", "proto", "81"))
        for destination, *more in theirs:
            self.ip("route", "add", destination, "via", "10.0.0.7", *more)
        self.assertEqual((await self.look()).routes, frozenset())
        for destination, *_ in theirs:
            await self.apply(RemoveRoute(Route(destination, ("10.0.0.7",), metric=0)))
        self.assertIn("10.7.0.0/16", self.ip("route"))
        self.assertIn("10.6.0.0/16", self.ip("route", "show", "table", "77"))

    async def test_routes_of_our_protocol_go_whatever_they_are(self) -> None:
        """Without a metric, with another one, of several next hops in any order, or that lead nowhere."""
        await self.make_router()
        for destination, *more in (
            ("10.1.0.0/16", "via", "10.0.0.7"), ("10.2.0.0/16", "via", "10.0.0.7", "metric", "5"),
            ("10.3.0.0/16", "nexthop", "via", "10.0.0.9", "nexthop", "via", "10.0.0.8"), ("10.4.0.0/16", "dev", INSIDE),
            ("fd01::/64", "via", "fd00::7"), ("fd03::/64", "nexthop", "via", "fd00::9", "nexthop", "via", "fd00::8"),
        ):  # fmt: skip
            self.ip("route", "add", destination, "proto", "81", *more)
        self.ip("route", "add", "blackhole", "10.5.0.0/16", "proto", "81")
        self.ip("route", "add", "blackhole", "fd05::/64", "proto", "81")
        seen = await self.look()
        self.assertEqual(len(seen.routes), 8)
        await self.apply(*map(RemoveRoute, seen.routes))
        self.assertEqual((await self.look()).routes, frozenset())

    async def test_filters_of_others_stay(self) -> None:
        """Their tables are theirs; what is in ours is seen."""
        await self.namespaces.add(self.name)
        self.shell("nft", "add", "table", "inet", "theirs")
        await self.namespaces.apply_filters(self.name, FILTERS)
        self.shell("nft", "add", "chain", "inet", "quantumd", "more")
        found = await self.namespaces.read_filters(self.name)
        self.assertEqual(found.chains.get(("inet", "more")), "")
        await self.namespaces.apply_filters(
            self.name, Change(gone_chains=frozenset(found.chains), gone_sets=found.sets)
        )
        tables = self.shell("nft", "list", "ruleset")
        self.assertIn("table inet theirs", tables)
        self.assertNotIn("chain", tables)

    async def test_a_changed_rule_is_seen(self) -> None:
        """A rule more, and one less."""
        await self.namespaces.add(self.name)
        await self.namespaces.apply_filters(self.name, FILTERS)
        chain = ("inet", "prerouting")
        self.assertEqual((await self.namespaces.read_filters(self.name)).chains[chain], FILTERS.chains[chain].digest)
        self.shell("nft", "insert", "rule", "inet", "quantumd", "prerouting", "accept")
        self.assertEqual((await self.namespaces.read_filters(self.name)).chains[chain], "")
        await self.namespaces.apply_filters(self.name, FILTERS)
        self.assertEqual((await self.namespaces.read_filters(self.name)).chains[chain], FILTERS.chains[chain].digest)
        self.shell("nft", "flush", "chain", "inet", "quantumd", "prerouting")
        self.assertEqual((await self.namespaces.read_filters(self.name)).chains[chain], "")

    async def test_filters_that_were_switched_off_are_seen_and_set_right(self) -> None:
        """The whole table sleeps, or what no rule takes is dropped; a process that starts afterwards sees it too."""
        await self.namespaces.add(self.name)
        chain = ("inet", "prerouting")
        hook = "type nat hook prerouting priority -100;"
        change = Change(sets=FILTERS.sets, chains={chain: evolve(FILTERS.chains[chain], hook=hook)})
        await self.namespaces.apply_filters(self.name, change)
        for command in (
            "add table inet quantumd { flags dormant; }",
            "add chain inet quantumd prerouting { policy drop; }",
        ):
            self.shell("nft", command)
            for namespaces in (self.namespaces, self.make_stranger()):
                self.assertEqual((await namespaces.read_filters(self.name)).chains[chain], "", command)
            await self.namespaces.apply_filters(self.name, change)
            found = await self.namespaces.read_filters(self.name)
            self.assertEqual(found.chains[chain], change.chains[chain].digest, command)


class DeviceTests(KernelCase):
    """What devices do."""

    async def test_the_outer_end_says_whose_it_is_and_nothing_else(self) -> None:
        """It is up, and has no address of its own."""
        await self.make_router()
        shown = run("ip", "-d", "address", "show", "dev", self.outer)
        self.assertIn(f"alias {self.pairs[INSIDE].alias}", shown)
        self.assertIn("state UP", shown)
        self.assertIn("mtu 1450", shown)
        self.assertNotIn("inet", shown)

    async def test_checksums_are_complete_where_it_is_asked_for(self) -> None:
        """Those of the inner end, from which packets leave."""
        await self.namespaces.add(self.name)
        await self.apply(self.pairs[GATEWAY], evolve(self.pairs[INSIDE], completes_checksums=True))
        for device, state in ((INSIDE, "off"), (GATEWAY, "on")):
            self.assertIn(f"tx-checksumming: {state}", self.shell("ethtool", "-k", device))

    async def test_addresses_of_ipv6_are_used_at_once(self) -> None:
        """Nobody is asked first whether he has it."""
        await self.make_router()
        self.assertNotIn("tentative", self.ip("-6", "address", "show", "dev", INSIDE))

    async def test_an_address_is_announced_until_it_goes(self) -> None:
        """At once and again; of either version; byte for byte as it must be."""
        await self.make_router(PutAddress(Address(INSIDE, "10.0.0.2/24")))
        mac = self.pairs[INSIDE].device.mac
        said = {each: announcement(mac, each) for each in ("10.0.0.1", "10.0.0.2", "fd00::1")}
        with sniffing(self.outer) as heard:
            await self.apply(
                Announce(mac, Address(INSIDE, "10.0.0.1/24")), Announce(mac, Address(INSIDE, "fd00::1/64")),
                Announce(mac, Address(INSIDE, "10.0.0.2/24")),
            )  # fmt: skip
            await deferLater(reactor, 0.15)
            await self.apply(RemoveAddress(Address(INSIDE, "10.0.0.2/24")))
            await deferLater(reactor, 1.2)
            frames = list(heard())
        counts = {address: frames.count(frame) for address, frame in said.items()}
        self.assertEqual(counts, {"10.0.0.1": 3, "10.0.0.2": 1, "fd00::1": 3})


@contextmanager
def sniffing(device: str) -> Iterator[Any]:
    """Hear frames of a device of this namespace; yields what returns those that have come."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as opened:
        opened.bind((device, 3))
        opened.setblocking(False)

        def heard() -> Iterator[bytes]:
            while True:
                try:
                    yield opened.recv(2000)
                except BlockingIOError:
                    return

        yield heard


class ConnectionTests(KernelCase):
    """Connections that are tracked inside."""

    ports = 40_000

    def track(self, source: str, target: str, answer_source: str, answer_target: str) -> str:
        """Have a connection tracked; return a text by which its line is known."""
        self.ports += 1
        ends = ("-s", source, "-d", target, "-r", answer_source, "-q", answer_target)
        ports = ("--sport", str(self.ports), "--dport", "80", "--reply-port-src", "80")
        self.shell("conntrack", "-I", "-p", "udp", "-t", "600", *ends, *ports, "--reply-port-dst", str(self.ports))
        return f"sport={self.ports} "

    def tracked(self) -> str:
        """Return what is tracked."""
        return self.shell("conntrack", "-L")

    async def test_exactly_the_translated_ones_end(self) -> None:
        """Those that come by the address, those that leave by it; none by another, and none that is not translated."""
        await self.make_router()
        gone = [
            self.track("198.51.100.1", "203.0.113.5", "10.0.0.5", "198.51.100.1"),
            self.track("10.0.0.5", "198.51.100.1", "198.51.100.1", "203.0.113.5"),
            self.track("10.0.0.7", "203.0.113.5", "10.0.0.5", "203.0.113.6"),
        ]
        kept = [
            self.track("198.51.100.1", "203.0.113.6", "10.0.0.6", "198.51.100.1"),
            self.track("10.0.0.5", "198.51.100.2", "198.51.100.2", "203.0.113.2"),
            self.track("203.0.113.5", "10.0.0.9", "10.0.0.9", "203.0.113.5"),
            self.track("10.0.0.9", "203.0.113.5", "203.0.113.5", "10.0.0.9"),
        ]
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset({"203.0.113.5"})), len(gone))
        left = self.tracked()
        self.assertEqual([each for each in gone if each in left], [])
        self.assertEqual([each for each in kept if each not in left], [])

    async def test_exactly_those_to_the_ports_end(self) -> None:
        """Translated or not; none to another port, address or protocol, and none that comes from there."""
        await self.make_router()
        gone = [
            self.track("198.51.100.1", "203.0.113.5", "10.0.0.5", "198.51.100.1"),
            self.track("198.51.100.2", "203.0.113.5", "203.0.113.5", "198.51.100.2"),
        ]
        kept = [
            self.track("198.51.100.1", "203.0.113.6", "10.0.0.5", "198.51.100.1"),
            self.track("203.0.113.5", "198.51.100.1", "198.51.100.1", "203.0.113.5"),
        ]
        others = (("203.0.113.5", 6, 80, 80), ("203.0.113.5", 17, 81, 90), ("203.0.113.5", 17, 1, 79))
        wrong = frozenset(OuterPorts(*each) for each in others)
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset(), wrong), 0)
        meant = wrong | {OuterPorts("203.0.113.5", 17, 79, 80)}
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset(), meant), len(gone))
        left = self.tracked()
        self.assertEqual([each for each in gone if each in left], [])
        self.assertEqual([each for each in kept if each not in left], [])

    async def test_many_end_in_a_second(self) -> None:
        """Those of other namespaces stay."""
        await self.make_router()
        for _ in range(100):
            self.track("198.51.100.1", "203.0.113.5", "10.0.0.5", "198.51.100.1")
        other = f"{self.prefix}two"
        await self.namespaces.add(other)
        self.assertEqual(await self.namespaces.end_translated(other, frozenset({"203.0.113.5"})), 0)
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset({"203.0.113.5"})), 100)
