"""Pages of the ports of one network."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index in whose order such a page is read."""
    op.create_index("ix_ports_network_id_id", "ports", ["network_id", "id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_ports_network_id_id", "ports")
