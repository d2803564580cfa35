"""Filters by the program nft, one process a transaction, and what the kernel tells of others' changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock, ensureDeferred
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.netlink.wire import Message, NetlinkWire
from quantumd.edge.nft.interfaces import FAMILIES, TABLE, Change, INft, Ruleset
from quantumd.edge.nft.listing import Looks, read_listing
from quantumd.edge.nft.script import script
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

PROGRAM: Final = "/usr/sbin/nft"
BRIDGE_FILTERS: Final = Path("/proc/sys/net/bridge")
"""Is there where the kernel's bridges can show packets to the filters of IP: where br_netfilter is loaded."""
LIMIT_SECONDS: Final = 60.0
_LARGEST_BYTES = 256 * 1024 * 1024
_LARGEST_COMPLAINT = 2000
_NETFILTER, _NFTABLES_GROUP, _NEW_GENERATION = 12, 7, 10 << 8 | 15
_QUIET_SECONDS = 0.3
"""How long after news it is decided whose they were: a transaction is told of before its process has ended."""
_SLOW_SECONDS = 0.5
_MANY_CHAINS = 50
_NO_TABLE = "No such file or directory"


@define(eq=False)
class _Run(ProcessProtocol):
    """One process: what it is given, and what it says."""

    _input: bytes
    _clock: Any
    done: Deferred[bytes] = field(factory=Deferred, init=False)
    _said: list[bytes] = field(factory=list, init=False)
    _size: int = field(default=0, init=False)
    _complaint: bytes = field(default=b"", init=False)
    _why: EdgeError | None = field(default=None, init=False)
    _timer: Any = field(default=None, init=False)

    def connectionMade(self) -> None:
        """Give it its input."""
        self._timer = self._clock.callLater(LIMIT_SECONDS, self._end, EdgeTimeout(f"nft took {LIMIT_SECONDS:g} s"))
        process: Any = self.transport
        process.write(self._input)
        process.closeStdin()

    def outReceived(self, data: bytes) -> None:
        """Keep what it says."""
        self._said.append(data)
        self._size += len(data)
        if self._size > _LARGEST_BYTES:
            self._end(EdgeError("nft says more than can be held"))

    def errReceived(self, data: bytes) -> None:
        """Keep the beginning of its complaint."""
        self._complaint = (self._complaint + data)[:_LARGEST_COMPLAINT]

    def processEnded(self, reason: Failure) -> None:
        """Tell how it ended."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._why is None and not reason.check(ProcessDone):
            self._why = EdgeError(f"nft: {self._complaint.decode(errors='replace').strip() or reason.value}")
        if self._why is not None:
            self.done.errback(self._why)
        else:
            self.done.callback(b"".join(self._said))

    def _end(self, why: EdgeError) -> None:
        self._why = self._why or why
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")


@implementer(INft)
@define(eq=False)
class NftProgram:
    """See INft. One process at a time."""

    _reactor: Any
    _program: str = PROGRAM
    _bridge_filters: Path = BRIDGE_FILTERS
    _lock: DeferredLock = field(factory=DeferredLock, init=False)
    _looks: Looks = field(factory=Looks, init=False)
    _made: int = field(default=0, init=False)
    _told: int = field(default=0, init=False)
    """How many transactions were made here, and how many were told of."""
    _deciding: IDelayedCall | None = field(default=None, init=False)
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)
    _wire: NetlinkWire = field(init=False)
    _log = Logger()

    @_wire.default
    def _make_wire(self) -> NetlinkWire:
        return NetlinkWire(self._reactor, _NETFILTER, (_NFTABLES_GROUP,), self._heard, self._tell)

    def start(self) -> None:
        """See INft."""
        self._wire.open()

    def stop(self) -> None:
        """See INft."""
        self._wire.close()
        if self._deciding is not None:
            self._deciding.cancel()
            self._deciding = None

    def on_foreign_change(self, listener: Callable[[], None]) -> None:
        """See INft."""
        self._listeners.append(listener)

    def read(self) -> Deferred[Ruleset]:
        """See INft."""
        return ensureDeferred(self._read())

    async def _read(self) -> Ruleset:
        if not self._bridge_filters.exists():
            raise EdgeUnavailable("the kernel filters nothing on bridges: load its module br_netfilter")
        texts = {}
        for family in FAMILIES:
            try:
                said = await self._run(("-nn", "list", "table", family, TABLE), b"")
            except EdgeError as error:
                if _NO_TABLE not in str(error):
                    raise
            else:
                texts[family] = said.decode(errors="replace")
        try:
            listing = await self._on_thread(read_listing, texts)
        except ValueError as error:
            raise EdgeError(f"what nft lists cannot be read: {error}") from error
        return self._looks.judge(listing)

    def _on_thread(self, work: Callable[[Any], Any], what: object) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work, what)

    def apply(self, change: Change) -> Deferred[None]:
        """See INft."""
        return ensureDeferred(self._apply(change))

    async def _apply(self, change: Change) -> None:
        self._looks.forget((*change.chains, *change.gone_chains))
        # What is small is written faster than a thread is asked.
        is_large = len(change.chains) > _MANY_CHAINS
        said = await self._on_thread(script, change) if is_large else script(change)
        await self._run(("-f", "-"), said.encode(), changes=True)

    async def _run(self, arguments: tuple[str, ...], said: bytes, changes: bool = False) -> bytes:
        await self._lock.acquire()
        try:
            run, began = _Run(said, self._reactor), self._reactor.seconds()
            try:
                self._reactor.spawnProcess(run, self._program, (self._program, *arguments), env={"LC_ALL": "C"})
            except OSError as error:
                raise EdgeError(f"{self._program} cannot be run: {error.strerror}") from error
            answer = await run.done
            self._made += changes
            seconds = self._reactor.seconds() - began
            if changes and seconds > _SLOW_SECONDS:
                self._log.warn("nft took {ms} ms for a change", ms=round(seconds * 1000))
            return answer
        finally:
            self._lock.release()

    # --- what others do

    def _heard(self, messages: tuple[Message, ...]) -> None:
        generations = sum(message.kind == _NEW_GENERATION for message in messages)
        if not generations:
            return
        self._told += generations
        if self._deciding is None:
            self._deciding = self._reactor.callLater(_QUIET_SECONDS, self._decide)

    def _decide(self) -> None:
        if self._lock.locked:
            self._deciding = self._reactor.callLater(_QUIET_SECONDS, self._decide)
            return
        self._deciding = None
        foreign, self._told, self._made = self._told > self._made, 0, 0
        if foreign:
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
