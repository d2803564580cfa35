"""Whether a router answers for addresses inside (``enable_ndp_proxy``), and what that asks of its gateway."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from quantumd.api.extensions.address_scopes.network_aspect import scope_of_network
from quantumd.api.extensions.ndp_proxies.attributes import ENABLE
from quantumd.api.extensions.ndp_proxies.errors import (
    RouterGatewayInUseByNDPProxy,
    RouterGatewayNotValid,
    RouterInterfaceInUseByNDPProxy,
    RouterIPv6GatewayInUse,
)
from quantumd.api.extensions.ndp_proxies.rows import proxied_by
from quantumd.api.resources.views import View
from quantumd.store.transaction import Transaction

_NONE_SAID: Final = "The request body not contain external gateway information"
_UNSET: Final = "The router's external gateway will be unset"
_NOT_FIT: Final = (
    "The router has no external gateway or the external gateway port has no IPv6 address or IPv6 address scope"
)


def enabled_at_first(tx: Transaction, router_id: str, gateway: View | None, wanted: bool | None) -> bool:
    """Return whether a new router answers for addresses: as it is said, else it does not. RouterGatewayNotValid."""
    if not wanted:
        return False
    if gateway is None:
        raise RouterGatewayNotValid(router_id, _NONE_SAID)
    if not _can_answer(tx, gateway):
        reason = (
            f"The external network {gateway['network_id']} don't support IPv6 ndp proxy, the network has no IPv6 "
            "subnets or has no IPv6 address scope"
        )
        raise RouterGatewayNotValid(router_id, reason)
    return True


def enabled_now(tx: Transaction, before: View, gateway: View | None, wanted: bool | None) -> bool:
    """Return whether a router answers for addresses after a change: as it is said, else as it did, if it still can.

    :param gateway: what the router shows of its gateway after the change.
    :raises RouterGatewayNotValid: it shall, and cannot.
    :raises RouterIPv6GatewayInUse: it does, and its gateway would have no address for that.
    """
    held = before["external_gateway_info"]
    if wanted and gateway is None and held is not None:
        raise RouterGatewayNotValid(before["id"], _UNSET)
    can_answer = gateway is not None and _can_answer(tx, gateway)
    if wanted and not can_answer:
        raise RouterGatewayNotValid(before["id"], _NOT_FIT)
    if wanted is not None:
        return wanted
    stays = gateway is not None and held is not None and gateway["network_id"] == held["network_id"]
    if before[ENABLE] and stays and not can_answer:
        raise RouterIPv6GatewayInUse(before["id"])
    return before[ENABLE] and can_answer


def require_no_proxies(tx: Transaction, router_id: str) -> None:
    """Refuse that a router loses its gateway while it answers for addresses there. RouterGatewayInUseByNDPProxy."""
    if proxied_by(tx, router_id):
        raise RouterGatewayInUseByNDPProxy(router_id)


def require_none_inside(tx: Transaction, router_id: str, leaving: Collection[str]) -> None:
    """Refuse that a router leaves subnets of addresses for which it answers. RouterInterfaceInUseByNDPProxy."""
    for subnet_id in proxied_by(tx, router_id).values():
        if subnet_id in leaving:
            raise RouterInterfaceInUseByNDPProxy(router_id, subnet_id)


def _can_answer(tx: Transaction, gateway: Mapping[str, Any]) -> bool:
    """Whether the gateway has an IPv6 address on a network that is in an address scope of IPv6."""
    has_address = any(":" in each["ip_address"] for each in gateway["external_fixed_ips"])
    return has_address and scope_of_network(tx.connection, gateway["network_id"], 6) is not None
