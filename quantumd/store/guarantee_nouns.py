"""Rows → how much bandwidth ports are guaranteed, and what their hosts have. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, and_, bindparam, func, not_, or_, select, union_all

from quantumd.model.bandwidth import Amounts, Bandwidth
from quantumd.model.qos import MINIMUM_BANDWIDTH, NETWORK_OWNER_PREFIX
from quantumd.store.tables import hosts, networks, ports
from quantumd.store.tables.ports import inactive_bindings
from quantumd.store.tables.services import network_qos, port_qos, qos_rules

_IN_FORCE: Final = and_(
    qos_rules.c.rule_type == MINIMUM_BANDWIDTH,
    or_(
        qos_rules.c.policy_id == port_qos.c.policy_id,
        and_(
            port_qos.c.policy_id.is_(None),
            qos_rules.c.policy_id == network_qos.c.policy_id,
            not_(ports.c.device_owner.startswith(NETWORK_OWNER_PREFIX)),
        ),
    ),
)
"""A rule that guarantees bandwidth to a port, by its own policy or that of its network."""

_PLACED: Final = union_all(
    select(ports.c.id.label("port_id"), ports.c.host_id.label("host")),
    select(inactive_bindings.c.port_id, inactive_bindings.c.host),
).subquery()
"""Ports on hosts, and on those that they may move to."""


def _with_rules(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(ports)
        .join(networks, networks.c.id == ports.c.network_id)
        .outerjoin(port_qos, port_qos.c.port_id == ports.c.id)
        .outerjoin(network_qos, network_qos.c.network_id == ports.c.network_id)
        .join(qos_rules, _IN_FORCE)
    )


_TAKEN: Final = (
    _with_rules(qos_rules.c.direction, func.sum(qos_rules.c.min_kbps))
    .join(_PLACED, _PLACED.c.port_id == ports.c.id)
    .where(
        _PLACED.c.host == bindparam("wanted_host"),
        networks.c.physical_network == bindparam("physical"),
        ports.c.id != bindparam("besides"),
    )
    .group_by(qos_rules.c.direction)
)
_OF_PORT: Final = _with_rules(networks.c.physical_network, qos_rules.c.direction, qos_rules.c.min_kbps).where(
    ports.c.id == bindparam("wanted")
)
_OF_POLICY: Final = select(qos_rules.c.direction, qos_rules.c.min_kbps).where(
    qos_rules.c.policy_id == bindparam("wanted"), qos_rules.c.rule_type == MINIMUM_BANDWIDTH
)
_PLACES: Final = (
    _with_rules(_PLACED.c.host, networks.c.physical_network)
    .join(_PLACED, _PLACED.c.port_id == ports.c.id)
    .where(_PLACED.c.host != "")
    .distinct()
)
_CAPACITY: Final = select(hosts.c.bandwidths).where(
    hosts.c.host == bindparam("wanted"), hosts.c.role == "l2", hosts.c.bandwidths.is_not(None)
)


def taken(connection: Connection, host: str, physical_network: str, besides: str = "") -> Amounts:
    """Return what is guaranteed on a host's physical network, to all ports but one; ports that may move there count."""
    asked = {"wanted_host": host, "physical": physical_network, "besides": besides}
    return {row[0]: int(row[1]) for row in connection.execute(_TAKEN, asked)}


def guaranteed(connection: Connection, port_id: str) -> tuple[str | None, Amounts]:
    """Return what a port is guaranteed, and on which physical network; None of a port whose network has none."""
    rows = connection.execute(_OF_PORT, {"wanted": port_id}).all()
    return (rows[0][0] if rows else None), {row[1]: row[2] for row in rows}


def host_of(connection: Connection, port_id: str) -> str:
    """Return the host that a port is bound to, '' for none."""
    return str(connection.execute(select(ports.c.host_id).where(ports.c.id == port_id)).scalar() or "")


def physical_network(connection: Connection, network_id: str) -> str | None:
    """Return the physical network that a network is on, None for none."""
    return connection.execute(select(networks.c.physical_network).where(networks.c.id == network_id)).scalar()


def guaranteed_by(connection: Connection, policy_id: str | None) -> Amounts:
    """Return what a policy guarantees to each port."""
    if policy_id is None:
        return {}
    return {row[0]: row[1] for row in connection.execute(_OF_POLICY, {"wanted": policy_id})}


def places_of_policy(connection: Connection, policy_id: str) -> Sequence[tuple[str, str | None]]:
    """Return the hosts and physical networks of ports that a policy guarantees something."""
    return [(row[0], row[1]) for row in connection.execute(_PLACES.where(qos_rules.c.policy_id == policy_id))]


def places_on_network(connection: Connection, network_id: str) -> Sequence[tuple[str, str | None]]:
    """Return the hosts of ports of a network that are guaranteed something, each with its physical network."""
    return [(row[0], row[1]) for row in connection.execute(_PLACES.where(ports.c.network_id == network_id))]


def bandwidths(connection: Connection, host: str) -> tuple[Bandwidth, ...]:
    """Return what a host said it can guarantee."""
    text = connection.execute(_CAPACITY, {"wanted": host}).scalar()
    return tuple(Bandwidth(*each) for each in orjson.loads(text)) if text else ()
