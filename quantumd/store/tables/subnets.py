"""Subnet pools and address scopes.

Who else may use them is in ``rbac_entries``. Subnets name their pool, and pools their scope, without a foreign key:
SQLite cannot add one to a table that exists. The locks of the pool and of the scope keep both ends together.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from quantumd.store.tables.base import id_column, metadata, project_column, standard_columns

subnetpools = Table(
    "subnetpools",
    metadata,
    *standard_columns(),
    Column("ip_version", Integer, nullable=False, index=True),
    Column("prefixes", Text, nullable=False),
    Column("default_prefixlen", Integer, nullable=False),
    Column("min_prefixlen", Integer, nullable=False),
    Column("max_prefixlen", Integer, nullable=False),
    Column("default_quota", Integer),
    Column("is_default", Boolean, nullable=False),
    Column("address_scope_id", String(36), index=True),
)
"""``prefixes`` is a JSON list in canonical form: no two of them overlap or could be one."""

address_scopes = Table(
    "address_scopes",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("ip_version", Integer, nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""Address scopes have none of the standard attributes; ``created_at`` orders lists and is not shown."""
