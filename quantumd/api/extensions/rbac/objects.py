"""What RBAC policies give to other projects: the types of objects, where they are kept, and who depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen
from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, select, union

from quantumd.api.extensions.rbac.shared import ACCESS_AS_EXTERNAL, ACCESS_AS_SHARED
from quantumd.store.tables import networks, ports, subnets
from quantumd.store.tables.routers import floating_ip_qos, floating_ips, gateway_qos, routers
from quantumd.store.tables.security import address_groups, port_security_groups, security_group_rules, security_groups
from quantumd.store.tables.services import network_qos, port_qos, qos_policies
from quantumd.store.tables.subnets import address_scopes, subnetpools

_WANTED: BindParameter[Any] = bindparam("wanted")


@frozen
class ObjectType:
    """One type. ``users`` are selects of the projects that use the object named ``wanted``.

    ``not_found`` is the type and the message of the error about one that is not there.
    """

    table: Table
    users: tuple[Select[Any], ...]
    not_found: tuple[str, str]
    actions: tuple[str, ...] = (ACCESS_AS_SHARED,)
    noun: str = "objects"


def _qos_users() -> tuple[Select[Any], ...]:
    on_ports = select(port_qos.c.port_id).where(port_qos.c.policy_id == _WANTED)
    on_networks = select(network_qos.c.network_id).where(network_qos.c.policy_id == _WANTED)
    return (
        select(ports.c.project_id).where(ports.c.id.in_(on_ports)),
        select(networks.c.project_id).where(networks.c.id.in_(on_networks)),
        select(floating_ips.c.project_id)
        .join(floating_ip_qos, floating_ip_qos.c.floatingip_id == floating_ips.c.id)
        .where(floating_ip_qos.c.policy_id == _WANTED),
        select(routers.c.project_id)
        .join(gateway_qos, gateway_qos.c.router_id == routers.c.id)
        .where(gateway_qos.c.policy_id == _WANTED),
    )


def _group_users() -> tuple[Select[Any], ...]:
    members = select(port_security_groups.c.port_id).where(port_security_groups.c.security_group_id == _WANTED)
    return (select(ports.c.project_id).where(ports.c.id.in_(members)),)


OBJECT_TYPES: Final[Mapping[str, ObjectType]] = MappingProxyType(
    {
        "network": ObjectType(
            networks,
            (select(ports.c.project_id).where(ports.c.network_id == _WANTED),),
            ("NetworkNotFound", "Network {} could not be found."),
            (ACCESS_AS_SHARED, ACCESS_AS_EXTERNAL),
            "networks",
        ),
        "qos_policy": ObjectType(
            qos_policies, _qos_users(), ("QosPolicyNotFound", "QoS policy {} could not be found.")
        ),
        "security_group": ObjectType(
            security_groups, _group_users(), ("SecurityGroupNotFound", "Security group {} does not exist")
        ),
        "address_scope": ObjectType(
            address_scopes,
            (select(subnetpools.c.project_id).where(subnetpools.c.address_scope_id == _WANTED),),
            ("AddressScopeNotFound", "Address scope {} could not be found."),
        ),
        "subnetpool": ObjectType(
            subnetpools,
            (select(subnets.c.project_id).where(subnets.c.subnetpool_id == _WANTED),),
            ("SubnetPoolNotFound", "Subnet pool {} could not be found."),
        ),
        "address_group": ObjectType(
            address_groups,
            (
                select(security_group_rules.c.project_id).where(
                    security_group_rules.c.remote_address_group_id == _WANTED
                ),
            ),
            ("AddressGroupNotFound", "Address group {} could not be found."),
        ),
    }
)
"""Types by their name in the API."""


def projects_using(connection: Connection, object_type: str, object_id: str) -> set[str]:
    """Return the projects that have something which depends on the object; '' stands for quantumd itself."""
    users = OBJECT_TYPES[object_type].users
    statement = union(*users) if len(users) > 1 else users[0].distinct()
    return set(connection.execute(statement, {"wanted": object_id}).scalars()) - {""}


def owner_of(connection: Connection, object_type: str, object_id: str) -> str | None:
    """Return the project that owns the object, None when there is no such object."""
    columns = OBJECT_TYPES[object_type].table.c
    found: str | None = connection.execute(select(columns.project_id).where(columns.id == object_id)).scalar()
    return found
