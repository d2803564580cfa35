"""How many of each resource a project has, kept as the journal tells of creations and deletions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, String, Table

from quantumd.store.tables.base import metadata

TALLIED: Final = frozenset(
    {
        "network",
        "subnet",
        "port",
        "security_group",
        "security_group_rule",
        "rbac_policy",
        "subnetpool",
        "trunk",
        "router",
        "floatingip",
    }
)
"""Resources, as the journal names them, that are kept count of: those that quotas bound."""

tallies = Table(
    "tallies",
    metadata,
    Column("project_id", String(255), primary_key=True),
    Column("resource", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""Written with the changes that they count: what is undone was never added."""
