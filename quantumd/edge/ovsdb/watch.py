"""What an Idl waits for, watched by the reactor."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import ovs.poller
import ovs.timeval
from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.descriptors import close_after_events


@define
class Wishes:
    """Stands where python-ovs expects its Poller, and notes what it is asked to wait for."""

    descriptor: int | None = None
    events: int = 0
    milliseconds: int | None = None

    def fd_wait(self, descriptor: Any, events: int) -> None:
        """Wake for these events; an Idl has one connection, so one descriptor."""
        self.descriptor = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        self.events |= events

    def timer_wait(self, milliseconds: int) -> None:
        """Wake after this time at the latest."""
        self.milliseconds = milliseconds if self.milliseconds is None else min(self.milliseconds, milliseconds)

    def timer_wait_until(self, milliseconds: int) -> None:
        """Wake at this time of OVS's clock."""
        self.timer_wait(max(0, milliseconds - ovs.timeval.msec()))

    def immediate_wake(self) -> None:
        """Wake at once."""
        self.timer_wait(0)


@implementer(IReadWriteDescriptor)
@define(eq=False)
class Watch:
    """Calls ``wake`` when what an Idl last wished for happens.

    The Idl closes its socket itself, and the kernel soon gives the number to another; the reactor knows descriptors by
    number only. So the reactor gets a duplicate, which lives until the Idl wishes for another socket.
    """

    _reactor: IReactorFDSet
    _clock: IReactorTime
    _wake: Callable[[], None]
    _duplicate: int | None = None
    _socket: tuple[int, int] | None = None
    _timer: IDelayedCall | None = None
    _log_prefix: str = field(default="ovsdb")

    def follow(self, wishes: Wishes) -> None:
        """Watch for these wishes and no others."""
        self._follow_socket(wishes.descriptor)
        _switch(self, self._reactor.addReader, self._reactor.removeReader, wishes.events & ovs.poller.POLLIN)
        _switch(self, self._reactor.addWriter, self._reactor.removeWriter, wishes.events & ovs.poller.POLLOUT)
        self._cancel_timer()
        if wishes.milliseconds is not None:
            self._timer = self._clock.callLater(wishes.milliseconds / 1000, self._ring)

    def pause(self) -> None:
        """Watch for nothing until told again."""
        self._cancel_timer()
        if self._duplicate is not None:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)

    def stop(self) -> None:
        """Watch for nothing more; harmless twice."""
        self.pause()
        if self._duplicate is not None:
            close_after_events(self._clock, partial(os.close, self._duplicate))
        self._duplicate = self._socket = None

    def fileno(self) -> int:
        """The duplicate; -1 without one, as the reactor expects."""
        return -1 if self._duplicate is None else self._duplicate

    def doRead(self) -> None:
        """Something can be read."""
        self._wake()

    def doWrite(self) -> None:
        """Something can be written."""
        self._wake()

    def connectionLost(self, reason: Failure) -> None:
        """The other end hung up: the Idl finds out by itself when it reads."""
        self.stop()
        self._wake()

    def logPrefix(self) -> str:
        """How the reactor names this in its log."""
        return self._log_prefix

    def _follow_socket(self, descriptor: int | None) -> None:
        if descriptor is None:
            self.stop()
            return
        status = os.fstat(descriptor)
        socket = (status.st_dev, status.st_ino)
        if socket != self._socket:
            self.stop()
            self._duplicate = os.dup(descriptor)
            self._socket = socket

    def _ring(self) -> None:
        self._timer = None
        self._wake()

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _switch(watch: Watch, on: Callable[[Watch], None], off: Callable[[Watch], None], is_on: int) -> None:
    if is_on:
        on(watch)
    elif watch.fileno() >= 0:
        off(watch)
