"""What several resources use: tags, and who else may use what a project owns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tags",
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "tag", name=op.f("pk_tags")),
    )
    op.create_index("ix_tags_tag_resource_id", "tags", ["tag", "resource_id"])
    op.create_table(
        "rbac_entries",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("object_type", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("target_project", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rbac_entries")),
        sa.UniqueConstraint(
            "object_id",
            "action",
            "target_project",
            "object_type",
            name=op.f("uq_rbac_entries_object_id_action_target_project_object_type"),
        ),
    )
    op.create_index(op.f("ix_rbac_entries_project_id"), "rbac_entries", ["project_id"])
    op.create_index(
        "ix_rbac_entries_target_project", "rbac_entries", ["target_project", "object_type", "action", "object_id"]
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("rbac_entries")
    op.drop_table("tags")
