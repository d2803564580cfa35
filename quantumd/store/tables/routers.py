"""Routers, the ports that they use, floating IPs, what these forward, and what hangs on either."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint, false

from quantumd.store.tables.base import POSITION, described_columns, id_column, metadata, project_column

routers = Table(
    "routers",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("admin_state_up", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("enable_snat", Boolean, nullable=False),
    Column("routes", Text, nullable=False),
    *described_columns(),
    Column("host", String(255), nullable=False, server_default="", index=True),
    Column("record_version", POSITION, nullable=False, server_default="0"),
    Column("availability_zone_hints", String(255), nullable=False, server_default="[]"),
    Column("enable_default_route_ecmp", Boolean, nullable=False, server_default=false()),
    Column("enable_ndp_proxy", Boolean, nullable=False, server_default=false()),
    Column("flavor_id", String(36), index=True),
    Column("taken_from", String(255), nullable=False, server_default=""),
)
"""``enable_snat``: whether what leaves by the gateway gets the gateway's address. ``routes``: JSON, in their order.

``host`` carries the router, '' while none does; ``record_version`` is where in the journal it was given to it or was
enabled again, whichever was later, and 0 once the host has realised that. ``availability_zone_hints``: JSON, names of
the zones in one of which its host must be; of none of them it may be in any. ``enable_ndp_proxy``: whether it
answers for addresses inside on the link of its gateway. ``taken_from`` is the host from which an operator took a router
that waits for another, '' of others.
"""

router_ports = Table(
    "router_ports",
    metadata,
    Column("port_id", String(36), ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("router_id", String(36), ForeignKey("routers.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    Column("number", Integer, nullable=False, server_default="1"),
)
"""``kind``: ``gateway`` or ``interface``.

Of gateways: the one of the lowest ``ordinal`` is the first; ``number`` is its own among those of its router, and stays.
"""

floating_ips = Table(
    "floating_ips",
    metadata,
    id_column(),
    project_column(),
    Column("floating_network_id", String(36), nullable=False, index=True),
    Column("floating_ip_address", String(45), nullable=False, index=True),
    Column("floating_port_id", String(36), ForeignKey("ports.id"), nullable=False, index=True),
    Column("port_id", String(36), ForeignKey("ports.id"), index=True),
    Column("fixed_ip_address", String(45)),
    Column("router_id", String(36), ForeignKey("routers.id"), index=True),
    Column("status", String(16), nullable=False),
    *described_columns(),
    Column("record_version", POSITION, nullable=False, server_default="0"),
    Column("dns_name", String(255), nullable=False, server_default=""),
    Column("dns_domain", String(255), nullable=False, server_default=""),
    UniqueConstraint("port_id", "fixed_ip_address", "floating_network_id"),
)
"""``floating_port_id`` holds the address on the external network, ``port_id`` is the port to which it leads.

``record_version`` is where in the journal it was led there. ``dns_name`` in ``dns_domain`` (with its final dot) is
what the address is called on the external network; both are '' where it has no name of its own.
"""

port_forwardings = Table(
    "port_forwardings",
    metadata,
    id_column(),
    Column("floatingip_id", String(36), ForeignKey("floating_ips.id"), nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("external_first", Integer, nullable=False),
    Column("external_last", Integer, nullable=False),
    Column("internal_port_id", String(36), ForeignKey("ports.id"), nullable=False, index=True),
    Column("internal_ip_address", String(45), nullable=False),
    Column("internal_first", Integer, nullable=False),
    Column("internal_last", Integer, nullable=False),
    Column("description", String(1024), nullable=False),
    Column("created_at", String(20), nullable=False),
    UniqueConstraint("floatingip_id", "protocol", "external_first"),
)
"""Ports of a floating IP, from ``external_first`` to ``external_last``, and those to which they lead."""

ndp_proxies = Table(
    "ndp_proxies",
    metadata,
    id_column(),
    project_column(),
    Column("name", String(255), nullable=False),
    Column("description", String(1024), nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("revision_number", Integer, nullable=False),
    Column("router_id", String(36), ForeignKey("routers.id"), nullable=False),
    Column("port_id", String(36), ForeignKey("ports.id"), nullable=False, index=True),
    Column("ip_address", String(45), nullable=False),
    UniqueConstraint("router_id", "ip_address"),
)
"""Addresses of ports inside for which a router answers on the link of its gateway."""

floating_ip_qos = Table(
    "floating_ip_qos",
    metadata,
    Column("floatingip_id", String(36), ForeignKey("floating_ips.id", ondelete="CASCADE"), primary_key=True),
    Column("policy_id", String(36), ForeignKey("qos_policies.id"), nullable=False, index=True),
)
"""The QoS policies of floating IPs; most have none."""

gateway_qos = Table(
    "gateway_qos",
    metadata,
    Column("router_id", String(36), ForeignKey("routers.id", ondelete="CASCADE"), primary_key=True),
    Column("policy_id", String(36), ForeignKey("qos_policies.id"), nullable=False, index=True),
)
"""Those of routers' gateways."""

conntrack_helpers = Table(
    "conntrack_helpers",
    metadata,
    id_column(),
    Column("router_id", String(36), ForeignKey("routers.id"), nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("port", Integer, nullable=False),
    Column("helper", String(64), nullable=False),
    UniqueConstraint("router_id", "protocol", "port", "helper"),
)
"""What connections to a port say of others to come, and who understands it."""
