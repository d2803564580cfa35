"""In which subnets a router may be made to stand, and by whom: there it answers for all that is outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

from attrs import frozen
from sqlalchemy import bindparam, select

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.routers.rows import links_of
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.subnet import is_advertised_elsewhere
from quantumd.store.scope import NETWORK_ACTIONS
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

_SUBNET = Prepared(
    select(subnets.c.project_id, subnets.c.ipv6_ra_mode, subnets.c.ipv6_address_mode).where(
        subnets.c.id == bindparam("wanted")
    )
)
_SHARED: Final = NETWORK_ACTIONS[0]


@frozen
class Ground:
    """What of a subnet says who lets a router stand in it."""

    project_id: str
    is_advertised_elsewhere: bool


def ground_of(tx: Transaction, subnet_id: str) -> Ground:
    """Return that of a subnet that is there."""
    project_id, *modes = _SUBNET.rows(tx, {"wanted": subnet_id})[0]
    return Ground(project_id, is_advertised_elsewhere(*modes))


def require_leave(tx: Transaction, context: Context, network: NetworkFacts, subnet: SubnetFacts) -> None:
    """Refuse the gateway address of a subnet that is of others. BadRequest.

    Those with whom the network is shared by name may take it; what is shared with everybody, or leads outside, is
    nobody's to lead elsewhere. As in Neutron.
    """
    ground = ground_of(tx, subnet.id)
    is_own = ground.project_id == context.project_id or (_SHARED, context.project_id) in network.users
    if not (is_own or context.is_admin):
        raise BadRequest(
            "router",
            f"Cannot add interface to router because subnet {subnet.id} is not owned by project making the request",
        )
    require_own_advertisements(tx, (subnet,))


def require_leave_for_port(tx: Transaction, context: Context, port: View, there: Sequence[SubnetFacts]) -> None:
    """Refuse a port that holds an address outside of the pools of a subnet that is of others. BadRequest."""
    by_id = {subnet.id: subnet for subnet in there}
    for each in port["fixed_ips"]:
        subnet = by_id[each["subnet_id"]]
        is_own = context.is_admin or ground_of(tx, subnet.id).project_id == context.project_id
        if not is_own and not _is_pooled(subnet, each):
            raise BadRequest(
                "router",
                f"Cannot add interface to router because specified port {port['id']} has an IP address out of the "
                f"allocation pool of subnet {subnet.id}, which is not owned by the project making the request",
            )


def _is_pooled(subnet: SubnetFacts, fixed_ip: Mapping[str, Any]) -> bool:
    number = int(ip_address(fixed_ip["ip_address"]))
    return any(number in pool for pool in subnet.pools)


def require_own_advertisements(tx: Transaction, there: Iterable[SubnetFacts]) -> None:
    """Refuse a subnet in which somebody else's router advertises. BadRequest."""
    for subnet in there:
        if subnet.ip_version == 6 and ground_of(tx, subnet.id).is_advertised_elsewhere:
            raise BadRequest(
                "router",
                f"IPv6 subnet {subnet.id} configured to receive RAs from an external router cannot be added to "
                "Neutron Router",
            )


def require_one_ipv6_port(tx: Transaction, router: View, network_id: str, there: Iterable[SubnetFacts]) -> None:
    """Refuse a second port of one network with IPv6: the first one's would have all its subnets. BadRequest."""
    if all(subnet.ip_version != 6 for subnet in there):
        return
    for port_id, links in links_of(tx, router["id"]).items():
        if any(link.network_id == network_id and ":" in link.ip_address for link in links):
            raise BadRequest(
                "router",
                f"Router already contains IPv6 port {port_id} belonging to network id {network_id}. Only one IPv6 port "
                "from the same network subnet can be connected to a router",
            )
