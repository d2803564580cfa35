"""The tables, one module a family. Importing the package makes every table known to ``metadata``."""

from quantumd.store.tables import metering as metering_tables
from quantumd.store.tables import networks as network_tables
from quantumd.store.tables import ports as port_tables
from quantumd.store.tables import routers as router_tables
from quantumd.store.tables import security as security_tables
from quantumd.store.tables import services as service_tables
from quantumd.store.tables import subnets as subnet_tables
from quantumd.store.tables import taps as tap_tables
from quantumd.store.tables.base import metadata
from quantumd.store.tables.core import (
    cursors,
    hosts,
    ip_allocations,
    journal,
    networks,
    ports,
    realisations,
    segments,
    subnets,
)
from quantumd.store.tables.shared import rbac_entries, tags
from quantumd.store.tables.tallies import tallies
from quantumd.store.tables.turns import turns

__all__ = [
    "cursors",
    "hosts",
    "ip_allocations",
    "journal",
    "metadata",
    "metering_tables",
    "network_tables",
    "networks",
    "port_tables",
    "ports",
    "rbac_entries",
    "realisations",
    "router_tables",
    "security_tables",
    "segments",
    "service_tables",
    "subnet_tables",
    "subnets",
    "tags",
    "tallies",
    "tap_tables",
    "turns",
]
