"""Where tunnels to each host end, and which."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "tunnel_ip": sa.String(45),
    "tunnel_types": sa.String(64),
    "tunnel_version": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
}


def upgrade() -> None:
    """Add the columns; roles fill them with their next report."""
    # An upgrade of MariaDB that was cut short is run again.
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("hosts")}
    for name, kind in _COLUMNS.items():
        if name not in there:
            op.add_column("hosts", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in reversed(_COLUMNS):
        op.drop_column("hosts", name)
