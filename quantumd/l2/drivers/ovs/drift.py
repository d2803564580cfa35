"""What a look at the switch finds that nobody of this process did."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from quantumd.edge.openflow.interfaces import SwitchState
from quantumd.l2.drivers.ovs.pipeline import is_ours
from quantumd.l2.drivers.ovs.plan import Held


@define
class Drift:
    """Counts and logs it; ``_removes_foreign``: whether flows of strangers are removed, or only counted."""

    _removes_foreign: bool
    foreign_flows: int = field(default=0, init=False)
    """Flows of strangers at the last look."""
    repaired_flows: int = field(default=0, init=False)
    """How many were gone, changed or of strangers at a look, since the start."""
    _log = Logger()

    def note(self, held: Held, state: SwitchState, bridge: str) -> None:
        """Compare what was held with what is there."""
        lost = held.lost(state)
        self.foreign_flows = sum(not is_ours(flow) for flow in state.flows)
        self.repaired_flows += lost + (self.foreign_flows if self._removes_foreign else 0)
        if lost:
            self._log.warn("{n} flows of {bridge} are gone or changed: they are put back", n=lost, bridge=bridge)
        if self.foreign_flows:
            self._log.warn("{n} flows of strangers on {bridge}", n=self.foreign_flows, bridge=bridge)
