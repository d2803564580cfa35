"""Taps: ports that listen, and the ports that they listen to; mirrors, which tell addresses outside."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from quantumd.store.tables.base import id_column, metadata, project_column

tap_services = Table(
    "tap_services",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("created_at", String(20), nullable=False),
)
"""Ports that get copies. ``number`` is the id under which these travel between hosts."""

tap_flows = Table(
    "tap_flows",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("tap_service_id", String(36), ForeignKey("tap_services.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source_port", String(36), ForeignKey("ports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("direction", String(8), nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""What a port sends or gets (``direction``) is copied to a service."""

tap_mirrors = Table(
    "tap_mirrors",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("directions", String(255), nullable=False),
    Column("remote_ip", String(64), nullable=False),
    Column("mirror_type", String(16), nullable=False),
    Column("created_at", String(20), nullable=False),
)
"""What a port sends or gets is copied to an address outside. ``directions`` is JSON: under which id each is."""

tap_mirror_ids = Table(
    "tap_mirror_ids",
    metadata,
    Column("tunnel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mirror_id", String(36), ForeignKey("tap_mirrors.id", ondelete="CASCADE"), nullable=False, index=True),
)
"""The ids of mirrors, each of one mirror."""
