"""QoS policies and rules, quotas, agents, flavors and automatic topologies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


_TABLES = (
    "auto_topologies",
    "flavor_profiles",
    "service_profiles",
    "flavors",
    "network_agents",
    "agents",
    "network_qos",
    "port_qos",
    "qos_rules",
    "qos_policies",
    "quota_limits",
)


def upgrade() -> None:
    """Make the tables."""
    _quotas()
    _qos_policies()
    _qos_uses()
    _agents()
    _flavors()
    _topologies()


def _quotas() -> None:
    op.create_table(
        "quota_limits",
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name=op.f("pk_quota_limits")),
    )


def _qos_policies() -> None:
    op.create_table(
        "qos_policies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("default_for", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qos_policies")),
        sa.UniqueConstraint("default_for", name=op.f("uq_qos_policies_default_for")),
    )
    op.create_index(op.f("ix_qos_policies_project_id"), "qos_policies", ["project_id"], unique=False)
    op.create_table(
        "qos_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("policy_id", sa.String(length=36), nullable=False),
        sa.Column("rule_type", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("max_kbps", sa.Integer(), nullable=True),
        sa.Column("max_burst_kbps", sa.Integer(), nullable=True),
        sa.Column("min_kbps", sa.Integer(), nullable=True),
        sa.Column("dscp_mark", sa.Integer(), nullable=True),
        sa.Column("max_kpps", sa.Integer(), nullable=True),
        sa.Column("max_burst_kpps", sa.Integer(), nullable=True),
        sa.Column("min_kpps", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["qos_policies.id"], name=op.f("fk_qos_rules_policy_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qos_rules")),
        sa.UniqueConstraint(
            "policy_id", "rule_type", "direction", name=op.f("uq_qos_rules_policy_id_rule_type_direction")
        ),
    )


def _qos_uses() -> None:
    op.create_table(
        "port_qos",
        sa.Column("port_id", sa.String(length=36), nullable=False),
        sa.Column("policy_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["qos_policies.id"], name=op.f("fk_port_qos_policy_id")),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_port_qos_port_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("port_id", name=op.f("pk_port_qos")),
    )
    op.create_index(op.f("ix_port_qos_policy_id"), "port_qos", ["policy_id"], unique=False)
    op.create_table(
        "network_qos",
        sa.Column("network_id", sa.String(length=36), nullable=False),
        sa.Column("policy_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_network_qos_network_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["policy_id"], ["qos_policies.id"], name=op.f("fk_network_qos_policy_id")),
        sa.PrimaryKeyConstraint("network_id", name=op.f("pk_network_qos")),
    )
    op.create_index(op.f("ix_network_qos_policy_id"), "network_qos", ["policy_id"], unique=False)


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("agent_type", sa.String(length=64), nullable=False),
        sa.Column("binary_name", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("availability_zone", sa.String(length=255), nullable=False),
        sa.Column("admin_state_up", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.Column("configurations", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.String(length=20), nullable=False),
        sa.Column("heartbeat_timestamp", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("host", "role", name=op.f("uq_agents_host_role")),
    )
    op.create_index("ix_agents_role_availability_zone", "agents", ["role", "availability_zone"], unique=False)
    op.create_table(
        "network_agents",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("network_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_network_agents_agent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_network_agents_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "network_id", name=op.f("pk_network_agents")),
    )
    op.create_index(op.f("ix_network_agents_network_id"), "network_agents", ["network_id"], unique=False)


def _flavors() -> None:
    op.create_table(
        "flavors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("service_type", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flavors")),
    )
    op.create_index(op.f("ix_flavors_name"), "flavors", ["name"], unique=False)
    op.create_table(
        "service_profiles",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("driver", sa.String(length=1024), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("metainfo", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_profiles")),
    )
    op.create_table(
        "flavor_profiles",
        sa.Column("flavor_id", sa.String(length=36), nullable=False),
        sa.Column("service_profile_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["flavor_id"], ["flavors.id"], name=op.f("fk_flavor_profiles_flavor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["service_profile_id"], ["service_profiles.id"], name=op.f("fk_flavor_profiles_service_profile_id")
        ),
        sa.PrimaryKeyConstraint("flavor_id", "service_profile_id", name=op.f("pk_flavor_profiles")),
    )
    op.create_index(
        op.f("ix_flavor_profiles_service_profile_id"), "flavor_profiles", ["service_profile_id"], unique=False
    )


def _topologies() -> None:
    op.create_table(
        "auto_topologies",
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("network_id", sa.String(length=36), nullable=False),
        sa.Column("router_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_auto_topologies_network_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_auto_topologies")),
    )
    op.create_index(op.f("ix_auto_topologies_network_id"), "auto_topologies", ["network_id"], unique=False)


def downgrade() -> None:
    """Remove the tables."""
    for name in _TABLES:
        op.drop_table(name)
