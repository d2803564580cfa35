"""Security groups and their rules, address groups, and logging."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    event,
    insert,
)

from quantumd.store.tables.base import id_column, metadata, project_column, standard_columns


def _match_columns() -> tuple[Column[Any], ...]:
    """What a rule says of packets."""
    return (
        Column("direction", String(8), nullable=False),
        Column("ethertype", String(4), nullable=False),
        Column("protocol", String(40)),
        Column("port_range_min", Integer),
        Column("port_range_max", Integer),
        Column("remote_ip_prefix", String(64)),
    )


security_groups = Table(
    "security_groups",
    metadata,
    *standard_columns(),
    Column("stateful", Boolean, nullable=False),
    Index("ix_security_groups_name", "name"),
)

default_security_groups = Table(
    "default_security_groups",
    metadata,
    Column("project_id", String(255), primary_key=True),
    Column(
        "security_group_id",
        String(36),
        ForeignKey("security_groups.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)
"""The one group of each project that its ports have when they name none."""

address_groups = Table(
    "address_groups",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("revision_number", Integer, nullable=False),
    Index("ix_address_groups_name", "name"),
)

address_group_addresses = Table(
    "address_group_addresses",
    metadata,
    Column("address_group_id", String(36), ForeignKey("address_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(64), primary_key=True),
)
"""The prefixes of an address group, in canonical form."""

security_group_rules = Table(
    "security_group_rules",
    metadata,
    id_column(),
    project_column(),
    Column(
        "security_group_id",
        String(36),
        ForeignKey("security_groups.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    *_match_columns(),
    Column("normalized_cidr", String(64)),
    Column("remote_group_id", String(36), ForeignKey("security_groups.id", ondelete="CASCADE"), index=True),
    Column("remote_address_group_id", String(36), ForeignKey("address_groups.id"), index=True),
    Column("description", String(255)),
    Column("created_at", String(20), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("revision_number", Integer, nullable=False),
)
"""Rules. ``normalized_cidr`` is ``remote_ip_prefix`` without bits of the host part."""

default_security_group_rules = Table(
    "default_security_group_rules",
    metadata,
    id_column(),
    *_match_columns(),
    Column("remote_group_id", String(36)),
    Column("remote_address_group_id", String(36)),
    Column("description", String(1024), nullable=False),
    Column("used_in_default_sg", Boolean, nullable=False),
    Column("used_in_non_default_sg", Boolean, nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""What new groups are filled with. A ``remote_group_id`` of PARENT is the new group itself."""

FIRST_DEFAULT_RULES: tuple[dict[str, Any], ...] = tuple(
    {
        "id": rule_id,
        "direction": direction,
        "ethertype": ethertype,
        "remote_group_id": remote,
        "description": f"Legacy default SG rule for {direction} traffic",
        "used_in_default_sg": True,
        "used_in_non_default_sg": remote is None,
        "created_at": "1970-01-01T00:00:00Z",
    }
    for rule_id, direction, ethertype, remote in (
        ("00000000-0000-4000-8000-000000000001", "egress", "IPv4", None),
        ("00000000-0000-4000-8000-000000000002", "egress", "IPv6", None),
        ("00000000-0000-4000-8000-000000000003", "ingress", "IPv4", "PARENT"),
        ("00000000-0000-4000-8000-000000000004", "ingress", "IPv6", "PARENT"),
    )
)
"""The templates that a new database has, as in Neutron 29: all may leave, and what has the default group may enter."""


@event.listens_for(default_security_group_rules, "after_create")
def _fill(table: Table, connection: Connection, **_: Any) -> None:
    """Give tables that are made without migrations what the migration gives them."""
    connection.execute(insert(table), list(FIRST_DEFAULT_RULES))


default_statefulness = Table(
    "default_statefulness",
    metadata,
    id_column(),
    Column("project_id", String(255), nullable=False),
    Column("stateful", Boolean, nullable=False),
    Column("created_at", String(20), nullable=False),
    UniqueConstraint("project_id"),
)
"""Whether new groups are stateful; a ``project_id`` of '' is every project that has no row of its own."""

port_security_groups = Table(
    "port_security_groups",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("security_group_id", String(36), ForeignKey("security_groups.id"), primary_key=True),
    Index("ix_port_security_groups_security_group_id", "security_group_id", "port_id"),
)
"""The groups of each port."""

logs = Table(
    "logs",
    metadata,
    *standard_columns(),
    Column("resource_type", String(255), nullable=False),
    Column("resource_id", String(36), index=True),
    Column("target_id", String(36), index=True),
    Column("event", String(8), nullable=False),
    Column("enabled", Boolean, nullable=False),
)
"""What is to be logged of a security group, of a port, of both or of everything."""
