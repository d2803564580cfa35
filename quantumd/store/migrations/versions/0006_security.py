"""Security groups and their rules, address groups, and logging."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the templates of rules that new groups get."""
    op.add_column(
        "rbac_entries",
        sa.Column("created_at", sa.String(length=20), nullable=False, server_default="1970-01-01T00:00:00Z"),
    )
    _make_groups()
    _make_address_groups()
    _make_rules()
    _make_default_rules()
    _make_port_groups()
    _make_logs()


def _make_groups() -> None:
    op.create_table(
        "security_groups",
        *_standard(),
        sa.Column("stateful", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_groups")),
    )
    _index("security_groups", "project_id")
    _index("security_groups", "name")
    op.create_table(
        "default_security_groups",
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("security_group_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_default_security_groups")),
        _reference("default_security_groups", "security_group_id", "security_groups.id", "CASCADE"),
    )
    _index("default_security_groups", "security_group_id")
    op.create_table(
        "default_statefulness",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("stateful", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_default_statefulness")),
        sa.UniqueConstraint("project_id", name=op.f("uq_default_statefulness_project_id")),
    )


def _make_address_groups() -> None:
    op.create_table(
        "address_groups",
        *_standard(description_length=1024),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_groups")),
    )
    _index("address_groups", "project_id")
    _index("address_groups", "name")
    op.create_table(
        "address_group_addresses",
        sa.Column("address_group_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("address_group_id", "address", name=op.f("pk_address_group_addresses")),
        _reference("address_group_addresses", "address_group_id", "address_groups.id", "CASCADE"),
    )


def _make_rules() -> None:
    table = "security_group_rules"
    op.create_table(
        table,
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("security_group_id", sa.String(length=36), nullable=False),
        *_match(),
        sa.Column("normalized_cidr", sa.String(length=64), nullable=True),
        sa.Column("remote_group_id", sa.String(length=36), nullable=True),
        sa.Column("remote_address_group_id", sa.String(length=36), nullable=True),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_group_rules")),
        _reference(table, "security_group_id", "security_groups.id", "CASCADE"),
        _reference(table, "remote_group_id", "security_groups.id", "CASCADE"),
        _reference(table, "remote_address_group_id", "address_groups.id"),
    )
    for column in ("project_id", "security_group_id", "remote_group_id", "remote_address_group_id"):
        _index(table, column)


def _make_default_rules() -> None:
    table = op.create_table(
        "default_security_group_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        *_match(),
        sa.Column("remote_group_id", sa.String(length=36), nullable=True),
        sa.Column("remote_address_group_id", sa.String(length=36), nullable=True),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("used_in_default_sg", sa.Boolean(), nullable=False),
        sa.Column("used_in_non_default_sg", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_default_security_group_rules")),
    )
    op.bulk_insert(
        table,
        [
            _first_rule(1, "egress", "IPv4", None),
            _first_rule(2, "egress", "IPv6", None),
            _first_rule(3, "ingress", "IPv4", "PARENT"),
            _first_rule(4, "ingress", "IPv6", "PARENT"),
        ],
    )


def _first_rule(number: int, direction: str, ethertype: str, remote_group_id: str | None) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "direction": direction,
        "ethertype": ethertype,
        "remote_group_id": remote_group_id,
        "description": f"Legacy default SG rule for {direction} traffic",
        "used_in_default_sg": True,
        "used_in_non_default_sg": remote_group_id is None,
        "created_at": "1970-01-01T00:00:00Z",
    }


def _make_port_groups() -> None:
    table = "port_security_groups"
    op.create_table(
        table,
        sa.Column("port_id", sa.String(length=36), nullable=False),
        sa.Column("security_group_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("port_id", "security_group_id", name=op.f("pk_port_security_groups")),
        _reference(table, "port_id", "ports.id", "CASCADE"),
        _reference(table, "security_group_id", "security_groups.id"),
    )
    op.create_index("ix_port_security_groups_security_group_id", table, ["security_group_id", "port_id"])


def _make_logs() -> None:
    op.create_table(
        "logs",
        *_standard(),
        sa.Column("resource_type", sa.String(length=255), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=True),
        sa.Column("target_id", sa.String(length=36), nullable=True),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
    )
    for column in ("project_id", "resource_id", "target_id"):
        _index("logs", column)


def _standard(description_length: int = 255) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=description_length), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
    )


def _match() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("ethertype", sa.String(length=4), nullable=False),
        sa.Column("protocol", sa.String(length=40), nullable=True),
        sa.Column("port_range_min", sa.Integer(), nullable=True),
        sa.Column("port_range_max", sa.Integer(), nullable=True),
        sa.Column("remote_ip_prefix", sa.String(length=64), nullable=True),
    )


def _reference(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Remove them."""
    for table in (
        "logs",
        "port_security_groups",
        "default_security_group_rules",
        "security_group_rules",
        "address_group_addresses",
        "address_groups",
        "default_statefulness",
        "default_security_groups",
        "security_groups",
    ):
        op.drop_table(table)
    with op.batch_alter_table("rbac_entries") as batch:
        batch.drop_column("created_at")
