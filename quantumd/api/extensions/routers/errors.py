"""What can go wrong with routers. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.api.errors import InvalidInput
from quantumd.errors import ApiError


class RouterNotFound(ApiError):
    """There is no such router in the caller's scope."""

    status = 404

    def __init__(self, router_id: str) -> None:
        super().__init__(f"Router {router_id} could not be found")


class RouterInUse(ApiError):
    """The router stands in subnets."""

    status = 409

    def __init__(self, router_id: str, port_ids: Iterable[str]) -> None:
        super().__init__(f"Router {router_id} has ports still attached: {', '.join(port_ids)}")


class RouterInterfaceNotFound(ApiError):
    """The port is not one with which the router stands in a subnet."""

    status = 404

    def __init__(self, router_id: str, port_id: str) -> None:
        super().__init__(f"Router {router_id} does not have an interface with id {port_id}")


class RouterInterfaceNotFoundForSubnet(ApiError):
    """The router does not stand in the subnet."""

    status = 404

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(f"Router {router_id} has no interface on subnet {subnet_id}")


class SubnetMismatchForPort(ApiError):
    """The subnet that is named beside a port is not the port's."""

    status = 400

    def __init__(self, port_id: str, subnet_id: str) -> None:
        super().__init__(f"Subnet on port {port_id} does not match the requested subnet {subnet_id}")


class RouterInterfaceInUseByRoute(ApiError):
    """A route leads out by the link."""

    status = 409

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as it is required by "
            "one or more routes."
        )


class PortInUse(ApiError):
    """Somebody else uses the port."""

    status = 409

    def __init__(self, network_id: str, port_id: str, device_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on port {port_id} for network {network_id}. "
            f"Port already has an attached device {device_id}."
        )


class DeviceIDNotOwnedByTenant(ApiError):
    """A port says that it is a router's, and that is another project's."""

    status = 409

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"The following device_id {device_id} is not owned by your project or matches another project router."
        )


class UnableToRemoveGateways(ApiError):
    """There is no gateway to be removed."""

    status = 400

    def __init__(self, router_id: str, reason: str) -> None:
        super().__init__(f"Unable to remove extra gateways from a router {router_id}: {reason}.")


class UnableToMatchGateways(ApiError):
    """What a request says is true of no gateway, or of several."""

    status = 400

    def __init__(self, router_id: str, reason: str) -> None:
        super().__init__(
            f"Unable to match a requested gateway port to existing gateway ports for router {router_id}: {reason}."
        )


class InvalidRoutes(InvalidInput):
    """A route leads nowhere. ``reason`` is a clause without its full stop."""

    type_name = "InvalidRoutes"

    def __init__(self, routes: str, reason: str) -> None:
        ApiError.__init__(self, f"Invalid format for routes: {routes}, {reason}")


class RoutesExhausted(ApiError):
    """There are more routes than the setting max_routes allows."""

    status = 400

    def __init__(self, router_id: str, limit: int) -> None:
        super().__init__(
            f"Unable to complete operation for {router_id}. The number of routes exceeds the maximum {limit}."
        )
