"""Network segment ranges, and which physical networks hosts are connected to."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from quantumd.store.tables.base import POSITION, id_column, metadata

network_segment_ranges = Table(
    "network_segment_ranges",
    metadata,
    id_column(),
    Column("project_id", String(255), index=True),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("revision_number", Integer, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("network_type", String(16), nullable=False),
    Column("physical_network", String(64)),
    Column("minimum", POSITION, nullable=False),
    Column("maximum", POSITION, nullable=False),
    Index("ix_network_segment_ranges_network_type", "network_type", "physical_network"),
)
"""Ranges of VLAN ids, GRE keys and VNIs. A default one comes from the settings and follows them; the others are
administrators'. A shared one has no project, a tunnel's no physical network."""

host_physical_networks = Table(
    "host_physical_networks",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("physical_network", String(64), primary_key=True),
    Index("ix_host_physical_networks_physical_network", "physical_network"),
)
"""Which physical networks a host has bridges for, as it said; so which segments reach it."""
