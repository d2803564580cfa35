"""Sockets that the reactor watched stay open until what it has of their events is handled."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.frames.taps import TapFrames
from quantumd.edge.netlink.interfaces import Link
from quantumd.edge.netlink.memory import MemoryLinks
from quantumd.edge.netlink.wire import NetlinkWire
from quantumd.edge.ovsdb.watch import Watch, Wishes
from quantumd.edge.solicitations.kernel import KernelSolicitations

_ROUTE = 0


class WatchingReactor(Clock):
    """A clock, and what it was told to watch."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: list[Any] = []

    def addReader(self, reader: Any) -> None:
        """Watch it."""
        self.watched.append(reader)

    def removeReader(self, reader: Any) -> None:
        """Watch it no more; harmless twice."""
        if reader in self.watched:
            self.watched.remove(reader)

    def addWriter(self, writer: Any) -> None:
        """Nothing here is watched for that."""

    removeWriter = addWriter

    def callInThread(self, call: Callable[[], object]) -> None:
        """Call it."""
        call()

    @property
    def descriptors(self) -> list[int]:
        """The numbers of what it watches."""
        return [each.fileno() for each in self.watched]


class _Inside:
    """Makes sockets in the namespace of the test."""

    def socket_in(self, namespace: str, make: Callable[[], socket.socket]) -> Any:
        """Make one."""
        return succeed(make())


class ClosingTests(SynchronousTestCase):
    """Everything that is watched and closed while other events may be at hand."""

    def setUp(self) -> None:
        self.reactor = WatchingReactor()

    def expect_closed_after_events(self, close: Callable[[], object], count: int = 1) -> None:
        """It is watched no more at once, and closed in the next turn."""
        numbers = self.reactor.descriptors
        files = [os.fstat(each).st_ino for each in numbers]
        self.assertEqual(len(numbers), count)
        close()
        self.assertEqual(self.reactor.watched, [])
        self.assertEqual([os.fstat(each).st_ino for each in numbers], files)
        self.reactor.advance(0)
        for number in numbers:
            self.assertRaises(OSError, os.fstat, number)

    def test_netlink(self) -> None:
        """As rooms of namespaces close theirs."""
        wire = NetlinkWire(self.reactor, _ROUTE)
        wire.open()
        self.expect_closed_after_events(wire.close)

    def test_an_idl(self) -> None:
        """As when its server hangs up."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        watch = Watch(self.reactor, self.reactor, lambda: None)  # type: ignore[arg-type]
        watch.follow(Wishes(ours.fileno()))
        self.reactor.addReader(watch)
        self.expect_closed_after_events(watch.stop)

    def test_solicitations(self) -> None:
        """As when a router goes."""
        heard = KernelSolicitations(self.reactor, _Inside())  # type: ignore[arg-type]
        self.successResultOf(heard.open("there"))
        self.expect_closed_after_events(lambda: heard.close("there"))

    def test_frames_of_a_device_that_goes(self) -> None:
        """Four sockets, of which the kernel often has an event then."""
        links = MemoryLinks()
        frames = TapFrames(self.reactor, links, lambda device, alias: alias or None, 10)
        frames.startService()
        self.addCleanup(frames.stopService)
        links.put(Link("lo", 1, alias="the port"))
        self.expect_closed_after_events(lambda: links.remove("lo"), 4)
