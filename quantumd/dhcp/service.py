"""Answers the DHCP frames of this host's ports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantumd.config import DhcpSettings
from quantumd.dhcp.neighbour import answer_arp
from quantumd.dhcp.neighbour6 import answer_solicitation
from quantumd.dhcp.options import NOTHING, Told
from quantumd.dhcp.pace import Paces, PortPace
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder import answer
from quantumd.dhcp.responder6 import answer6
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord


class Counter(Protocol):
    """Counts by labels: what was asked (``discover``, ``solicit6`` … or ``unknown``), and what came of it.

    That is ``ack``, ``reply`` … or a Reason.
    """

    def add(self, asked: str, outcome: str) -> None:
        """One more."""


class Decided(Protocol):
    """What is sent back, if anything, and how it is named: Answer, and Answer6."""

    @property
    def frame(self) -> bytes | None: ...

    @property
    def question(self) -> str: ...

    @property
    def outcome(self) -> str: ...

    @property
    def about(self) -> str: ...

    @property
    def is_decision(self) -> bool: ...


_Decide = Callable[[bytes, DhcpPortRecord, DhcpNetworkRecord, DhcpSettings], Decided]
_AnswerNeighbour = Callable[[bytes, DhcpNetworkRecord], bytes | None]


@define(eq=False)
class DhcpService(Service):
    """Answers frames from the table while it runs; a second limit behind the meters of the flows."""

    _frames: IFrames
    _table: DhcpTable
    _settings: DhcpSettings
    _clock: IReactorTime
    _counter: Counter
    _told: Told = NOTHING
    _paces: Paces = field(init=False)
    _is_subscribed: bool = field(default=False, init=False)
    _log = Logger()

    @_paces.default
    def _make_paces(self) -> Paces:
        return Paces(float(self._settings.rate_per_port_pps))

    def startService(self) -> None:
        """Answer frames from now on."""
        super().startService()
        if not self._is_subscribed:
            self._is_subscribed = True
            self._frames.subscribe(Purpose.DHCP4, partial(self._received, partial(answer, told=self._told)))
            self._frames.subscribe(Purpose.DHCP6, partial(self._received, partial(answer6, told=self._told)))
            self._frames.subscribe(Purpose.ARP, partial(self._asked_for, answer_arp))
            self._frames.subscribe(Purpose.SOLICITATION, partial(self._asked_for, answer_solicitation))

    def _received(self, decide: _Decide, frame: PortFrame) -> None:
        if not self.running:
            return
        began = self._clock.seconds()
        port = self._table.port(frame.port_id)
        network = None if port is None else self._table.network(port.network_id)
        if port is None or network is None:
            self._counter.add("unknown", Reason.UNKNOWN_PORT if port is None else Reason.NOT_SERVED)
            return
        pace = self._paces.of(port.id, began)
        if not pace.may_answer(began, self._paces.rate_pps):
            self._counter.add("unknown", Reason.RATE_LIMITED)
            return
        decided = decide(frame.frame, port, network, self._settings)
        if decided.frame is not None:
            self._frames.send(frame.reply_to, decided.frame)
        self._note(decided, port, pace, began)

    def _asked_for(self, answer_neighbour: _AnswerNeighbour, frame: PortFrame) -> None:
        port = self._table.port(frame.port_id)
        network = self._table.network(port.network_id) if port is not None else None
        said = answer_neighbour(frame.frame, network) if self.running and network is not None else None
        if said is not None:
            self._frames.send(frame.reply_to, said)

    def _note(self, decided: Decided, port: DhcpPortRecord, pace: PortPace, began: float) -> None:
        self._counter.add(decided.question, decided.outcome)
        if not decided.is_decision or not pace.may_log():
            return
        untold, pace.untold = pace.untold, 0
        self._log.info(
            "{asked} of port {port} ({mac}) for {address}: {outcome} in {ms} ms",
            asked=decided.question,
            port=port.id,
            mac=port.mac_address,
            address=decided.about,
            outcome=decided.outcome,
            ms=round((self._clock.seconds() - began) * 1000, 2),
            untold=untold,
        )
