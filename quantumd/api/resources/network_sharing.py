"""With whom networks are shared: every project, some of them, and as external networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, union

from quantumd.api.extensions.rbac.shared import ACCESS_AS_EXTERNAL, ACCESS_AS_SHARED, forget_grants, set_shared
from quantumd.api.resources.errors import InvalidSharedSetting
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.nouns import DHCP_OWNER
from quantumd.store.scope import EVERYBODY
from quantumd.store.tables import ports, rbac_entries, subnets
from quantumd.store.transaction import Transaction


def grant(tx: Transaction, context: Context, network: View, changed: Mapping[str, Any]) -> None:
    """Let every project use the network, or no longer, as the changed ``shared`` and ``router:external`` say.

    A network that is no longer external is so for nobody.
    """
    network_id, project_id = network["id"], network["project_id"]
    if "shared" in changed:
        set_shared(tx, context, "network", network_id, project_id, changed["shared"])
    if changed.get("router:external") is True:
        set_shared(tx, context, "network", network_id, project_id, True, action=ACCESS_AS_EXTERNAL)
    if changed.get("router:external") is False:
        forget_grants(tx, context, "network", network_id, action=ACCESS_AS_EXTERNAL)


def require_own_use(tx: Transaction, network: View) -> None:
    """Refuse to take a network from projects that use it only because everybody may. InvalidSharedSetting."""
    named = select(rbac_entries.c.target_project).where(
        rbac_entries.c.object_type == "network",
        rbac_entries.c.object_id == network["id"],
        rbac_entries.c.action == ACCESS_AS_SHARED,
        rbac_entries.c.target_project != EVERYBODY,
    )
    of_ports = select(ports.c.project_id).where(
        ports.c.network_id == network["id"],
        ports.c.device_owner != DHCP_OWNER,
        ports.c.project_id != network["project_id"],
        ports.c.project_id.not_in(named),
    )
    of_subnets = select(subnets.c.project_id).where(
        subnets.c.network_id == network["id"],
        subnets.c.project_id != network["project_id"],
        subnets.c.project_id.not_in(named),
    )
    if tx.connection.execute(union(of_ports, of_subnets)).first() is not None:
        raise InvalidSharedSetting(network["id"])
