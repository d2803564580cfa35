"""What several resources use: tags, and who else may use what a project owns."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from quantumd.store.tables.base import id_column, metadata, project_column

tags = Table(
    "tags",
    metadata,
    Column("resource_id", String(36), primary_key=True),
    Column("tag", String(255), primary_key=True),
    Index("ix_tags_tag_resource_id", "tag", "resource_id"),
)
"""Tags of anything that has an id; they go with the row that they belong to."""

rbac_entries = Table(
    "rbac_entries",
    metadata,
    id_column(),
    project_column(),
    Column("object_type", String(32), nullable=False),
    Column("object_id", String(36), nullable=False),
    Column("action", String(32), nullable=False),
    Column("target_project", String(255), nullable=False),
    Column("created_at", String(20), nullable=False, server_default="1970-01-01T00:00:00Z"),
    UniqueConstraint("object_id", "action", "target_project", "object_type"),
    Index("ix_rbac_entries_target_project", "target_project", "object_type", "action", "object_id"),
)
"""Who else may use what a project owns; a ``target_project`` of ``*`` is everybody."""
