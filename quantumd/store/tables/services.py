"""QoS policies and rules, quotas, agents, flavors and automatic topologies."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from quantumd.store.tables.base import id_column, metadata, standard_columns

quota_limits = Table(
    "quota_limits",
    metadata,
    Column("project_id", String(255), primary_key=True),
    Column("resource", String(64), primary_key=True),
    Column("maximum", Integer, nullable=False),
)
"""Limits that differ from the defaults; -1 is none."""

qos_policies = Table(
    "qos_policies",
    metadata,
    *standard_columns(),
    Column("default_for", String(255), unique=True),
)
"""``default_for`` is the project whose default the policy is, null for the others: the key makes two impossible."""

qos_rules = Table(
    "qos_rules",
    metadata,
    id_column(),
    Column("policy_id", String(36), ForeignKey("qos_policies.id", ondelete="CASCADE"), nullable=False),
    Column("rule_type", String(32), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("max_kbps", Integer),
    Column("max_burst_kbps", Integer),
    Column("min_kbps", Integer),
    Column("dscp_mark", Integer),
    Column("max_kpps", Integer),
    Column("max_burst_kpps", Integer),
    Column("min_kpps", Integer),
    Column("created_at", String(20), nullable=False),
    UniqueConstraint("policy_id", "rule_type", "direction"),
)
"""Rules of all types; ``direction`` is empty where the type has none. Rates in the units of their names."""

port_qos = Table(
    "port_qos",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("policy_id", String(36), ForeignKey("qos_policies.id"), nullable=False, index=True),
)

network_qos = Table(
    "network_qos",
    metadata,
    Column("network_id", String(36), ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True),
    Column("policy_id", String(36), ForeignKey("qos_policies.id"), nullable=False, index=True),
)

agents = Table(
    "agents",
    metadata,
    id_column(),
    Column("host", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("agent_type", String(64), nullable=False),
    Column("binary_name", String(64), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("availability_zone", String(255), nullable=False),
    Column("admin_state_up", Boolean, nullable=False),
    Column("description", String(255)),
    Column("configurations", Text, nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("started_at", String(20), nullable=False),
    Column("heartbeat_timestamp", String(20), nullable=False),
    UniqueConstraint("host", "role"),
    Index("ix_agents_role_availability_zone", "role", "availability_zone"),
)
"""Every role of every host that ever reported, as operators know agents."""

network_agents = Table(
    "network_agents",
    metadata,
    Column("agent_id", String(36), ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("network_id", String(36), ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""Networks that an operator put on a DHCP agent by hand."""

flavors = Table(
    "flavors",
    metadata,
    id_column(),
    Column("name", String(255), nullable=False, index=True),
    Column("description", String(1024)),
    Column("service_type", String(64), nullable=False),
    Column("enabled", Boolean),
    Column("created_at", String(20), nullable=False),
)

service_profiles = Table(
    "service_profiles",
    metadata,
    id_column(),
    Column("description", String(1024)),
    Column("driver", String(1024), nullable=False),
    Column("enabled", Boolean),
    Column("metainfo", Text, nullable=False),
    Column("created_at", String(20), nullable=False),
)

flavor_profiles = Table(
    "flavor_profiles",
    metadata,
    Column("flavor_id", String(36), ForeignKey("flavors.id", ondelete="CASCADE"), primary_key=True),
    Column("service_profile_id", String(36), ForeignKey("service_profiles.id"), primary_key=True, index=True),
)

auto_topologies = Table(
    "auto_topologies",
    metadata,
    Column("project_id", String(255), primary_key=True),
    Column("network_id", String(36), ForeignKey("networks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("router_id", String(36)),
)
"""What a project was given when it asked for any network."""
