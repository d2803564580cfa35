"""Who may name what of a port, and which changes its use does not allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantumd.api.errors import InvalidInput, PolicyNotAuthorized
from quantumd.api.policy.rules import expression
from quantumd.api.resources.allocation import Address
from quantumd.api.resources.errors import PortBound, ServicePortInUse
from quantumd.api.resources.facts import NetworkFacts
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.port_errors import (
    IPAddressChangeNotAllowed,
    PortSecurityAndIPRequiredForSecurityGroups,
    PortSecurityPortHasSecurityGroup,
    UnsupportedPortDeviceOwner,
)
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.port import DHCP_PORT_FIXED, STILL_OWNERS, TRUSTED_OWNER_PREFIX, is_dhcp_port

DHCP_REASON = "it is the DHCP port of its network and follows from the subnets with enable_dhcp"


def require_free_choice(context: Context, network: NetworkFacts, named: Mapping[str, Any], action: str) -> None:
    """Refuse what only a network's owner may name on it. InvalidInput, PolicyNotAuthorized."""
    owner = named.get("device_owner") or ""
    if is_dhcp_port(owner):
        raise InvalidInput(f"device_owner '{owner}' is kept for the DHCP port that a network has by itself")


def require_changeable(before: View, named: Mapping[str, Any]) -> None:
    """Refuse changes that the port's use does not allow. ServicePortInUse, PortBound, UnsupportedPortDeviceOwner."""
    if is_dhcp_port(before["device_owner"]) and not DHCP_PORT_FIXED.isdisjoint(named):
        raise ServicePortInUse(before["id"], DHCP_REASON)
    if "mac_address" not in named:
        return
    if before["device_owner"].startswith(TRUSTED_OWNER_PREFIX):
        raise UnsupportedPortDeviceOwner("mac address update", before["id"], before["device_owner"])
    if before["binding:host_id"]:
        raise PortBound(before["id"], before["binding:vif_type"], before["mac_address"], named["mac_address"])


def require_still_trusted(context: Context, network: NetworkFacts, before: View, named: Mapping[str, Any]) -> None:
    """Refuse to make something else of a port of the service, which has no port security. PolicyNotAuthorized."""
    if is_owner(context, network.project_id) or not before["device_owner"].startswith(TRUSTED_OWNER_PREFIX):
        return
    for name in ("device_owner", "device_id"):
        if name in named:
            raise PolicyNotAuthorized(expression("update_port", (name,)))


def require_still_addresses(before: View, had: Sequence[Address], chosen: Sequence[Address]) -> None:
    """Refuse other IPv4 addresses for a port that a router uses. IPAddressChangeNotAllowed."""
    if before["device_owner"] not in STILL_OWNERS or not before["device_id"]:
        return
    if any(each.ip_version == 4 for each in set(had) ^ set(chosen)):
        raise IPAddressChangeNotAllowed(before["id"])


def port_security_of(body: Mapping[str, Any], network: NetworkFacts) -> bool:
    """Return whether a new port has port security: as it says, else as its network; never a port of the service."""
    if body["device_owner"].startswith(TRUSTED_OWNER_PREFIX):
        return False
    named: bool | None = body.get("port_security_enabled")
    return network.port_security_enabled if named is None else named


def require_groups_allowed(named: Mapping[str, Any], before: View | None, view: View) -> None:
    """Refuse security groups on a port without port security.

    :raises PortSecurityAndIPRequiredForSecurityGroups: the request names groups.
    :raises PortSecurityPortHasSecurityGroup: the port has some, and the request does not take them away.
    """
    if view["port_security_enabled"]:
        return
    if named.get("security_groups"):
        raise PortSecurityAndIPRequiredForSecurityGroups()
    keeps = before is not None and before["port_security_enabled"] and "security_groups" not in named
    if keeps and before is not None and before.get("security_groups"):
        raise PortSecurityPortHasSecurityGroup()
