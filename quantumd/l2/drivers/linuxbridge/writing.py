"""Changes of filters that are asked for together are one transaction: none of them is seen without the others."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from quantumd.edge.nft.interfaces import Change, INft
from quantumd.errors import EdgeError
from quantumd.l2.drivers.linuxbridge.plan import Held, together

_Asked = tuple[Change, "Deferred[None]"]


@define(eq=False)
class RulesWriter:
    """Makes changes, and notes in what is held that they are made."""

    _nft: INft
    _clock: IReactorTime
    _waiting: list[_Asked] = field(factory=list, init=False)

    def write(self, change: Change, held: Held) -> Deferred[None]:
        """Make a change together with those that are asked for in the same turn. EdgeError."""
        done: Deferred[None] = Deferred()
        self._waiting.append((change, done))
        if len(self._waiting) == 1:
            self._clock.callLater(0, lambda: ensureDeferred(self._write_all(held)).addErrback(self._broke))
        return done

    async def _write_all(self, held: Held) -> None:
        asked, self._waiting = self._waiting, []
        try:
            await self._make(together(change for change, _ in asked), held)
        except EdgeError as error:
            await self._write_singly(asked, held, error)
            return
        for _, done in asked:
            done.callback(None)

    async def _write_singly(self, asked: list[_Asked], held: Held, why: EdgeError) -> None:
        """What cannot be made shall not keep the rest from it."""
        for change, done in asked:
            if len(asked) == 1:
                done.errback(why)
                return
            try:
                await self._make(change, held)
            except EdgeError as error:
                done.errback(error)
            else:
                done.callback(None)

    async def _make(self, change: Change, held: Held) -> None:
        if not change.is_nothing:
            await self._nft.apply(change)
            held.change(change)

    def _broke(self, failure: Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for _, done in waiting:
            done.errback(failure)
