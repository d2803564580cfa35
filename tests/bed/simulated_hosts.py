"""Hosts without a switch: the roles of a host on memory edges, any number of them in this process, over one broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from zope.interface import implementer

from quantumd.bus.codec import encode
from quantumd.config import DhcpSettings, HostSettings, L2Settings, Settings
from quantumd.converge.records import Records
from quantumd.interfaces import IBus
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.l2.drivers.memory import MemoryDriver, MemorySwitchboard
from quantumd.metrics import Metrics
from quantumd.model.messages import HostReport, Message
from quantumd.model.records import KINDS
from quantumd.roles import ROLES, HostRoles, Roles


@implementer(IBus)
@define(eq=False)
class CountingBus:
    """Counts what goes over a bus, either way, by kind of message: how many, and how many bytes of body."""

    _bus: Any
    messages: Counter[str] = field(factory=Counter, init=False)
    bytes: Counter[str] = field(factory=Counter, init=False)

    @property
    def is_connected(self) -> bool:
        """See IBus."""
        return bool(self._bus.is_connected)

    def publish(self, address: str, message: Message) -> Deferred[None]:
        """See IBus."""
        published: Deferred[None] = self._bus.publish(address, self._count(message))
        return published

    def consume(self, address: str, receive: Callable[[Message], Any]) -> None:
        """See IBus."""
        self._bus.consume(address, lambda message: receive(self._count(message)))

    def call(self, address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """See IBus. What could not be asked is no message."""
        answered: Deferred[Message] = self._bus.call(address, message, timeout_seconds)

        def count(answer: Message) -> Message:
            self._count(message)
            return self._count(answer)

        return answered.addCallback(count)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBus."""
        self._bus.on_lost(listener)

    def forget(self) -> None:
        """Begin to count anew."""
        self.messages.clear()
        self.bytes.clear()

    def _count(self, message: Message) -> Message:
        self.messages[message.message_kind] += 1
        self.bytes[message.message_kind] += len(encode(message))
        return message


@define(eq=False)
class GuardingSwitchboard(MemorySwitchboard):
    """Says that it guards ports by their groups, so that it is told of them."""

    def describe(self) -> HostReport:
        """See IConverger."""
        return evolve(super().describe(), vif_details='{"port_filter": true}', record_kinds=KINDS)


@implementer(IL2Driver)
@define(eq=False)
class KeptMemoryDriver:
    """The memory driver; ``switchboard`` is what it made, of ``records``. One that guards is told of groups."""

    is_guarding: bool = False
    name: str = "memory"
    capabilities: frozenset[str] = MemoryDriver.capabilities
    switchboard: MemorySwitchboard = field(init=False)
    records: Records = field(init=False)

    def install(self, site: Site) -> L2Parts:
        """See IL2Driver."""
        make = GuardingSwitchboard if self.is_guarding else MemorySwitchboard
        self.switchboard, self.records = make(site.host, site.records), site.records
        return L2Parts(self.switchboard, Service(), self.frames(site))

    def plugs(self, site: Site) -> None:
        """See IL2Driver."""

    def frames(self, site: Site) -> FrameParts:
        """See IL2Driver."""
        return MemoryDriver().frames(site)


@define(eq=False)
class SimulatedHost:
    """One host. ``bus`` is its way to the server; whoever made it starts and stops it."""

    name: str
    bus: CountingBus
    is_guarding: bool = False
    _driver: KeptMemoryDriver = field(init=False)
    roles: Roles = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Put the roles together."""
        self._driver = KeptMemoryDriver(self.is_guarding)
        settings = evolve(
            Settings(), host=HostSettings(name=self.name, edges="memory"), l2=L2Settings(driver="memory"),
            dhcp=DhcpSettings(),
        )  # fmt: skip
        made = HostRoles(settings, reactor, self.name, self.bus, Metrics(), self._driver)
        self.roles = made.make(ROLES)

    @property
    def connected(self) -> dict[str, Any]:
        """The records by which ports are connected, by id."""
        return self._driver.switchboard.connected

    @property
    def records(self) -> Records:
        """What the l2 role knows."""
        return self._driver.records

    @property
    def is_converged(self) -> bool:
        """Whether there is nothing to do."""
        return all(loop.is_converged for loop in self.roles.loops.values())

    def plug(self, port_ids: Sequence[str]) -> None:
        """Plug devices that say they are these ports."""
        for port_id in port_ids:
            self._driver.switchboard.plug(port_id)
