"""Networks are shared by RBAC entries, hold segments that are resources, and have more attributes."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_NETWORKS = sa.table(
    "networks",
    sa.column("id"),
    sa.column("project_id"),
    sa.column("shared", sa.Boolean()),
    sa.column("created_at"),
    sa.column("updated_at"),
    sa.column("network_type"),
    sa.column("physical_network"),
    sa.column("segmentation_id"),
)
_RBAC = sa.table(
    "rbac_entries",
    *(sa.column(name) for name in ("id", "project_id", "object_type", "object_id", "action", "target_project")),
)


def upgrade() -> None:
    """Move who shares into entries and what is held into segments of their own."""
    _share_by_entries()
    _network_columns()
    _segments()
    _ranges()


def _share_by_entries() -> None:
    connection = op.get_bind()
    # MariaDB ends a transaction with each change of a table, so an upgrade that was cut short begins here again.
    if "shared" not in {column["name"] for column in sa.inspect(connection).get_columns("networks")}:
        return
    moved = sa.select(_RBAC.c.object_id).where(_RBAC.c.object_type == "network")
    shared = connection.execute(
        sa.select(_NETWORKS.c.id, _NETWORKS.c.project_id).where(
            _NETWORKS.c.shared.is_(True), _NETWORKS.c.id.not_in(moved)
        )
    )
    for network_id, project_id in shared.all():
        entry = {
            "id": _derived_id(network_id, "network:access_as_shared:*"),
            "project_id": project_id,
            "object_type": "network",
            "object_id": network_id,
            "action": "access_as_shared",
            "target_project": "*",
        }
        connection.execute(sa.insert(_RBAC).values(entry))
    op.drop_column("networks", "shared")


def _network_columns() -> None:
    no, yes = sa.false(), sa.true()
    op.add_column("networks", sa.Column("is_external", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("networks", sa.Column("is_default", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("networks", sa.Column("port_security_enabled", sa.Boolean(), server_default=yes, nullable=False))
    op.add_column("networks", sa.Column("dns_domain", sa.String(length=255), server_default="", nullable=False))
    op.add_column("networks", sa.Column("availability_zone_hints", sa.Text(), nullable=True))
    op.add_column("networks", sa.Column("vlan_transparent", sa.Boolean(), nullable=True))
    op.add_column("networks", sa.Column("qinq", sa.Boolean(), nullable=True))
    op.create_index(op.f("ix_networks_is_external"), "networks", ["is_external"])
    if op.get_bind().dialect.name != "sqlite":
        # GRE keys have 32 bits without a sign; SQLite's integers hold them anyway.
        op.alter_column("networks", "segmentation_id", type_=sa.BigInteger(), existing_type=sa.Integer())


def _segments() -> None:
    connection = op.get_bind()
    columns = [column for column in _NETWORKS.c if column.name != "shared"]
    rows = [_segment_of(row) for row in connection.execute(sa.select(*columns)).mappings().all()]
    op.drop_table("segments")
    table = op.create_table(
        "segments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("network_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("network_type", sa.String(length=16), nullable=False),
        sa.Column("physical_network", sa.String(length=64), nullable=False),
        sa.Column("segmentation_id", _POSITION, nullable=True),
        sa.Column("segment_index", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_segments_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint(
            "network_type",
            "physical_network",
            "segmentation_id",
            name=op.f("uq_segments_network_type_physical_network_segmentation_id"),
        ),
    )
    op.create_index(op.f("ix_segments_network_id"), "segments", ["network_id"])
    op.create_index("ix_segments_physical_network", "segments", ["physical_network"])
    for row in rows:
        connection.execute(sa.insert(table).values(row))


def _segment_of(network: Any) -> dict[str, Any]:
    is_local = network["network_type"] == "local"
    return {
        "id": _derived_id(network["id"], "segment"),
        "network_id": network["id"],
        "name": None,
        "description": "",
        "created_at": network["created_at"],
        "updated_at": network["updated_at"],
        "revision_number": 0,
        "network_type": network["network_type"],
        "physical_network": network["physical_network"] or "",
        "segmentation_id": None if is_local else network["segmentation_id"] or 0,
        "segment_index": 0,
    }


def _ranges() -> None:
    op.create_table(
        "network_segment_ranges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("network_type", sa.String(length=16), nullable=False),
        sa.Column("physical_network", sa.String(length=64), nullable=True),
        sa.Column("minimum", _POSITION, nullable=False),
        sa.Column("maximum", _POSITION, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_segment_ranges")),
    )
    op.create_index(op.f("ix_network_segment_ranges_project_id"), "network_segment_ranges", ["project_id"])
    op.create_index(
        "ix_network_segment_ranges_network_type", "network_segment_ranges", ["network_type", "physical_network"]
    )
    op.create_table(
        "host_physical_networks",
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("physical_network", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("host", "physical_network", name=op.f("pk_host_physical_networks")),
    )
    op.create_index("ix_host_physical_networks_physical_network", "host_physical_networks", ["physical_network"])
    op.create_index("ix_ports_network_id_host_id", "ports", ["network_id", "host_id"])


def _derived_id(network_id: str, name: str) -> str:
    # From the network's id, so that a repeated upgrade of a copy gives the same.
    return str(uuid5(NAMESPACE_OID, f"{network_id}:{name}"))


def downgrade() -> None:
    """Keep each network's first segment, and the sharing with everybody."""
    connection = op.get_bind()
    op.drop_index("ix_ports_network_id_host_id", "ports")
    op.drop_table("host_physical_networks")
    op.drop_table("network_segment_ranges")
    _one_segment_each()
    op.drop_index(op.f("ix_networks_is_external"), "networks")
    for name in (
        "qinq",
        "vlan_transparent",
        "availability_zone_hints",
        "dns_domain",
        "port_security_enabled",
        "is_default",
        "is_external",
    ):
        op.drop_column("networks", name)
    op.add_column("networks", sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False))
    shared = sa.select(_RBAC.c.object_id).where(
        _RBAC.c.object_type == "network", _RBAC.c.action == "access_as_shared", _RBAC.c.target_project == "*"
    )
    connection.execute(sa.update(_NETWORKS).where(_NETWORKS.c.id.in_(shared)).values(shared=True))


def _one_segment_each() -> None:
    connection = op.get_bind()
    columns = [column for column in _NETWORKS.c if column.name != "shared"]
    networks = connection.execute(sa.select(*columns)).mappings().all()
    op.drop_table("segments")
    table = op.create_table(
        "segments",
        sa.Column("network_type", sa.String(length=16), nullable=False),
        sa.Column("physical_network", sa.String(length=64), nullable=False),
        sa.Column("segmentation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_segments_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("network_type", "physical_network", "segmentation_id", name=op.f("pk_segments")),
        sa.UniqueConstraint("network_id", name=op.f("uq_segments_network_id")),
    )
    names = ("network_type", "physical_network", "segmentation_id", "network_id")
    for network in networks:
        if network["network_type"] != "local":
            segment = _segment_of(network)
            connection.execute(sa.insert(table).values({name: segment[name] for name in names}))
