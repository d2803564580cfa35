"""Networks, subnets and ports, what hosts report of them, the journal and its cursors."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from quantumd.store.tables.base import POSITION, described_columns, id_column, metadata, standard_columns

networks = Table(
    "networks",
    metadata,
    *standard_columns(),
    Column("admin_state_up", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("mtu", Integer, nullable=False),
    Column("network_type", String(16), nullable=False),
    Column("physical_network", String(64)),
    Column("segmentation_id", POSITION),
    Column("record_version", POSITION, nullable=False),
    Column("is_external", Boolean, nullable=False, server_default=false(), index=True),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("port_security_enabled", Boolean, nullable=False, server_default=true()),
    Column("dns_domain", String(255), nullable=False, server_default=""),
    Column("availability_zone_hints", Text),
    Column("vlan_transparent", Boolean),
    Column("qinq", Boolean),
)
"""The segment columns are those of the network's first segment: of one that has no other, what hosts are told.

Who else may use a network is in ``rbac_entries``.
"""

segments = Table(
    "segments",
    metadata,
    id_column(),
    Column("network_id", String(36), ForeignKey("networks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255)),
    *described_columns(),
    Column("network_type", String(16), nullable=False),
    Column("physical_network", String(64), nullable=False),
    Column("segmentation_id", POSITION),
    Column("segment_index", Integer, nullable=False),
    UniqueConstraint("network_type", "physical_network", "segmentation_id"),
    Index("ix_segments_physical_network", "physical_network"),
)
"""Which segments networks hold: the key makes double use impossible.

A flat network holds segmentation_id 0 of its physical network, a tunnel an id of the physical network ''; a local
network holds NULL, of which there may be many.
"""

subnets = Table(
    "subnets",
    metadata,
    *standard_columns(),
    Column("network_id", String(36), ForeignKey("networks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("ip_version", Integer, nullable=False),
    Column("cidr", String(64), nullable=False),
    Column("gateway_ip", String(64)),
    Column("enable_dhcp", Boolean, nullable=False),
    Column("allocation_pools", Text, nullable=False),
    Column("dns_nameservers", Text, nullable=False),
    Column("host_routes", Text, nullable=False),
    Column("subnetpool_id", String(36), index=True),
    Column("ipv6_ra_mode", String(16)),
    Column("ipv6_address_mode", String(16)),
    Column("service_types", Text),
    Column("segment_id", String(36), index=True),
    Column("dns_publish_fixed_ip", Boolean, nullable=False, server_default=false()),
)

ports = Table(
    "ports",
    metadata,
    *standard_columns(),
    Column("network_id", String(36), ForeignKey("networks.id"), nullable=False),
    Column("mac_address", String(17), nullable=False, index=True),
    Column("admin_state_up", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("device_id", String(255), nullable=False, index=True),
    Column("device_owner", String(255), nullable=False, index=True),
    Column("host_id", String(255), nullable=False, index=True),
    Column("vnic_type", String(64), nullable=False),
    Column("vif_type", String(64), nullable=False),
    Column("vif_details", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("record_version", POSITION, nullable=False),
    Column("ip_allocation", String(16), nullable=False, server_default="immediate"),
    Column("port_security_enabled", Boolean, nullable=False, server_default=true()),
    Column("details", Text, nullable=True),
    UniqueConstraint("network_id", "mac_address"),
    Index("ix_ports_created_at_id", "created_at", "id"),
    Index("ix_ports_name", "name"),
    Index("ix_ports_network_id_host_id", "network_id", "host_id"),
    Index("ix_ports_network_id_id", "network_id", "id"),
)
"""Ports. ``details`` is a JSON object of attributes that few ports have and nobody filters by; null: none of them."""

ip_allocations = Table(
    "ip_allocations",
    metadata,
    Column("subnet_id", String(36), ForeignKey("subnets.id"), primary_key=True),
    Column("ip_key", String(32), primary_key=True),
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("ip_address", String(45), nullable=False, index=True),
)
"""Addresses in use.

``ip_key`` is the address as fixed-width lower-case hex (8 or 32 digits), so that text order is address order.
"""

hosts = Table(
    "hosts",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("quantumd_version", String(64), nullable=False),
    Column("vif_type", String(64)),
    Column("vif_details", Text, nullable=False),
    Column("reported_at", String(20), nullable=False),
    Column("position", POSITION),
    Column("waiting", Integer),
    Column("trouble", Text),
    Column("faults", Text),
    Column("tunnel_ip", String(45)),
    Column("tunnel_types", String(64)),
    Column("tunnel_version", POSITION),
    Column("record_kinds", Text),
    Column("physical_networks", Text),
    Column("bandwidths", Text),
)
"""What each role of each host last said of itself, API processes included.

``position`` and what follows are its RoleState, null where it does not say: ``faults`` is a JSON list of
[kind, id, why]. ``tunnel_ip`` is null where no tunnels end; ``tunnel_types`` has commas between; ``tunnel_version`` is
how far the journal was when the address last changed. ``record_kinds`` has commas between, ``physical_networks`` is a
JSON list; null where it does not say. ``bandwidths`` is a JSON list of [physical network, egress, ingress], in kbit/s,
null of a host that can guarantee none.
"""

realisations = Table(
    "realisations",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("version", POSITION, nullable=False),
    Column("plugged", Boolean, nullable=False),
    Column("fault", Text),
    Index("ix_realisations_host_role", "host", "role"),
)
"""What a host last reported of a port in one role."""

journal = Table(
    "journal",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=True),
    Column("at", String(20), nullable=False),
    Column("resource", String(32), nullable=False),
    Column("resource_id", String(36), nullable=False),
    Column("project_id", String(255), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("operation", String(16), nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("user_id", String(255)),
    Column("user_project_id", String(255)),
    sqlite_autoincrement=True,
)
"""What changed. ``user_id`` and ``user_project_id``: who asked for it, and in which project; null when nobody did."""

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("position", POSITION, nullable=False),
    Column("lease_holder", String(64)),
    Column("lease_expires_at", String(20)),
)
"""How far each named consumer of the journal has come, and who holds its lease until when."""
