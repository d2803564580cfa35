"""Admission: a create request goes on only when every project keeps within its limits.

The count and what is then created are one transaction. Where a limit applies, other processes are kept out of the same
project's same quota until it ends, so that two of them cannot both take the last place; on SQLite there is one writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from attrs import frozen

from quantumd.api.extensions.quotas.counts import Countable, countables, keep_count, kept_count, own_limits, tallied
from quantumd.api.extensions.quotas.errors import OverQuota
from quantumd.api.resource import Resource
from quantumd.config import QuotaSettings
from quantumd.model.context import Context
from quantumd.model.quota import UNLIMITED, default_limits, is_over
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
            self.require_room(tx, name, bodies[0].get("project_id", own_project), 1)
            return
        for project_id, wanted in sorted(Counter(body.get("project_id", own_project) for body in bodies).items()):
            self.require_room(tx, name, project_id, wanted)

    def require_room(self, tx: Transaction, name: str, project_id: str, wanted: int) -> None:
        """Refuse that many more, which are made with something else: the rules of a new group. OverQuota."""
        if name not in self.counted:
            return
        limit = own_limits(tx, project_id).get(name, self.defaults[name])
        if limit <= UNLIMITED:
            return
        used = kept_count(tx, name, project_id)
        if used is None:
            used = tallied(tx, name, project_id)
        # Neither knows of every deletion, so nobody is refused because of them.
        if used is None or is_over(limit, used, wanted):
            used = self._counted(tx, name, project_id)
        if is_over(limit, used, wanted):
            raise OverQuota((name,))
        keep_count(tx, name, project_id, used + wanted)

    def _counted(self, tx: Transaction, name: str, project_id: str) -> int:
        tx.lock(f"quota:{name}:{project_id}")
        used = self.counted[name].used_now(tx, project_id)
        believed = tallied(tx, name, project_id)
        if believed is not None and believed != used:
            tx.tally(name, project_id, used - believed)
        return used


def limits_by_name(settings: QuotaSettings, names: Iterable[str], of_families: Mapping[str, int]) -> dict[str, int]:
    """Return the limits of projects that have none of their own: what is set, else what the families say."""
    of_settings = {key: limit for key, limit in attrs.asdict(settings).items() if key != "enforced"}
    return default_limits(frozenset(names), of_families, of_settings)


def admission_of(settings: QuotaSettings, defaults: Mapping[str, int]) -> Admission:
    """Return what guards these quotas; nothing is guarded when the settings say that quotas are not enforced.

    :param defaults: the limits of projects that have none of their own, by name.
    """
    return Admission(defaults, countables(defaults)) if settings.enforced else Admission({}, {})
