"""What a look at the kernel finds that nobody of this process did."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from quantumd.l2.drivers.linuxbridge.plan import Held


@define
class Drift:
    """Counts and logs it. ``repaired``: how much was found gone or changed since the start."""

    repaired: int = field(default=0, init=False)
    _log = Logger()

    def note(self, held: Held, now: Held) -> None:
        """Compare what was held with what is there."""
        lost = held.lost(now)
        if lost:
            self.repaired += lost
            self._log.warn("{n} filters and entries of bridges are gone or changed: they are put back", n=lost)

    def note_device(self, device: str) -> None:
        """A device that was as it must be is not any more."""
        self.repaired += 1
        self._log.warn("somebody else has changed {device}: it is put back", device=device)
