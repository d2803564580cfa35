"""Which host carries a router, and since when routers and floating IPs have waited for being realised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: no router has a host yet."""
    # An upgrade of MariaDB that was cut short is run again.
    _add("routers", sa.Column("host", sa.String(length=255), server_default="", nullable=False))
    _add("routers", sa.Column("record_version", _position(), server_default="0", nullable=False))
    _add("floating_ips", sa.Column("record_version", _position(), server_default="0", nullable=False))
    if "ix_routers_host" not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("routers")}:
        op.create_index(op.f("ix_routers_host"), "routers", ["host"])


def _position() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _add(table: str, column: sa.Column[int] | sa.Column[str]) -> None:
    if column.name not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def downgrade() -> None:
    """Remove them."""
    op.drop_index(op.f("ix_routers_host"), "routers")
    op.drop_column("floating_ips", "record_version")
    op.drop_column("routers", "record_version")
    op.drop_column("routers", "host")
