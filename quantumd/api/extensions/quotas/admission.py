"""Admission: a create request goes on only when every project keeps within its limits.

The count and what is then created are one transaction. Where a limit applies, other processes are kept out of the same
project's same quota until it ends, so that two of them cannot both take the last place; on SQLite there is one writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from quantumd.api.extensions.quotas.counts import Countable, keep_count, kept_count, own_limits
from quantumd.api.extensions.quotas.errors import OverQuota
from quantumd.api.resource import Resource
from quantumd.model.context import Context
from quantumd.model.quota import UNLIMITED, is_over
from quantumd.store.transaction import Transaction


@frozen
class Admission:
    """Guards the quotas: an Admit. ``defaults`` are the limits of projects that have none of their own."""

    defaults: Mapping[str, int]
    counted: Mapping[str, Countable]

    def __call__(
        self, tx: Transaction, context: Context, resource: Resource, bodies: Sequence[Mapping[str, Any]]
    ) -> None:
        """Refuse what would be too much. OverQuota."""
        name = resource.quota
        if name is None or name not in self.counted:
            return
        own_project = context.project_id or ""
        if len(bodies) == 1:
            self._admit(tx, name, bodies[0].get("project_id", own_project), 1)
            return
        for project_id, wanted in sorted(Counter(body.get("project_id", own_project) for body in bodies).items()):
            self._admit(tx, name, project_id, wanted)

    def _admit(self, tx: Transaction, name: str, project_id: str, wanted: int) -> None:
        limit = own_limits(tx, project_id).get(name, self.defaults[name])
        if limit <= UNLIMITED:
            return
        used = kept_count(tx, name, project_id)
        # What was kept does not know of deletions, so nobody is refused because of it.
        if used is None or is_over(limit, used, wanted):
            tx.lock(f"quota:{name}:{project_id}")
            used = self.counted[name].used_now(tx, project_id)
        if is_over(limit, used, wanted):
            raise OverQuota((name,))
        keep_count(tx, name, project_id, used + wanted)
