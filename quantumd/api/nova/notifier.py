"""Hands Nova what it must hear of stretches of the journal, in order, and remembers what it has acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from attrs import define, field
from prometheus_client import Counter
from twisted.logger import Logger

from quantumd.api.nova.answers import GONE, REFUSED, TAKEN, BadEvents
from quantumd.api.nova.events import CHANGED, Event, events_of
from quantumd.store.journal import JournalRow

MOST_EVENTS: Final = 100
"""How many events one request carries: about 20 kB."""


class Tells(Protocol):
    """What the notifier needs of a client; see NovaClient."""

    async def tell(self, events: Sequence[Event]) -> tuple[str, ...]:
        """Send events in one request."""


@define(eq=False)
class Notifier:
    """Handles stretches of the journal for the consumer that reads it."""

    _nova: Tells
    _counts: Counter
    _acknowledged: tuple[int, str] = field(default=(0, ""), init=False)
    log = Logger()

    async def handle(self, rows: Sequence[JournalRow]) -> bool:
        """Send the events of these rows; return, once Nova has acknowledged them all, whether there were any.

        What was acknowledged before something failed is not sent again when the rows come again.
        """
        events = events_of(rows)
        waiting = [event for event in events if _rank(event) > self._acknowledged]
        while waiting:
            await self._send(waiting[:MOST_EVENTS])
            waiting = waiting[MOST_EVENTS:]
        return bool(events)

    async def _send(self, events: Sequence[Event]) -> None:
        try:
            self._note(events, await self._nova.tell(events))
        except BadEvents as error:
            if len(events) > 1:
                # One of them makes no sense to Nova; the others must not be lost with it.
                for event in events:
                    await self._send((event,))
            else:
                self.log.error("Nova will not take an event: {why}", why=str(error))
                self._note(events, (REFUSED,))

    def _note(self, events: Sequence[Event], became: Sequence[str]) -> None:
        self._acknowledged = _rank(events[-1])
        for event, outcome in zip(events, became, strict=True):
            self._counts.labels(event.name, outcome).inc()
            # A server that is gone needs to hear nothing; that is what deleting one looks like.
            say = self.log.info if outcome in (TAKEN, GONE) else self.log.warn
            say(
                "told Nova {event} of port {port}: {outcome}",
                event=event.name,
                port=event.port_id,
                outcome=outcome,
                server=event.server_id,
            )


def _rank(event: Event) -> tuple[int, str]:
    # A change has two events at most, and then network-changed is the second one.
    return (event.position, "2" if event.name == CHANGED else "1")
