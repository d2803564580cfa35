"""Several gateways of a router: their order, their numbers, and whether connections are spread over them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a gateway that is there is the first and only one."""
    _add("routers", "enable_default_route_ecmp", sa.Boolean(), sa.false())
    _add("router_ports", "ordinal", sa.Integer(), "0")
    _add("router_ports", "number", sa.Integer(), "1")


def _add(table: str, column: str, kind: sa.types.TypeEngine[Any], default: Any) -> None:
    # An upgrade of MariaDB that was cut short is run again.
    if column not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, sa.Column(column, kind, server_default=default, nullable=False))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("router_ports", "number")
    op.drop_column("router_ports", "ordinal")
    op.drop_column("routers", "enable_default_route_ecmp")
