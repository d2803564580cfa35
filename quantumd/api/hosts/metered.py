"""Which routers count otherwise after a stretch of the journal. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field


@define
class TouchedMeters:
    """Labels whose rules changed, and projects whose labels did; None is every project."""

    labels: set[str] = field(factory=set)
    projects: set[str | None] = field(factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        return not (self.labels or self.projects)

    def note(self, resource: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note a row of the journal."""
        view = after or before
        if resource == "metering_label":
            self.projects.add(None if view["shared"] else view["project_id"])
        elif resource == "metering_label_rule":
            self.labels.add(view["metering_label_id"])
