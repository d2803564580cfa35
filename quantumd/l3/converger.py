"""The l3 role's way from records to routers in network namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, Key, Plan, Step, merge
from quantumd.edge.netns.interfaces import INamespaces
from quantumd.edge.nft.interfaces import Ruleset
from quantumd.errors import EdgeError
from quantumd.interfaces import IConverger, IPlugs
from quantumd.l3.advertiser import Advertiser
from quantumd.l3.delegation.delegator import Delegator
from quantumd.l3.desired import SomeRecords, desire, find_router, keys_of, router_key
from quantumd.l3.features.metering import counted
from quantumd.l3.names import GATEWAY, INSIDE, PREFIX, inner_end, namespace_of, router_in
from quantumd.l3.plan import Observed, plan_router
from quantumd.l3.steps import (
    AddNamespace,
    ChangeFilters,
    ChangeInside,
    ChangeRouter,
    Deed,
    EndTranslated,
    Plug,
    RemoveNamespace,
    Unplug,
)
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.meter_counts import MeterCount
from quantumd.model.records import RecordKey
from quantumd.model.router_records import RouterRecord

AT_ONCE = 8
"""How many routers are looked at, or changed, at the same time: each takes a thread now and then."""


@implementer(IConverger)
@define(eq=False)
class L3Converger:
    """Keeps routers as the records ask.

    What is seen of each is kept until something says that it changed, and read anew after each change of ours.
    """

    role = "l3"
    _host: str
    _version: str
    _records: SomeRecords
    _namespaces: INamespaces
    _plugs: IPlugs
    _advertiser: Advertiser
    _delegator: Delegator
    _prefix: str = PREFIX
    repaired: int = field(default=0, init=False)
    """How many routers were found changed by others since the start."""
    _seen: dict[str, Observed] = field(factory=dict, init=False)
    _realised: dict[str, RouterRecord | None] = field(factory=dict, init=False)
    """What was last realised of each router; None of one that was removed."""
    _busy: set[str] = field(factory=set, init=False)
    _heard: set[str] = field(factory=set, init=False)
    """Of which of the busy ones something was heard: they are looked at again."""
    _slots: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)
    _listeners: list[Callable[[frozenset[Key] | None], None]] = field(factory=list, init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._namespaces.on_change(lambda namespace: self._changed(router_in(namespace, self._prefix)))
        self._plugs.on_change(self._changed)
        self._plugs.on_known(lambda: self._tell(None))
        self._delegator.on_change(lambda router_id: self._tell(frozenset({router_key(router_id)})))

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._listeners.append(listener)

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._observe())

    async def _observe(self) -> None:
        await self._plugs.observe()
        names = await self._namespaces.names()
        routers = {router_in(each, self._prefix) for each in names} - {""} | self._plugs.owners() | self._seen.keys()
        await gatherResults([self._slots.run(self._look, each) for each in routers], consumeErrors=True).addErrback(
            _first_error
        )

    def _look(self, router_id: str) -> Deferred[None]:
        return ensureDeferred(self._look_at(router_id))

    async def _look_at(self, router_id: str) -> None:
        namespace = namespace_of(router_id, self._prefix)
        inside = await self._namespaces.read(namespace)
        filters = await self._namespaces.read_filters(namespace) if inside is not None else Ruleset()
        seen = Observed(inside, filters, self._plugs.plugged(router_id), self._plugs.completes_checksums)
        if seen.is_nothing:
            self._seen.pop(router_id, None)
        else:
            self._seen[router_id] = seen

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        return keys_of(changed)

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        recorded = {record.id for record in self._records.of_kind(RouterRecord.kind)}
        return frozenset(map(router_key, recorded | self._seen.keys()))

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        plans = [self._plan(router_id) for _, router_id in sorted(keys)]
        return merge(plans) if any(not each.is_empty for each in plans) else NOTHING

    def _plan(self, router_id: str) -> Plan:
        seen = self._seen.get(router_id) or Observed(completes_checksums=self._plugs.completes_checksums)
        return plan_router(router_id, desire(find_router(self._records, router_id)), seen)

    def sweep(self) -> Plan:
        """See IConverger: everything that is ours has a key."""
        return NOTHING

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        if not isinstance(step, ChangeRouter):
            raise TypeError(f"the l3 role knows no step {type(step).__name__}")
        return self._slots.run(lambda: ensureDeferred(self._change(step)))

    async def _change(self, step: ChangeRouter) -> None:
        self._busy.add(step.router_id)
        self._advertiser.cease(step.router_id, inner_ends(step.deeds))
        try:
            await self._leave_outside(step)
            for deed in step.deeds:
                await self._do(step.router_id, deed)
        finally:
            try:
                await self._look_at(step.router_id)
            finally:
                self._is_done(step.router_id)

    async def _leave_outside(self, step: ChangeRouter) -> None:
        """Give back what is the router's no more before its way outside goes."""
        record = find_router(self._records, step.router_id)
        is_deleted = self._records.was_deleted(RouterRecord.kind, step.router_id)
        leaving = self._delegator.cease(step.router_id, inner_ends(step.deeds, GATEWAY), record, is_deleted)
        if leaving is not None:
            await leaving

    def _is_done(self, router_id: str) -> None:
        self._busy.discard(router_id)
        if router_id in self._heard:
            self._heard.discard(router_id)
            self._changed(router_id)

    async def _do(self, router_id: str, deed: Deed) -> None:
        namespace = namespace_of(router_id, self._prefix)
        match deed:
            case AddNamespace():
                await self._namespaces.add(namespace)
            case RemoveNamespace():
                self._advertiser.forget(router_id)
                self._delegator.suspend(router_id)
                await self._namespaces.remove(namespace)
            case ChangeInside(operations):
                await self._namespaces.apply(namespace, operations)
            case ChangeFilters(change):
                await self._namespaces.apply_filters(namespace, change)
            case EndTranslated(addresses, ports):
                count = await self._namespaces.end_translated(namespace, addresses, ports)
                self._log.info("{count} connections of router {router} ended", count=count, router=router_id)
            case Plug(port_id, device, mac):
                await self._plugs.plug(router_id, port_id, device, mac)
            case Unplug(device):
                await self._plugs.unplug(device)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger. What it says of ports here is said of routers."""
        return tuple(filter(None, (self._conclude(key, faults.get(key)) for key in keys)))

    def _conclude(self, key: Key, fault: str | None) -> PortReport | None:
        router_id = key[1]
        record = find_router(self._records, router_id)
        if record is None:
            self._realised.pop(router_id, None)
            self._advertiser.forget(router_id)
            self._delegator.forget(router_id)
            return None
        if fault is None:
            self._realised[router_id] = record
            self._advertiser.put(record)
            self._delegator.put(record)
        realised = self._realised.get(router_id)
        version, delegated = realised.version if realised is not None else 0, self._delegator.delegated(router_id)
        return PortReport(router_id, version, True, fault, delegated)

    def read_meters(self) -> Deferred[Iterable[MeterCount]]:
        """Fire with what labels have counted. A router that cannot be read is left out."""
        return ensureDeferred(self._read_meters())

    async def _read_meters(self) -> Iterable[MeterCount]:
        found: list[MeterCount] = []
        for record in tuple(self._records.of_kind(RouterRecord.kind)):
            router = find_router(self._records, record.id)
            if router is None or not router.meters or router.id not in self._seen:
                continue
            try:
                filters = await self._slots.run(self._namespaces.read_filters, namespace_of(router.id, self._prefix))
            except EdgeError as error:
                self._log.warn("what router {router} counted cannot be read: {why}", router=router.id, why=str(error))
                continue
            found += counted(router, filters.counters)
        return found

    def describe(self) -> HostReport:
        """See IConverger."""
        return HostReport(self._host, self.role, self._version, record_kinds=(RouterRecord.kind,))

    # --- what others do

    def _changed(self, router_id: str) -> None:
        if router_id in self._busy:
            self._heard.add(router_id)
            return
        looking = self._slots.run(self._look, router_id)
        looking.addCallbacks(lambda _: self._looked(router_id), self._cannot_look)

    def _looked(self, router_id: str) -> None:
        if router_id in self._busy or self._plan(router_id).is_empty:
            return
        if self._realised.get(router_id) == find_router(self._records, router_id):
            self.repaired += 1
            self._log.warn("router {router} was changed by somebody else, and is set right", router=router_id)
        self._tell(frozenset({router_key(router_id)}))

    def _cannot_look(self, failure: Failure) -> None:
        failure.trap(EdgeError)
        # All is looked at anew, as often as it takes.
        self._tell(None)

    def _tell(self, keys: frozenset[Key] | None) -> None:
        for listener in self._listeners:
            listener(keys)


def inner_ends(deeds: Iterable[Deed], prefix: str = INSIDE) -> frozenset[str]:
    """Return the routers' own ends of the wires that are unplugged; ``prefix`` begins their names."""
    outer = (deed.device for deed in deeds if isinstance(deed, Unplug))
    return frozenset(inner_end(prefix, device) for device in outer)


def _first_error(failure: Failure) -> Failure:
    first: Failure = getattr(failure.value, "subFailure", failure)
    return first
