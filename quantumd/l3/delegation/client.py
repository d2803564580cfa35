"""The client of one delegated prefix: asks, renews, asks anybody else, gives back. Source: RFC 8415, 18.2.

```
 start ─► SOLICIT ─► REQUEST ─► held ─► RENEW ─► REBIND ─► (valid no more) ─► SOLICIT
             ▲          │ refused         │ ◄──────┘ answered
             └──────────┘ later     NoBinding ─► REQUEST
```

Only what answers the message that is out, by a transaction id that nobody can guess, changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from quantumd.edge.dhcpv6.messages import HEAD_BYTES, MessageType6, Status6
from quantumd.l3.delegation.exchange import Alarm, Exchange
from quantumd.l3.delegation.leases import Lease, choose, is_withdrawn, lease_of
from quantumd.l3.delegation.messages import ANY_PREFIX, Answer, Given, Identity, question, read_answer
from quantumd.l3.delegation.pace import PACES, SOLICIT_DELAY_SECONDS, Pace

UNKNOWN_SECONDS: Final = 86_400
"""How long a prefix is used whose lease is not known, while no server says anything of it."""

MOST_ANSWERS: Final = 32
"""How many answers to one message are read: who sends more does not keep the host from its work."""

_BEST_PREFERENCE: Final = 255
_FIRST_BACKOFF_SECONDS, _LAST_BACKOFF_SECONDS = 2.0, 300.0
_LASTING_SECONDS: Final = 60.0
"""After how long with a lease all that went wrong before is forgotten."""


@define(eq=False)
class PrefixClient:
    """Has one prefix delegated. ``send`` gets the messages; ``changed`` is called when ``lease`` is another.

    ``chance`` returns numbers from 0 up to 1 that nobody can guess.
    """

    _who: Identity
    _clock: IReactorTime
    _chance: Callable[[], float]
    _send: Callable[[bytes], None]
    _changed: Callable[[], None]
    lease: Lease | None = field(default=None, init=False)
    has_lost: bool = field(default=False, init=False)
    """Whether it had a prefix and has none any more."""
    _exchange: Exchange | None = field(default=None, init=False)
    _alarm: Alarm = field(init=False)
    _failures: int = field(default=0, init=False)
    _held_since: float = field(default=0.0, init=False)
    _solicit: Pace = field(default=PACES[MessageType6.SOLICIT], init=False)
    _released: Deferred[None] | None = field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._alarm.is_set or self._exchange is not None

    @_alarm.default
    def _make_alarm(self) -> Alarm:
        return Alarm(self._clock)

    # --- what it is told to do

    def start(self, lease: Lease | None = None, prefix: str = "") -> None:
        """Begin: go on with a lease that is known, look whether a ``prefix`` is still given, or ask for any."""
        now = self._clock.seconds()
        if lease is None and prefix:
            lease = Lease(prefix, b"", now, now, now + UNKNOWN_SECONDS, now + UNKNOWN_SECONDS)
        self.lease, self._held_since = lease, now
        if lease is None:
            self._alarm.set(self._chance() * SOLICIT_DELAY_SECONDS, self._ask_anybody)
        else:
            self._hold()

    def stop(self) -> None:
        """Say nothing any more; the lease stays as it is."""
        self._exchange = None
        self._alarm.cancel()
        self._is_released()

    def release(self) -> Deferred[None]:
        """Give the prefix back; fires when a server has it, or nobody has answered for a while."""
        lease, self.lease = self.lease, None
        self.stop()
        if lease is None or not lease.server_id:
            return succeed(None)
        self._released = Deferred()
        released = self._released
        self._begin(MessageType6.RELEASE, lease.server_id, lease.delegated)
        return released

    def receive(self, payload: bytes) -> None:
        """Take what a server says, or somebody who would be one."""
        exchange = self._exchange
        if exchange is None or payload[1:HEAD_BYTES] != exchange.xid or exchange.heard == MOST_ANSWERS:
            return
        exchange.heard += 1
        answer = read_answer(payload, exchange.xid, self._who)
        if answer is None:
            return
        if (answer.type == MessageType6.ADVERTISE) != (exchange.kind == MessageType6.SOLICIT):
            return
        if exchange.server_id and answer.server_id != exchange.server_id:
            return
        match exchange.kind:
            case MessageType6.SOLICIT:
                self._offered(exchange, answer)
            case MessageType6.REQUEST:
                self._answered(exchange, answer)
            case MessageType6.RELEASE:
                self._exchange = None
                self._alarm.cancel()
                self._is_released()
            case _:
                self._confirmed(exchange, answer)

    # --- what comes of answers

    def _offered(self, exchange: Exchange, answer: Answer) -> None:
        if answer.solicit_seconds:
            self._solicit = evolve(self._solicit, most_seconds=float(answer.solicit_seconds))
        given = choose(answer.given) if answer.status == Status6.SUCCESS else None
        if given is None:
            return
        if exchange.best is None or exchange.best[0].preference < answer.preference:
            exchange.best = answer, given
        # Others have until the first time is over; then whoever comes first is taken (RFC 8415, 18.2.1).
        if answer.preference == _BEST_PREFERENCE or exchange.tries > 1:
            self._request(*exchange.best)

    def _request(self, answer: Answer, given: Given) -> None:
        self._begin(MessageType6.REQUEST, answer.server_id, given.prefix)

    def _answered(self, exchange: Exchange, answer: Answer) -> None:
        given = choose(answer.given, exchange.prefix) if answer.status == Status6.SUCCESS else None
        if given is None:
            self._fail()
        else:
            self._bind(answer, given)

    def _confirmed(self, exchange: Exchange, answer: Answer) -> None:
        held = exchange.prefix
        given = choose(answer.given, held)
        if given is not None:
            self._bind(answer, given)
        elif is_withdrawn(answer.given, held):
            self._lose()
        elif answer.status == Status6.NO_BINDING:
            self._begin(MessageType6.REQUEST, answer.server_id, held)

    def _bind(self, answer: Answer, given: Given) -> None:
        now = self._clock.seconds()
        if self.lease is None:
            self._held_since = now
        elif now - self._held_since > _LASTING_SECONDS:
            self._failures = 0
        self.lease, self.has_lost = lease_of(answer, given, now), False
        self._exchange = None
        self._hold()
        self._changed()

    def _lose(self) -> None:
        lost, self.lease = self.lease, None
        self._exchange = None
        self.has_lost = self.has_lost or lost is not None
        self._changed()
        self._fail()

    def _fail(self) -> None:
        """Begin anew, ever later: whoever promises and refuses shall not make the router talk all the time."""
        self._exchange = None
        self._failures += 1
        delay = min(_FIRST_BACKOFF_SECONDS * 2 ** min(self._failures - 1, 16), _LAST_BACKOFF_SECONDS)
        delay *= 0.9 + self._chance() / 5
        if self.lease is None:
            self._alarm.set(delay, self._ask_anybody)
        else:
            self._alarm.set(min(delay, self.lease.valid_until - self._clock.seconds()), self._hold)

    # --- time

    def _ask_anybody(self) -> None:
        self._begin(MessageType6.SOLICIT, b"", ANY_PREFIX)

    def _hold(self) -> None:
        """Do what is due of a lease, or wait for it."""
        lease, now = self.lease, self._clock.seconds()
        if lease is None:
            return
        if now >= lease.valid_until:
            self._lose()
        elif now >= lease.rebind_at or not lease.server_id:
            self._begin(MessageType6.REBIND, b"", lease.delegated)
        elif now >= lease.renew_at:
            self._begin(MessageType6.RENEW, lease.server_id, lease.delegated)
        else:
            self._alarm.set(lease.renew_at - now, self._hold)

    def _begin(self, kind: MessageType6, server_id: bytes, prefix: str) -> None:
        xid = int(self._chance() * (1 << 24)).to_bytes(3, "big")
        self._exchange = Exchange(kind, xid, self._clock.seconds(), server_id, prefix)
        self._say()

    def _say(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        now = self._clock.seconds()
        pace = self._solicit if exchange.kind == MessageType6.SOLICIT else PACES[exchange.kind]
        exchange.wait = pace.wait(exchange.wait, self._chance())
        exchange.tries += 1
        exchange.heard = 0
        elapsed = now - exchange.began
        self._send(question(exchange.kind, exchange.xid, self._who, exchange.prefix, elapsed, exchange.server_id))
        self._alarm.set(min(exchange.wait, self._longest(exchange.kind, now)), self._is_late)

    def _longest(self, kind: MessageType6, now: float) -> float:
        """Return after how long something else is due, whatever is answered."""
        if self.lease is None:
            return inf
        due = self.lease.rebind_at if kind == MessageType6.RENEW else self.lease.valid_until
        return max(0.0, due - now)

    def _is_late(self) -> None:
        exchange, lease, now = self._exchange, self.lease, self._clock.seconds()
        if exchange is None:
            return
        if lease is not None and (
            now >= lease.valid_until or (exchange.kind == MessageType6.RENEW and now >= lease.rebind_at)
        ):
            self._hold()
        elif exchange.best is not None:
            self._request(*exchange.best)
        elif exchange.tries == PACES[exchange.kind].most_tries:
            self._give_up(exchange.kind)
        else:
            self._say()

    def _give_up(self, kind: MessageType6) -> None:
        if kind == MessageType6.RELEASE:
            self._exchange = None
            self._is_released()
        else:
            self._fail()

    def _is_released(self) -> None:
        released, self._released = self._released, None
        if released is not None:
            released.callback(None)
