"""What RBAC policies mean for networks: a policy about external access makes a network external, the last one not."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, exists, literal, select, update

from quantumd.api.extensions.rbac.errors import RbacPolicyInUse
from quantumd.api.extensions.rbac.shared import ACCESS_AS_EXTERNAL
from quantumd.api.resources.facts import forget_network
from quantumd.api.resources.views import View
from quantumd.model.router import GATEWAY
from quantumd.store.scope import EVERYBODY
from quantumd.store.tables import networks, ports, rbac_entries
from quantumd.store.tables.routers import router_ports, routers
from quantumd.store.transaction import Transaction

_GATEWAY_OWNERS: Final = ("network:router_gateway", "network:floatingip")
_USERS: Final = (
    select(routers.c.project_id)
    .join(router_ports, router_ports.c.router_id == routers.c.id)
    .join(ports, ports.c.id == router_ports.c.port_id)
    .where(ports.c.network_id == bindparam("wanted"), router_ports.c.kind == GATEWAY)
    .distinct()
)


def network_granted_anew(tx: Transaction, policy: View) -> None:
    """Follow a policy about a network that came, changed or went: a new revision, and whether it is external."""
    network_id, columns = policy["object_id"], networks.c
    changed = {"revision_number": columns.revision_number + 1, "updated_at": literal(tx.now)}
    if policy["action"] == ACCESS_AS_EXTERNAL:
        is_external = bool(_external_targets(tx.connection, network_id))
        changed["is_external"] = literal(is_external)
        if not is_external:
            changed["is_default"] = literal(False)
    tx.connection.execute(update(networks).where(columns.id == network_id).values(changed))
    forget_network(tx, network_id)


def require_no_gateways(connection: Connection, policy: View, new_target: str | None) -> None:
    """Refuse to take external access away from those whose routers use it. RbacPolicyInUse.

    The last policy is needed by floating IPs too: without any the network is not external.
    """
    network_id = policy["object_id"]
    left = _external_targets(connection, network_id, without=policy["id"])
    if new_target is not None:
        left.add(new_target)
    if EVERYBODY in left:
        return
    is_default = select(networks.c.is_default).where(networks.c.id == network_id)
    if policy["target_tenant"] == EVERYBODY and connection.execute(is_default).scalar():
        raise RbacPolicyInUse(network_id, "Default external networks must be shared to everyone.")
    gateways = exists().where(ports.c.network_id == network_id, ports.c.device_owner.in_(_GATEWAY_OWNERS))
    users, loser = set(connection.execute(_USERS, {"wanted": network_id}).scalars()), policy["target_tenant"]
    losers = users - left if loser == EVERYBODY else (users - left) & {loser}
    if losers or (not left and connection.execute(select(gateways)).scalar()):
        raise RbacPolicyInUse(
            network_id, "There are routers attached to this network that depend on this policy for access."
        )


def _external_targets(connection: Connection, network_id: str, without: str | None = None) -> set[str]:
    columns = rbac_entries.c
    statement = select(columns.target_project).where(
        columns.object_id == network_id,
        columns.object_type == "network",
        columns.action == ACCESS_AS_EXTERNAL,
    )
    if without is not None:
        statement = statement.where(columns.id != without)
    return set(connection.execute(statement).scalars())
