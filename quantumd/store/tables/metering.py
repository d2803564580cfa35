"""Metering labels and their rules: which traffic of routers is counted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, String, Table

from quantumd.store.tables.base import id_column, metadata, project_column

metering_labels = Table(
    "metering_labels",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""What is counted under one name; a shared label counts at the routers of all projects."""

metering_label_rules = Table(
    "metering_label_rules",
    metadata,
    id_column(),
    project_column(),
    Column(
        "metering_label_id",
        String(36),
        ForeignKey("metering_labels.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("direction", String(16), nullable=False),
    Column("excluded", Boolean, nullable=False),
    Column("remote_ip_prefix", String(64), nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""A rule is of its label's project."""

metered = Table(
    "metered",
    metadata,
    Column("router_id", String(36), ForeignKey("routers.id", ondelete="CASCADE"), primary_key=True),
    Column("metering_label_id", String(36), ForeignKey("metering_labels.id", ondelete="CASCADE"), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("packets", BigInteger, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
)
"""What hosts had counted when it was told last, and when that was: seconds since 1970, ``first_at`` the first time."""
