"""What ports have beside their row and addresses: bindings that wait, trunks and local IPs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from quantumd.store.tables.base import id_column, metadata, project_column, standard_columns

inactive_bindings = Table(
    "inactive_bindings",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("vnic_type", String(64), nullable=False),
    Column("profile", Text, nullable=False),
    Column("vif_type", String(64), nullable=False),
    Column("vif_details", Text, nullable=False),
)
"""Hosts that a port may move to. The binding that counts is in the port's own row."""

trunks = Table(
    "trunks",
    metadata,
    *standard_columns(),
    Column("port_id", String(36), ForeignKey("ports.id"), nullable=False, unique=True),
    Column("admin_state_up", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
)
"""Ports that carry the tagged frames of others. ``status`` is what was true when the row was last written: what is true
follows from the rows of the ports, see quantumd.api.extensions.trunks.status."""

sub_ports = Table(
    "sub_ports",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id"), primary_key=True),
    Column("trunk_id", String(36), ForeignKey("trunks.id", ondelete="CASCADE"), nullable=False),
    Column("segmentation_type", String(32), nullable=False),
    Column("segmentation_id", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    UniqueConstraint("trunk_id", "segmentation_type", "segmentation_id"),
)
"""Ports whose frames travel tagged on the port of a trunk; a port is in one trunk at most."""

local_ips = Table(
    "local_ips",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("revision_number", Integer, nullable=False),
    Column("local_port_id", String(36), ForeignKey("ports.id"), nullable=False, index=True),
    Column("network_id", String(36), ForeignKey("networks.id"), nullable=False, index=True),
    Column("local_ip_address", String(45), nullable=False),
    Column("ip_mode", String(16), nullable=False),
)
"""Addresses that each host translates to the port on itself that is associated with them."""

local_ip_associations = Table(
    "local_ip_associations",
    metadata,
    Column("local_ip_id", String(36), ForeignKey("local_ips.id"), primary_key=True),
    Column("fixed_port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("fixed_ip", String(45), nullable=False),
)
"""Which port answers a local IP on the host that it is on."""
