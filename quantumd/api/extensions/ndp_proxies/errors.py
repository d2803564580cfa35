"""What can go wrong with NDP proxies. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class NDPProxyNotFound(ApiError):
    """There is no such NDP proxy in the caller's scope."""

    status = 404

    def __init__(self, proxy_id: str) -> None:
        super().__init__(f"NDP proxy {proxy_id} could not be found.")


class RouterGatewayInUseByNDPProxy(ApiError):
    """The router answers for addresses on the gateway's link."""

    status = 409

    def __init__(self, router_id: str) -> None:
        super().__init__(
            f"Unable to unset external gateway of router {router_id}, There are one or more ndp proxies still in use "
            "on the router."
        )


class RouterInterfaceInUseByNDPProxy(ApiError):
    """The router answers for an address of the subnet."""

    status = 409

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Unable to remove subnet {subnet_id} from router {router_id}, There are one or more ndp proxies still in "
            "use on the subnet."
        )


class AddressScopeConflict(ApiError):
    """Inside and outside are of different address scopes, so nothing is forwarded between them as it is."""

    status = 409

    def __init__(self, outside: str | None, inside: str | None) -> None:
        super().__init__(
            f"The IPv6 address scope {outside} of external network conflict with internal network's IPv6 address scope "
            f"{inside}."
        )


class RouterGatewayNotValid(ApiError):
    """The router has no gateway by which it could answer. ``reason`` is a clause without its full stop."""

    status = 409

    def __init__(self, router_id: str, reason: str) -> None:
        super().__init__(f"Can not enable ndp proxy on router {router_id}, {reason}.")


class RouterNDPProxyNotEnable(ApiError):
    """The router answers for nobody: its ``enable_ndp_proxy`` is false."""

    status = 409

    def __init__(self, router_id: str) -> None:
        super().__init__(
            f"The enable_ndp_proxy parameter of router {router_id} must be set as True while create ndp proxy entry on "
            "it."
        )


class PortUnreachableRouter(ApiError):
    """The router does not stand in a subnet of the port's IPv6 addresses."""

    status = 409

    def __init__(self, port_id: str, router_id: str) -> None:
        super().__init__(f"The port {port_id} cannot reach the router {router_id} by IPv6 subnet.")


class InvalidAddress(ApiError):
    """The address cannot be meant. ``reason`` is a clause without its full stop."""

    status = 400

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The address {address} is invalid, reason: {reason}.")


class RouterIPv6GatewayInUse(ApiError):
    """With these addresses the router's gateway would be in no IPv6 subnet, while it answers there."""

    status = 409

    def __init__(self, router_id: str) -> None:
        super().__init__(
            f"Can't remove the IPv6 subnet from external gateway of router {router_id}, the IPv6 subnet in use by the "
            "router's ndp proxy."
        )


class NeutronDbObjectDuplicateEntry(ApiError):
    """The router answers for the address already."""

    status = 409

    def __init__(self, router_id: str, address: str) -> None:
        super().__init__(
            "Failed to create a duplicate NDPProxy: for attribute(s) ['router_id', 'ip_address'] with value(s) "
            f"{router_id}-{address}"
        )
