"""Quotas: how many of a resource a project may have."""

from __future__ import annotations

from collections.abc import Collection, Mapping

UNLIMITED = -1
"""The limit that is none."""


def is_over(limit: int, used: int, wanted: int) -> bool:
    """Return whether ``wanted`` more than the ``used`` ones are more than the limit allows."""
    return limit > UNLIMITED and used + wanted > limit


def default_limits(
    names: Collection[str], of_families: Mapping[str, int], of_settings: Mapping[str, int]
) -> dict[str, int]:
    """Return the limit of each quota for projects without one of their own, in alphabetical order.

    What the operator set wins over what the family of the resource says; a quota that neither knows has no limit.
    """
    return {name: of_settings.get(name, of_families.get(name, UNLIMITED)) for name in sorted(names)}


def limits_of(defaults: Mapping[str, int], own: Mapping[str, int]) -> dict[str, int]:
    """Return a project's limits: its own, else the defaults. Limits of resources that are no longer served are left."""
    return {name: own.get(name, limit) for name, limit in defaults.items()}


def too_low(limits: Mapping[str, int], used: Mapping[str, int]) -> str | None:
    """Return the first quota whose new limit is below what is used already; None when there is none."""
    return next((name for name, limit in limits.items() if is_over(limit, used[name], 0)), None)
