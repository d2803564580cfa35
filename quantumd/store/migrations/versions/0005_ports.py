"""What ports have beside their row and addresses, bindings, trunks and local IPs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_ports_mac_address", "ports", ["mac_address"]),
    ("ix_ports_device_owner", "ports", ["device_owner"]),
    ("ix_ports_created_at_id", "ports", ["created_at", "id"]),
    ("ix_ports_name", "ports", ["name"]),
    ("ix_ip_allocations_ip_address", "ip_allocations", ["ip_address"]),
)


def upgrade() -> None:
    """Make the tables, and give every port what it had so far by default."""
    op.add_column("ports", sa.Column("ip_allocation", sa.String(16), nullable=False, server_default="immediate"))
    op.add_column("ports", sa.Column("port_security_enabled", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("ports", sa.Column("details", sa.Text(), nullable=True))
    for name, table, columns in _INDEXES:
        op.create_index(op.f(name), table, columns)
    _bindings()
    _trunks()
    _local_ips()


def _standard_columns(description_length: int = 255) -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(description_length), nullable=False),
        sa.Column("created_at", sa.String(20), nullable=False),
        sa.Column("updated_at", sa.String(20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
    )


def _bindings() -> None:
    op.create_table(
        "inactive_bindings",
        sa.Column("port_id", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("vnic_type", sa.String(64), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("vif_type", sa.String(64), nullable=False),
        sa.Column("vif_details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("port_id", "host", name=op.f("pk_inactive_bindings")),
        sa.ForeignKeyConstraint(
            ["port_id"], ["ports.id"], name=op.f("fk_inactive_bindings_port_id"), ondelete="CASCADE"
        ),
    )


def _trunks() -> None:
    op.create_table(
        "trunks",
        *_standard_columns(),
        sa.Column("port_id", sa.String(36), nullable=False),
        sa.Column("admin_state_up", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunks")),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_trunks_port_id")),
        sa.UniqueConstraint("port_id", name=op.f("uq_trunks_port_id")),
    )
    op.create_index(op.f("ix_trunks_project_id"), "trunks", ["project_id"])
    op.create_table(
        "sub_ports",
        sa.Column("port_id", sa.String(36), nullable=False),
        sa.Column("trunk_id", sa.String(36), nullable=False),
        sa.Column("segmentation_type", sa.String(32), nullable=False),
        sa.Column("segmentation_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("port_id", name=op.f("pk_sub_ports")),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_sub_ports_port_id")),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunks.id"], name=op.f("fk_sub_ports_trunk_id"), ondelete="CASCADE"),
        sa.UniqueConstraint(
            "trunk_id",
            "segmentation_type",
            "segmentation_id",
            name=op.f("uq_sub_ports_trunk_id_segmentation_type_segmentation_id"),
        ),
    )


def _local_ips() -> None:
    op.create_table(
        "local_ips",
        *_standard_columns(1024),
        sa.Column("local_port_id", sa.String(36), nullable=False),
        sa.Column("network_id", sa.String(36), nullable=False),
        sa.Column("local_ip_address", sa.String(45), nullable=False),
        sa.Column("ip_mode", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_ips")),
        sa.ForeignKeyConstraint(["local_port_id"], ["ports.id"], name=op.f("fk_local_ips_local_port_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_local_ips_network_id")),
    )
    for column in ("project_id", "local_port_id", "network_id"):
        op.create_index(op.f(f"ix_local_ips_{column}"), "local_ips", [column])
    op.create_table(
        "local_ip_associations",
        sa.Column("local_ip_id", sa.String(36), nullable=False),
        sa.Column("fixed_port_id", sa.String(36), nullable=False),
        sa.Column("fixed_ip", sa.String(45), nullable=False),
        sa.PrimaryKeyConstraint("local_ip_id", "fixed_port_id", name=op.f("pk_local_ip_associations")),
        sa.ForeignKeyConstraint(["local_ip_id"], ["local_ips.id"], name=op.f("fk_local_ip_associations_local_ip_id")),
        sa.ForeignKeyConstraint(
            ["fixed_port_id"], ["ports.id"], name=op.f("fk_local_ip_associations_fixed_port_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_local_ip_associations_fixed_port_id"), "local_ip_associations", ["fixed_port_id"])


def downgrade() -> None:
    """Remove the tables and columns."""
    for name in ("local_ip_associations", "local_ips", "sub_ports", "trunks", "inactive_bindings"):
        op.drop_table(name)
    for name, table, _ in _INDEXES:
        op.drop_index(op.f(name), table_name=table)
    for column in ("details", "port_security_enabled", "ip_allocation"):
        op.drop_column("ports", column)
