"""Answers the DHCP frames of this host's ports."""

from __future__ import annotations

from typing import Protocol

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import show_ip
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.neighbour import answer_arp
from quantumd.dhcp.pace import Paces, PortPace
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder import Answer, answer
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.frames.interfaces import IFrames, PortFrame, Purpose
from quantumd.model.records import DhcpPortRecord

_QUIET = frozenset({MessageType.DISCOVER})
"""An offer decides nothing: the request that follows does."""


class Counter(Protocol):
    """Counts by labels: what was asked (``discover`` … or ``unknown``), and what came of it (``ack`` … or a Reason)."""

    def add(self, asked: str, outcome: str) -> None:
        """One more."""


@define(eq=False)
class DhcpService(Service):
    """Answers frames from the table while it runs; a second limit behind the meters of the flows."""

    _frames: IFrames
    _table: DhcpTable
    _settings: DhcpSettings
    _clock: IReactorTime
    _counter: Counter
    _metadata: bool = False
    """Whether clients are told the way to metadata."""
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
            self._frames.subscribe(Purpose.DHCP4, self._received)
            self._frames.subscribe(Purpose.ARP, self._asked_for)

    def _received(self, frame: PortFrame) -> None:
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
        decided = answer(frame.frame, port, network, self._settings, self._metadata)
        if decided.frame is not None:
            self._frames.send(frame.reply_to, decided.frame)
        self._note(decided, port, pace, began)

    def _asked_for(self, frame: PortFrame) -> None:
        port = self._table.port(frame.port_id)
        network = self._table.network(port.network_id) if port is not None else None
        said = answer_arp(frame.frame, network) if self.running and network is not None else None
        if said is not None:
            self._frames.send(frame.reply_to, said)

    def _note(self, decided: Answer, port: DhcpPortRecord, pace: PortPace, began: float) -> None:
        asked = "unknown" if decided.asked is None else decided.asked.name.lower()
        outcome = str(decided.reason) if decided.answered is None else decided.answered.name.lower()
        self._counter.add(asked, outcome)
        is_decision = decided.reason in (Reason.ANSWERED, Reason.NOTED) and decided.asked not in _QUIET
        if not is_decision or not pace.may_log():
            return
        untold, pace.untold = pace.untold, 0
        self._log.info(
            "{asked} of port {port} ({mac}) for {address}: {outcome} in {ms} ms",
            asked=asked,
            port=port.id,
            mac=port.mac_address,
            address=show_ip(decided.address) if len(decided.address) == 4 else "nothing",
            outcome=outcome,
            ms=round((self._clock.seconds() - began) * 1000, 2),
            untold=untold,
        )
