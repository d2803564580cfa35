"""NDP proxies, and QoS policies of floating IPs and of gateways."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COLUMN = "enable_ndp_proxy"
_POLICIES = (("floating_ip_qos", "floatingip_id", "floating_ips.id"), ("gateway_qos", "router_id", "routers.id"))


def upgrade() -> None:
    """Add the column, and make the table; routers that are there answer for nobody."""
    # An upgrade of MariaDB that was cut short is run again.
    found = sa.inspect(op.get_bind())
    if _COLUMN not in {each["name"] for each in found.get_columns("routers")}:
        op.add_column("routers", sa.Column(_COLUMN, sa.Boolean(), server_default=sa.false(), nullable=False))
    there = found.get_table_names()
    if "ndp_proxies" not in there:
        _make_proxies()
    for table, key, target in _POLICIES:
        if table not in there:
            _make_policies(table, key, target)


def _make_proxies() -> None:
    op.create_table(
        "ndp_proxies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("router_id", sa.String(length=36), nullable=False),
        sa.Column("port_id", sa.String(length=36), nullable=False),
        sa.Column("ip_address", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["router_id"], ["routers.id"], name=op.f("fk_ndp_proxies_router_id")),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_ndp_proxies_port_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ndp_proxies")),
        sa.UniqueConstraint("router_id", "ip_address", name=op.f("uq_ndp_proxies_router_id_ip_address")),
        sa.Index(op.f("ix_ndp_proxies_project_id"), "project_id"),
        sa.Index(op.f("ix_ndp_proxies_port_id"), "port_id"),
    )


def _make_policies(table: str, key: str, target: str) -> None:
    op.create_table(
        table,
        sa.Column(key, sa.String(length=36), nullable=False),
        sa.Column("policy_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint([key], [target], name=op.f(f"fk_{table}_{key}"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["policy_id"], ["qos_policies.id"], name=op.f(f"fk_{table}_policy_id")),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        sa.Index(op.f(f"ix_{table}_policy_id"), "policy_id"),
    )


def downgrade() -> None:
    """Remove them."""
    for table, _, _ in _POLICIES:
        op.drop_table(table)
    op.drop_table("ndp_proxies")
    op.drop_column("routers", _COLUMN)
