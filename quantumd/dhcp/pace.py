"""How much one port may ask of the process, and of its log."""

from __future__ import annotations

from attrs import define, field

_LOG_BURST = 10.0
_LOG_LINES_PER_SECOND = 0.2
_FORGET_SECONDS = 60.0


@define(eq=False)
class PortPace:
    """Two token buckets of one port: answers and lines of the log. Times are in seconds of one clock."""

    answers: float
    lines: float
    at: float
    untold: int = 0
    """Decisions that no line was written for since the last line."""

    def may_answer(self, now: float, rate: float) -> bool:
        """Take a token for one answer, of ``rate`` that come each second and as many that are kept."""
        passed = max(0.0, now - self.at)
        self.at = now
        self.answers = min(rate, self.answers + passed * rate)
        self.lines = min(_LOG_BURST, self.lines + passed * _LOG_LINES_PER_SECOND)
        if self.answers < 1.0:
            return False
        self.answers -= 1.0
        return True

    def may_log(self) -> bool:
        """Take a token for one line; counts those for which there is none."""
        if self.lines < 1.0:
            self.untold += 1
            return False
        self.lines -= 1.0
        return True


@define(eq=False)
class Paces:
    """The paces of the ports that spoke lately. One that was silent for a while has full buckets and is forgotten."""

    rate_pps: float
    _young: dict[str, PortPace] = field(factory=dict, init=False)
    _old: dict[str, PortPace] = field(factory=dict, init=False)
    _turned_at: float = field(default=0.0, init=False)

    def of(self, port_id: str, now: float) -> PortPace:
        """Return a port's pace."""
        if now - self._turned_at > _FORGET_SECONDS:
            self._old = self._young if now - self._turned_at <= 2 * _FORGET_SECONDS else {}
            self._young, self._turned_at = {}, now
        pace = self._young.get(port_id)
        if pace is None:
            pace = self._old.pop(port_id, None) or PortPace(self.rate_pps, _LOG_BURST, now)
            self._young[port_id] = pace
        return pace

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
