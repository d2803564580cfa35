"""Sharing between projects: whether a grant can go while projects use what it gives."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

EVERYBODY: Final = "*"
"""The target of a grant that is for every project."""


def depends_on_grant(target: str, owner: str, users: Set[str], other_targets: Set[str]) -> bool:
    """Whether a project would use the object without a right to it, were the grant to ``target`` gone.

    :param owner: the project that owns the object, which needs no grant.
    :param users: the projects that use the object.
    :param other_targets: the targets of the other grants of the object.
    """
    if target == owner or EVERYBODY in other_targets:
        return False
    losing = users - {owner} - other_targets
    return bool(losing) if target == EVERYBODY else target in losing
