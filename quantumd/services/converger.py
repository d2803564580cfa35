"""The way from what a host answers to the place where it does: a namespace, a device in it, its other end plugged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, Key, Plan, Step
from quantumd.edge.netns.interfaces import INamespaces
from quantumd.interfaces import IConverger, IServiceDoor
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import RecordKey
from quantumd.services.plan import (
    KEY,
    AddNamespace,
    ChangeInside,
    ChangePlace,
    Deed,
    Observed,
    Plug,
    Unplug,
    place_of,
    plan_place,
)


@implementer(IConverger)
@define(eq=False)
class ServicesConverger:
    """See IConverger. There is one key; no record is of this role, and nobody is told of it."""

    role = "services"
    _host: str
    _version: str
    _namespace: str
    _namespaces: INamespaces
    _door: IServiceDoor
    _on_place: Callable[[], None]
    """Called when the place is as it must be."""
    repaired: int = field(default=0, init=False)
    """How often it was found changed by others since the start."""
    _seen: Observed = field(factory=Observed, init=False)
    _is_realised: bool = field(default=False, init=False)
    _is_busy: bool = field(default=False, init=False)
    _was_heard: bool = field(default=False, init=False)
    """Of something, meanwhile: it is looked at again."""
    _listeners: list[Callable[[frozenset[Key] | None], None]] = field(factory=list, init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._namespaces.on_change(lambda _: self._changed())
        self._door.on_change(self._changed)

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._listeners.append(listener)

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._look())

    async def _look(self) -> None:
        await self._door.observe()
        inside = await self._namespaces.read(self._namespace)
        self._seen = Observed(inside, self._door.plugged(), self._door.completes_checksums)

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        return frozenset({KEY})

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        return frozenset({KEY})

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        plan = plan_place(place_of(self._door.points, self._door.mtu_bytes), self._seen)
        if not plan.is_empty and self._is_realised:
            self._is_realised = False
            self.repaired += 1
            self._log.warn("the place of services was changed by somebody else, and is set right")
        return plan

    def sweep(self) -> Plan:
        """See IConverger."""
        return NOTHING

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        if not isinstance(step, ChangePlace):
            raise TypeError(f"services know no step {type(step).__name__}")
        return ensureDeferred(self._change(step))

    async def _change(self, step: ChangePlace) -> None:
        self._is_busy = True
        try:
            for deed in step.deeds:
                await self._do(deed)
        finally:
            self._is_busy = False
            await self._look()
            if self._was_heard:
                self._was_heard = False
                self._changed()

    async def _do(self, deed: Deed) -> None:
        match deed:
            case AddNamespace():
                await self._namespaces.add(self._namespace)
            case ChangeInside(operations):
                await self._namespaces.apply(self._namespace, operations)
            case Plug():
                await self._door.plug()
            case Unplug():
                await self._door.unplug()

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger."""
        if KEY in keys and KEY not in faults:
            self._is_realised = True
            self._on_place()
        return ()

    def describe(self) -> HostReport:
        """See IConverger."""
        return HostReport(self._host, self.role, self._version)

    def _changed(self) -> None:
        if self._is_busy:
            self._was_heard = True
            return
        for listener in tuple(self._listeners):
            listener(None)
